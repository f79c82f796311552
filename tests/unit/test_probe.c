/* SPDX-License-Identifier: Apache-2.0 */
/* The KVM probe, on machines made of a few files. */
#include "tests/unit/unit.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/str.h"
#include "vmm/probe.h"

static int created;

static int creates(int kvm_fd, struct err *e)
{
	(void)e;
	assert_true(kvm_fd >= 0);
	created++;
	return 0;
}

static int refuses(int kvm_fd, struct err *e)
{
	(void)kvm_fd;
	created++;
	return err_set(e, ERR_UNAVAILABLE, "KVM cannot create a VM: No space left");
}

struct machine {
	char dir[64];
	int root, run;
};

static void put(int dirfd, const char *path, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(dirfd, path, text, strlen(text), 0600, &e));
}

#define BOOT "proc/sys/kernel/random/boot_id"

static int setup(void **state)
{
	static struct machine m;
	struct err e = ERR_INIT;

	strcpy(m.dir, "/tmp/kvbox-test-probe.XXXXXX");
	if (!mkdtemp(m.dir) || fd_open_dir(AT_FDCWD, m.dir, &m.root, &e) < 0)
		return -1;
	if (dir_make(m.root, "dev", 0700, &e) < 0 ||
	    dir_make(m.root, "proc/sys/kernel/random", 0700, &e) < 0 ||
	    dir_make(m.root, "sys/module/kvm_intel", 0700, &e) < 0 ||
	    dir_make(m.root, "sys/module/kvm_amd", 0700, &e) < 0 ||
	    dir_make(m.root, "run", 0700, &e) < 0 || fd_open_dir(m.root, "run", &m.run, &e) < 0)
		return -1;
	put(m.root, BOOT, "boot-1\n");
	put(m.root, "dev/kvm", "");
	created = 0;
	*state = &m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;
	struct err e = ERR_INIT;

	fd_close(m->root);
	fd_close(m->run);
	return dir_remove_tree(AT_FDCWD, m->dir, &e);
}

static struct kvm_state probe(const struct machine *m)
{
	const struct kvm_probe p = { .root = m->root, .run_fd = m->run, .create_vm = creates };
	struct kvm_state s;

	kvm_probe_run(&p, &s);
	return s;
}

static void hardware_is_recognised_by_flag_or_loaded_module(void **state)
{
	static const struct {
		const char *cpuinfo, *intel, *amd;
		bool usable;
		const char *reason;
	} cases[] = {
		{ "processor\t: 0\nflags\t\t: fpu vmx sse\n", NULL, NULL, true, "vmx" },
		{ "flags\t\t: svm\n", NULL, NULL, true, "svm" },
		{ "flags\t\t: fpu svm", NULL, NULL, true, "svm" },
		{ "flags\t\t: fpu svm_lock avmx vmxx\n", NULL, NULL, false, "neither vmx nor svm" },
		{ "vmx flags\t\t: fpu\nbugs\t: vmx\n", NULL, NULL, false, "neither vmx nor svm" },
		{ "model name\t: vmx\nflags\t\t: fpu\nvmx flags\t: vmx\n", NULL, NULL, false,
		  "neither" },
		{ "flags\t\t: fpu\n", "live\n", NULL, true, "kvm_intel" },
		{ "flags\t\t: fpu\n", NULL, "live\n", true, "kvm_amd" },
		{ "flags\t\t: fpu\n", "coming\n", NULL, false, "neither vmx nor svm" },
		{ "", NULL, NULL, false, "neither vmx nor svm" },
		{ NULL, NULL, NULL, false, "neither vmx nor svm" },
	};
	const struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		static const char *const names[] = { "proc/cpuinfo",
						     "sys/module/kvm_intel/initstate",
						     "sys/module/kvm_amd/initstate", "run/kvm" };
		const char *const texts[] = { cases[i].cpuinfo, cases[i].intel, cases[i].amd,
					      NULL };
		struct kvm_state s;
		struct err e = ERR_INIT;

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			assert_ok(file_remove(m->root, names[k], &e));
			if (texts[k])
				put(m->root, names[k], texts[k]);
		}
		s = probe(m);
		if (s.usable != cases[i].usable || !strstr(s.reason, cases[i].reason))
			fail_msg("case %zu: %d %s", i, s.usable, s.reason);
	}
}

static void a_machine_without_the_device_says_so(void **state)
{
	const struct machine *m = *state;
	struct kvm_state s;
	struct err e = ERR_INIT;

	put(m->root, "proc/cpuinfo", "flags : svm\n");
	assert_ok(file_remove(m->root, "dev/kvm", &e));
	s = probe(m);
	assert_false(s.usable);
	assert_string_equal(s.reason, "there is no /dev/kvm");
	/* Not a file that can be opened for writing: any other error. */
	assert_ok(dir_make(m->root, "dev/kvm", 0700, &e));
	s = probe(m);
	assert_false(s.usable);
	assert_non_null(strstr(s.reason, "cannot be opened (Is a directory)"));
	assert_int_equal(created, 0);
}

static void a_vm_that_cannot_be_created_decides(void **state)
{
	const struct machine *m = *state;
	const struct kvm_probe p = { .root = m->root, .run_fd = m->run, .create_vm = refuses };
	struct kvm_state s;

	put(m->root, "proc/cpuinfo", "flags : svm\n");
	kvm_probe_run(&p, &s);
	assert_false(s.usable);
	assert_string_equal(s.reason, "KVM cannot create a VM: No space left");
	kvm_probe_run(&p, &s);
	assert_int_equal(created, 2); /* that may have been for a moment only */
}

static void success_is_remembered_until_the_host_boots_again(void **state)
{
	const struct machine *m = *state;

	put(m->root, "proc/cpuinfo", "flags : svm\n");
	assert_true(probe(m).usable);
	assert_true(probe(m).usable);
	assert_string_equal(probe(m).reason, "svm");
	assert_int_equal(created, 1);
	put(m->root, BOOT, "boot-2\n");
	assert_true(probe(m).usable);
	assert_int_equal(created, 2);
}

static void arm64_needs_no_flag(void **state)
{
	const struct machine *m = *state;
	const struct kvm_probe p = {
		.root = m->root, .run_fd = -1, .arm64 = true, .create_vm = creates
	};
	struct kvm_state s;

	kvm_probe_run(&p, &s);
	assert_true(s.usable);
	kvm_probe_run(&p, &s);
	assert_int_equal(created, 2); /* nowhere to remember it */
}

static void a_failure_counts_for_this_boot_only(void **state)
{
	const struct machine *m = *state;
	struct kvm_state s;

	put(m->root, "proc/cpuinfo", "flags : svm\n");
	put(m->run, "kvm", "boot-1\nbad no answer\nrest\n");
	s = probe(m);
	assert_false(s.usable);
	assert_non_null(strstr(s.reason, "since the host booted: no answer"));
	assert_null(strstr(s.reason, "rest"));
	assert_int_equal(created, 0);
	put(m->run, "kvm", "boot-11\nbad no answer\n");
	assert_true(probe(m).usable);
}

static void a_damaged_memory_is_no_memory(void **state)
{
	static const char *const texts[] = { "",	   "boot-1",	"boot-1\n",
					     "boot-1\nba", "\nbad x\n", "boot-1 \nbad x\n" };
	const struct machine *m = *state;

	put(m->root, "proc/cpuinfo", "flags : svm\n");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put(m->run, "kvm", texts[i]);
		assert_true(probe(m).usable);
	}
}

static void this_machine_can_be_marked_bad_and_good_again(void **state)
{
	const struct machine *m = *state;
	auto_str struct str text = STR_INIT(4096);
	struct kvm_state s;
	struct err e = ERR_INIT;

	assert_ok(kvm_mark_bad(m->run, "no HELLO\nin \x01time", &e));
	assert_ok(file_read(m->run, "kvm", &text, &e));
	assert_non_null(strstr(text.buf, "\nbad no HELLO?in ?time\n"));
	kvm_check(m->run, &s);
	assert_false(s.usable);
	assert_non_null(strstr(s.reason, "no HELLO?in ?time"));
	assert_ok(kvm_mark_good(m->run, &e));
	assert_ok(kvm_mark_good(m->run, &e));
	kvm_check(m->run, &s);
	assert_null(strstr(s.reason, "no HELLO"));
}

static void the_real_probe_gives_a_reason(void **state)
{
	struct kvm_state s = { .reason = "" };

	(void)state;
	kvm_check(-1, &s);
	assert_true(strlen(s.reason) > 0);
}

int main(void)
{
#define ON_A_MACHINE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		ON_A_MACHINE(hardware_is_recognised_by_flag_or_loaded_module),
		ON_A_MACHINE(a_machine_without_the_device_says_so),
		ON_A_MACHINE(a_vm_that_cannot_be_created_decides),
		ON_A_MACHINE(success_is_remembered_until_the_host_boots_again),
		ON_A_MACHINE(arm64_needs_no_flag),
		ON_A_MACHINE(a_failure_counts_for_this_boot_only),
		ON_A_MACHINE(a_damaged_memory_is_no_memory),
		ON_A_MACHINE(this_machine_can_be_marked_bad_and_good_again),
		cmocka_unit_test(the_real_probe_gives_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
