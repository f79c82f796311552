/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/state.h"

struct place {
	char path[64];
	int fd;
};

static int up(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	struct err e = ERR_INIT;

	strcpy(p->path, "/tmp/kvbox-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	assert_ok(fd_open_dir(AT_FDCWD, p->path, &p->fd, &e));
	*state = p;
	return 0;
}

static int down(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	fd_close(p->fd);
	assert_ok(dir_remove_tree(AT_FDCWD, p->path, &e));
	free(p);
	return 0;
}

static void every_phase_comes_back_with_all_that_was_written(void **state)
{
	struct place *p = *state;
	char cgroup[] = "/sys/fs/cgroup/kvbox/x", error[] = "a \"quoted\"\nline";
	char confinement[] = "{\"User\":2000000001}";

	for (int phase = 0; phase < VM_PHASE_COUNT; phase++) {
		struct vmstate s = { .phase = (enum vmstate_phase)phase,
				     .pid = 12,
				     .pid_start = INT64_MAX,
				     .vmm_pid = 13,
				     .vmm_start = 14,
				     .cgroup = cgroup,
				     .started_at = 15,
				     .finished_at = 16,
				     .exit_code = 255,
				     .oom = true,
				     .error = error,
				     .confinement = confinement };
		auto_vmstate struct vmstate back = VMSTATE_INIT;
		struct err e = ERR_INIT;

		assert_ok(vmstate_write(p->fd, &s, &e));
		assert_ok(vmstate_read(p->fd, &back, &e));
		assert_int_equal(back.phase, phase);
		assert_int_equal(back.pid, 12);
		assert_int_equal(back.pid_start, INT64_MAX);
		assert_int_equal(back.vmm_pid, 13);
		assert_int_equal(back.vmm_start, 14);
		assert_string_equal(back.cgroup, cgroup);
		assert_int_equal(back.started_at, 15);
		assert_int_equal(back.finished_at, 16);
		assert_int_equal(back.exit_code, 255);
		assert_true(back.oom);
		assert_string_equal(back.error, error);
		assert_string_equal(back.confinement, confinement);
		assert_string_equal(back.driver, "");
	}
}

static void none_and_damage_are_told_apart(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"null",
		"{\"format\":1}",
		"{\"format\":2,\"state\":\"running\",\"pid\":1,\"pid_start\":1}",
		"{\"format\":1,\"state\":\"asleep\",\"pid\":1,\"pid_start\":1}",
		"{\"format\":1,\"state\":\"running\",\"pid\":\"1\",\"pid_start\":1}",
	};
	struct place *p = *state;
	struct vmstate s = VMSTATE_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(vmstate_read(p->fd, &s, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&e);
		assert_ok(
			file_write_replace(p->fd, VMSTATE_FILE, bad[i], strlen(bad[i]), 0600, &e));
		assert_int_equal(vmstate_read(p->fd, &s, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_phase_comes_back_with_all_that_was_written,
						up, down),
		cmocka_unit_test_setup_teardown(none_and_damage_are_told_apart, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
