/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/random.h"
#include "engine/cgroup.h"

#define MIB ((uint64_t)1 << 20)

static void new_name(char ret[13])
{
	char id[ID_TEXT_SIZE];

	random_id(id);
	memcpy(ret, id, 12);
	ret[12] = '\0';
}

static void count(void *ctx, const char *path)
{
	assert_int_equal(access(path, F_OK), 0);
	++*(int *)ctx;
}

static void every_limit_is_set_or_missing_with_a_reason(void **state)
{
	static const char *const words[] = { "MiB of memory", "processors", "threads" };
	static const char *const controllers[] = { "memory", "cpu", "pids" };
	const struct cgroup_limits limits = { 100 * MIB, 2, 50 };
	auto_cgroup_vm struct cgroup_vm c = CGROUP_VM_INIT;
	char name[13];
	int n = 0;

	(void)state;
	new_name(name);
	cgroup_vm_make(name, &limits, &c);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_true((strstr(c.limits.buf, words[i]) != NULL) !=
			    (strstr(c.missing.buf, controllers[i]) != NULL));
	assert_int_equal(c.nprocs > 0, c.limits.len > 0);
	cgroup_vm_each(name, count, &n);
	assert_true(n >= (int)c.nprocs);
	assert_false(cgroup_vm_ran_out(name));
	cgroup_vm_release(&c);
	cgroup_vm_remove(name);
	n = 0;
	cgroup_vm_each(name, count, &n);
	assert_int_equal(n, 0);
}

static void limits_can_be_changed(void **state)
{
	const struct cgroup_limits first = { 100 * MIB, 1, 50 }, second = { 200 * MIB, 3, 60 };
	auto_cgroup_vm struct cgroup_vm a = CGROUP_VM_INIT, b = CGROUP_VM_INIT;
	char name[13];

	(void)state;
	new_name(name);
	cgroup_vm_make(name, &first, &a);
	if (a.missing.len > 0) {
		cgroup_vm_remove(name);
		cgroup_vm_release(&a); /* skip() leaves without it */
		skip();
	}
	assert_string_equal(a.limits.buf, "100 MiB of memory, 1 processors, 50 threads");
	cgroup_vm_make(name, &second, &b);
	assert_string_equal(b.limits.buf, "200 MiB of memory, 3 processors, 60 threads");
	cgroup_vm_remove(name);
}

static void a_cgroup_that_is_not_there_has_run_out_of_nothing(void **state)
{
	char name[13];
	int n = 0;

	(void)state;
	new_name(name);
	assert_false(cgroup_vm_ran_out(name));
	cgroup_vm_each(name, count, &n);
	assert_int_equal(n, 0);
	cgroup_vm_remove(name);
}

/* In all places; those of the VMMs come into being, where they can, as they do for one. */
static void make_all(const char *name)
{
	const struct cgroup_limits limits = { 100 * MIB, 1, 50 };
	auto_cgroup_vm struct cgroup_vm c = CGROUP_VM_INIT;

	cgroup_vm_make(name, &limits, &c);
	for (const char *const *place = cgroup_places; *place; place++) {
		auto_free char *path = xasprintf("%s/%s", *place, name);

		(void)!mkdir(path, 0755);
	}
}

/* How many of its folders there are; with `age` they are made as old as that. */
static int folders(const char *name, time_t age)
{
	const struct timespec times[] = { { time(NULL) - age, 0 }, { time(NULL) - age, 0 } };
	int n = 0;

	for (const char *const *place = cgroup_places; *place; place++) {
		auto_free char *path = xasprintf("%s/%s", *place, name);

		if (age > 0 ? utimensat(AT_FDCWD, path, times, 0) == 0 : access(path, F_OK) == 0)
			n++;
	}
	return n;
}

static void what_nobody_was_in_for_long_is_swept_away(void **state)
{
	char old[13], young[13];
	int n;

	(void)state;
	new_name(old);
	new_name(young);
	make_all(old);
	make_all(young);
	n = folders(old, 300);
	assert_int_equal(folders(young, 0), n);
	cgroup_sweep();
	assert_int_equal(folders(old, 0), 0);
	assert_int_equal(folders(young, 0), n);
	folders(young, 300);
	cgroup_sweep();
	assert_int_equal(folders(young, 0), 0);
	if (n == 0)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_limit_is_set_or_missing_with_a_reason),
		cmocka_unit_test(limits_can_be_changed),
		cmocka_unit_test(a_cgroup_that_is_not_there_has_run_out_of_nothing),
		cmocka_unit_test(what_nobody_was_in_for_long_is_swept_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
