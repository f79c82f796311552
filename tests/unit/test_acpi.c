/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, after a small firmware has carried out the loader's commands. That Linux takes them is
 * shown by every VM in software. */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "vmm/acpi.h"

#define BASE 0x000e0000u /* where this firmware puts the file */

static uint32_t number(const char *p, size_t bytes)
{
	uint32_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n |= (uint32_t)(unsigned char)p[i] << (8 * i);
	return n;
}

static void put(char *p, uint32_t n)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (char)(n >> (8 * i));
}

static uint8_t sum(const char *p, size_t n)
{
	uint8_t s = 0;

	while (n-- > 0)
		s = (uint8_t)(s + (unsigned char)*p++);
	return s;
}

/* Carries out one command of 128 bytes. */
static void obey(const char *c, struct str *t)
{
	uint32_t command = number(c, 4);
	const char *rest = c + 4 + 56;
	uint32_t at;

	assert_string_equal(c + 4, ACPI_FILE_TABLES);
	switch (command) {
	case 1:
		assert_int_equal(number(rest, 4), 64);
		break;
	case 2:
		assert_string_equal(rest, ACPI_FILE_TABLES);
		at = number(rest + 56, 4);
		assert_int_equal(rest[60], 4);
		assert_true(at + 4 <= t->len);
		assert_true(number(t->buf + at, 4) < t->len);
		put(t->buf + at, number(t->buf + at, 4) + BASE);
		break;
	case 3: {
		uint32_t start = number(rest + 4, 4), n = number(rest + 8, 4);

		at = number(rest, 4);
		assert_true(start + n <= t->len && at >= start && at < start + n);
		t->buf[at] = (char)(t->buf[at] - sum(t->buf + start, n));
		break;
	}
	default:
		fail_msg("unknown command %u", command);
	}
}

static const char *table_at(const struct str *t, uint32_t address)
{
	assert_true(address >= BASE && address - BASE + 36 <= t->len);
	return t->buf + (address - BASE);
}

/* A table that the list of all names, checked. */
static const char *find(const struct str *t, const char *rsdt, const char *signature, size_t *ret_n)
{
	size_t n = (number(rsdt + 4, 4) - 36) / 4;

	for (size_t i = 0; i < n; i++) {
		const char *table = table_at(t, number(rsdt + 36 + 4 * i, 4));

		if (memcmp(table, signature, 4) != 0)
			continue;
		*ret_n = number(table + 4, 4);
		assert_true(table + *ret_n <= t->buf + t->len);
		assert_int_equal(sum(table, *ret_n), 0);
		return table;
	}
	fail_msg("no table %s", signature);
	return NULL;
}

static const char *find_root(const struct str *t)
{
	for (size_t i = 0; i + 20 <= t->len; i += 16)
		if (memcmp(t->buf + i, "RSD PTR ", 8) == 0)
			return t->buf + i;
	fail_msg("no root at a multiple of 16");
	return NULL;
}

static void the_firmware_makes_valid_tables_of_it(void **state)
{
	static const unsigned counts[] = { 1, 2, 7, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		auto_str struct str t = STR_INIT(ACPI_TEXT_MAX), l = STR_INIT(ACPI_TEXT_MAX);
		const char *root, *rsdt, *fadt, *madt, *dsdt, *facs;
		size_t n;

		acpi_build(counts[i], &t, &l);
		assert_false(t.over || l.over);
		assert_int_equal(l.len % 128, 0);
		assert_int_equal(number(l.buf, 4), 1);
		for (size_t at = 0; at < l.len; at += 128)
			obey(l.buf + at, &t);

		root = find_root(&t);
		assert_int_equal(sum(root, 20), 0);
		rsdt = table_at(&t, number(root + 16, 4));
		assert_memory_equal(rsdt, "RSDT", 4);
		assert_int_equal(sum(rsdt, number(rsdt + 4, 4)), 0);

		fadt = find(&t, rsdt, "FACP", &n);
		assert_int_equal(n, 244);
		assert_int_equal(number(fadt + 64, 4), 0x604);
		assert_int_equal(number(fadt + 76, 4), 0x608);
		assert_int_equal(number(fadt + 120, 4), 0xcf9);
		facs = table_at(&t, number(fadt + 36, 4));
		assert_memory_equal(facs, "FACS", 4);
		assert_int_equal((facs - t.buf) % 64, 0);
		dsdt = table_at(&t, number(fadt + 40, 4));
		assert_memory_equal(dsdt, "DSDT", 4);
		assert_int_equal(sum(dsdt, number(dsdt + 4, 4)), 0);

		madt = find(&t, rsdt, "APIC", &n);
		assert_int_equal(n, 44 + 8 * counts[i] + 12 + 2 * 10);
		assert_int_equal(number(madt + 44 + 8 * (counts[i] - 1) + 3, 1), counts[i] - 1);
		find(&t, rsdt, "HPET", &n);
		assert_int_equal(n, 56);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_firmware_makes_valid_tables_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
