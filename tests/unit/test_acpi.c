/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, after a small firmware has carried out the loader's commands. That Linux takes them is
 * shown by every VM in software. */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "vmm/acpi.h"
#include "vmm/acpi_hotplug.h"

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

		acpi_build(counts[i], 0, &t, &l);
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

/* ---- hotplug ------------------------------------------------------------------------------------- */

/* The length of a package as AML has it, and how many bytes that took. */
static size_t package(const char *p, size_t *ret_taken)
{
	unsigned char first = (unsigned char)*p;
	size_t n = first & 0x3f;

	*ret_taken = 1 + (first >> 6);
	if (first >> 6)
		n = first & 0xf;
	for (size_t i = 1; i < *ret_taken; i++)
		n |= (size_t)(unsigned char)p[i] << (8 * i - 4);
	return n;
}

/* Where the text is within, exactly once. */
static const char *only(const char *p, size_t n, const char *text, size_t len)
{
	const char *at = memmem(p, n, text, len);

	if (!at)
		fail_msg("no '%s'", text);
	assert_null(memmem(at + 1, n - (size_t)(at + 1 - p), text, len));
	return at;
}

/* A named package: its op, its length within the one around it, its name. */
static const char *named(const char *p, size_t n, const char *op, const char *name, size_t *ret_n)
{
	size_t len = strlen(name), taken;

	for (const char *at = p; (at = memmem(at, n - (size_t)(at - p), op, strlen(op))); at++) {
		size_t inner = package(at + strlen(op), &taken);
		const char *begin = at + strlen(op) + taken;

		if (begin + len > p + n || memcmp(begin, name, len) != 0)
			continue;
		assert_true(inner >= taken + len);
		*ret_n = inner - taken;
		assert_true(begin + *ret_n <= p + n);
		return begin;
	}
	fail_msg("no '%s'", name);
	return NULL;
}

static void slots_for_devices_are_a_program(void **state)
{
	static const unsigned counts[] = { 1, 2, 16, 30 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		auto_str struct str t = STR_INIT(ACPI_TEXT_MAX), l = STR_INIT(ACPI_TEXT_MAX);
		const char *rsdt, *fadt, *dsdt, *sb, *pci, *bridge, *gpe;
		size_t n, sb_n, pci_n, bridge_n, gpe_n;

		acpi_build(1, counts[i], &t, &l);
		assert_false(t.over || l.over);
		for (size_t at = 0; at < l.len; at += 128)
			obey(l.buf + at, &t);
		rsdt = table_at(&t, number(find_root(&t) + 16, 4));
		fadt = find(&t, rsdt, "FACP", &n);
		assert_int_equal(number(fadt + 80, 4), ACPI_HOTPLUG_GPE);
		assert_int_equal(number(fadt + 92, 1), ACPI_HOTPLUG_GPE_SIZE);

		dsdt = table_at(&t, number(fadt + 40, 4));
		n = number(dsdt + 4, 4);
		assert_int_equal(sum(dsdt, n), 0);
		sb = named(dsdt, n, "\x10", "_SB_", &sb_n);
		pci = named(sb, sb_n, "\x5b\x82", "PCI0", &pci_n);
		bridge = named(pci, pci_n, "\x5b\x82", "HPBR\x08_ADR\x0c", &bridge_n);
		assert_int_equal(number(bridge + 10, 4), ACPI_HOTPLUG_BRIDGE << 16);
		for (unsigned slot = ACPI_HOTPLUG_FIRST; slot < ACPI_HOTPLUG_FIRST + counts[i];
		     slot++) {
			auto_free char *name = xasprintf("S%02X_\x08_ADR\x0c", slot);
			size_t slot_n;
			const char *device = named(bridge, bridge_n, "\x5b\x82", name, &slot_n);

			assert_int_equal(number(device + 10, 4), slot << 16);
			/* The last it has: HPEX (mask). */
			assert_memory_equal(device + slot_n - 9, "HPEX\x0c", 5);
			assert_int_equal(number(device + slot_n - 4, 4), 1u << slot);
		}
		/* Everything ends where what is around it ends, and the event is beside it. */
		assert_ptr_equal(bridge + bridge_n, pci + pci_n);
		assert_ptr_equal(pci + pci_n, sb + sb_n);
		gpe = named(dsdt, n, "\x10", "\\_GPE", &gpe_n);
		assert_ptr_equal(gpe + gpe_n, dsdt + n);
		only(gpe, gpe_n, "_E01", 4);
	}
}

static void without_slots_there_is_no_program(void **state)
{
	auto_str struct str t = STR_INIT(ACPI_TEXT_MAX), l = STR_INIT(ACPI_TEXT_MAX);

	(void)state;
	acpi_build(1, 0, &t, &l);
	assert_null(memmem(t.buf, t.len, "HPBR", 4));
	assert_null(memmem(t.buf, t.len, "_GPE", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_firmware_makes_valid_tables_of_it),
		cmocka_unit_test(slots_for_devices_are_a_program),
		cmocka_unit_test(without_slots_there_is_no_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
