/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every driver has to do, with real VMs: one list of cases for one VMM, which KVBOX_TEST_VMM and
 * KVBOX_TEST_ACCEL name (qemu and tcg without them, which works everywhere; the lab runs the others). The
 * guest is conform_guest.c in the initramfs conform.cpio beside this program; the kernel is kvbox's, or what
 * KVBOX_KERNEL names.
 *
 * Nothing waits for a time to pass but where nothing must happen.
 */
#include "tests/unit/unit.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vmm/driver.h"
#include "vmm/saved.h"
#include "vmm/select.h"

/* For a guest in an emulated machine that emulates. */
#define PATIENCE_MS 120000
#define QUIET_MS    400

static struct vmm_choice choice;
static char kernel[PATH_MAX], initramfs[PATH_MAX];

struct fixture {
	char dir[32]; /* with all files, and the run folder "r" */
	char *run_path;
	int dirfd, run, console, log;
	struct vmm vmm;
	int channel; /* of the guest that said hello */
	struct vmm_event last;
	unsigned seen; /* kinds of events, 1 << kind */
};

/* ---- files --------------------------------------------------------------------------------------- */

/* A file of `size` bytes that begins with `text`. */
static char *put_file(struct fixture *f, const char *name, const char *text, off_t size)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(f->dirfd, name, O_RDWR | O_CREAT | O_TRUNC, 0600, &fd, &e));
	assert_ok(fd_write_full(fd, text, strlen(text), &e));
	assert_int_equal(ftruncate(fd, size), 0);
	return xasprintf("%s/%s", f->dir, name);
}

static char *text_of(struct fixture *f, const char *name)
{
	auto_str struct str text = STR_INIT(1 << 20);
	struct err e = ERR_INIT;

	assert_ok(file_read(f->dirfd, name, &text, &e));
	return str_take(&text, &e);
}

static int open_logs(struct fixture *f, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND;

	return fd_open(f->dirfd, "console", flags, 0600, &f->console, e) < 0 ||
			       fd_open(f->dirfd, "log", flags, 0600, &f->log, e) < 0
		       ? -1
		       : 0;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	*state = f;
	f->vmm = (struct vmm)VMM_INIT;
	f->channel = -1;
	strcpy(f->dir, "/tmp/kvbox-conform.XXXXXX");
	if (!mkdtemp(f->dir) || fd_open_dir(AT_FDCWD, f->dir, &f->dirfd, &e) < 0 ||
	    dir_make(f->dirfd, "r", 0700, &e) < 0 || fd_open_dir(f->dirfd, "r", &f->run, &e) < 0 ||
	    open_logs(f, &e) < 0)
		return -1;
	f->run_path = xasprintf("%s/r", f->dir);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	fd_close(f->channel);
	vmm_release(&f->vmm);
	fd_close(f->console);
	fd_close(f->log);
	fd_close(f->run);
	fd_close(f->dirfd);
	free(f->run_path);
	if (dir_remove_tree(AT_FDCWD, f->dir, &e) < 0)
		return -1;
	free(f);
	return 0;
}

static struct vmm_spec spec_of(const struct fixture *f)
{
	return (struct vmm_spec){
		.binary = choice.binary,
		.caps = choice.about.caps,
		.kvm = choice.kvm,
		.kernel = kernel,
		.initramfs = initramfs,
		.memory_mib = 256,
		.vcpus = 1,
		.console_fd = f->console,
		.log_fd = f->log,
		.run_fd = f->run,
		.run_path = f->run_path,
		.vm_lock_fd = -1,
		.cgroup_fd = -1,
		.ram_fd = -1,
		.state_fd = -1,
	};
}

/* ---- waiting ------------------------------------------------------------------------------------- */

static void give_up(struct fixture *f, const char *what)
{
	auto_free char *console = text_of(f, "console"), *log = text_of(f, "log");

	fail_msg("%s\nconsole: %s\nlog: %s", what, console, log);
}

/* Takes the events that have come: false at the end of the control connection. */
static bool take_events(struct fixture *f)
{
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int r;

	while ((r = vmm_event(&f->vmm, &ev, &e)) > 0) {
		assert_true(ev.kind < VMM_EVENT_COUNT);
		f->seen |= 1u << ev.kind;
		f->last = ev;
	}
	return r == 0;
}

/* Waits for the descriptor (-1: none), taking events meanwhile; false: that many ms have passed. */
static bool wait_for(struct fixture *f, int fd, int ms)
{
	int64_t deadline = clock_monotonic() + (int64_t)ms * 1000000;
	bool more = true;

	for (;;) {
		struct pollfd p[] = { { fd, POLLIN, 0 },
				      { more ? f->vmm.control : -1, POLLIN, 0 } };
		int64_t left = (deadline - clock_monotonic()) / 1000000;

		if (left < 0 || poll(p, ARRAY_LEN(p), (int)left + 1) < 0)
			return false;
		if (p[1].revents)
			more = take_events(f);
		if (p[0].revents)
			return true;
	}
}

/* Until an event of one of these kinds (1 << kind) has come. */
static void wait_event(struct fixture *f, unsigned kinds, const char *what)
{
	int64_t deadline = clock_monotonic() + (int64_t)PATIENCE_MS * 1000000;

	while (!(f->seen & kinds)) {
		struct pollfd p = { f->vmm.control, POLLIN, 0 };

		if (clock_monotonic() > deadline)
			give_up(f, what);
		poll(&p, 1, 1000);
		if (!take_events(f) && !(f->seen & kinds))
			give_up(f, what);
	}
}

static void wait_done(struct fixture *f, int request)
{
	assert_true(request > 0);
	f->seen &= ~(1u << VMM_EVENT_DONE);
	wait_event(f, 1u << VMM_EVENT_DONE, "the VMM did not answer");
	assert_int_equal(f->last.request, request);
	if (f->last.failed)
		give_up(f, f->last.text);
}

/* Waits for the end of the process, and returns how it ended. */
static int wait_end(struct fixture *f)
{
	struct err e = ERR_INIT;
	int status;

	if (!wait_for(f, f->vmm.proc.pidfd, PATIENCE_MS))
		give_up(f, "the VMM does not end");
	/* What it said last. */
	take_events(f);
	assert_ok(spawn_wait(&f->vmm.proc, &status, &e));
	return status;
}

/* ---- the guest ----------------------------------------------------------------------------------- */

static const char *hear(struct fixture *f)
{
	static char line[512];
	size_t n = 0;

	while (n == 0 || line[n - 1] != '\n') {
		if (!wait_for(f, f->channel, PATIENCE_MS))
			give_up(f, "the guest does not answer");
		if (n == sizeof(line) - 1 || read(f->channel, line + n, 1) != 1)
			give_up(f, "the guest's channel has ended");
		n++;
	}
	line[n - 1] = '\0';
	return line;
}

static void tell(struct fixture *f, const char *line)
{
	struct err e = ERR_INIT;

	assert_ok(fd_write_full(f->channel, line, strlen(line), &e));
	assert_ok(fd_write_full(f->channel, "\n", 1, &e));
}

static const char *ask(struct fixture *f, const char *line)
{
	tell(f, line);
	return hear(f);
}

static void start(struct fixture *f, const struct vmm_spec *spec)
{
	struct err e = ERR_INIT;

	f->seen = 0;
	if (vmm_start(choice.driver, spec, &f->vmm, &e) < 0)
		give_up(f, e.msg);
}

static void expect_hello(struct fixture *f)
{
	struct err e = ERR_INIT;

	if (f->vmm.channel_kind == VMM_CHANNEL_VSOCK) {
		if (!wait_for(f, f->vmm.channel, PATIENCE_MS))
			give_up(f, "the guest does not dial");
		assert_ok(sock_accept(f->vmm.channel, &f->channel, &e));
		/* A guest that is to be saved dials on until nobody answers. */
		fd_close(take_fd(&f->vmm.channel));
	} else {
		f->channel = take_fd(&f->vmm.channel);
	}
	assert_string_equal(hear(f), "hello");
}

static void start_to_hello(struct fixture *f)
{
	const struct vmm_spec spec = spec_of(f);

	start(f, &spec);
	expect_hello(f);
}

/* ---- cases --------------------------------------------------------------------------------------- */

static void a_guest_says_hello_and_its_power_off_is_the_end(void **state)
{
	struct fixture *f = *state;

	start_to_hello(f);
	wait_event(f, 1u << VMM_EVENT_READY, "the VMM is not ready");
	tell(f, "off");
	assert_int_equal(wait_end(f), 0);
	assert_true(f->seen & 1u << VMM_EVENT_SHUTDOWN);
	assert_false(f->seen & (1u << VMM_EVENT_PANIC | 1u << VMM_EVENT_RESET));
}

static void disks_are_found_by_serial_and_hold_what_they_should(void **state)
{
	struct fixture *f = *state;
	auto_free char *ro = put_file(f, "ro", "readonly", 1 << 20);
	auto_free char *rw = put_file(f, "rw, [x]", "writable", 1 << 20);
	const struct vmm_file files[] = { { ro, 1 << 20 }, { rw, 1 << 20 } };
	const struct vmm_disk disks[] = { { "kvb-ro", true, false, &files[0], 1 },
					  { "kvb-rw", false, false, &files[1], 1 } };
	struct vmm_spec spec = spec_of(f);
	auto_free char *kept = NULL;
	const char *list;

	spec.disks = disks;
	spec.ndisks = ARRAY_LEN(disks);
	start(f, &spec);
	expect_hello(f);
	list = ask(f, "disks");
	assert_non_null(strstr(list, "kvb-ro 2048 1"));
	assert_non_null(strstr(list, "kvb-rw 2048 0"));
	assert_string_equal(ask(f, "read kvb-ro 0"), "readonly");
	assert_string_equal(ask(f, "read kvb-rw 0"), "writable");
	/* The first sector too, which a VMM that guesses formats protects. */
	assert_string_equal(ask(f, "write kvb-rw 0 changed!"), "ok");
	assert_true(str_has_prefix(ask(f, "write kvb-ro 0 changed!"), "error "));
	kept = text_of(f, "rw, [x]");
	assert_true(str_has_prefix(kept, "changed!"));
}

static void files_are_joined_to_one_disk(void **state)
{
	struct fixture *f = *state;
	auto_free char *a = put_file(f, "a", "first", 4096), *b = put_file(f, "b", "second", 8192);
	auto_free char *pad = xasprintf("%s/pad", f->dir);
	const struct vmm_file files[] = { { a, 4096 }, { b, 8192 } };
	const struct vmm_disk disk = { "kvb-joined", true, true, files, 2 };
	struct vmm_spec spec = spec_of(f);
	struct err e = ERR_INIT;

	if (!(choice.about.caps & VMM_CAP_JOINED)) {
		assert_int_equal(vmm_start(choice.driver,
					   &(struct vmm_spec){ .caps = choice.about.caps,
							       .kvm = choice.kvm,
							       .memory_mib = 64,
							       .vcpus = 1,
							       .disks = &disk,
							       .ndisks = 1,
							       .pad = pad },
					   &f->vmm, &e),
				 -1);
		assert_non_null(strstr(e.msg, "cannot join"));
		return;
	}
	assert_ok(vmm_pad_make(f->dirfd, "pad", &e));
	spec.disks = &disk;
	spec.ndisks = 1;
	spec.pad = pad;
	start(f, &spec);
	expect_hello(f);
	assert_string_equal(ask(f, "disks"), "kvb-joined 134217728 1");
	assert_string_equal(ask(f, "read kvb-joined 0"), "first");
	assert_string_equal(ask(f, "read kvb-joined 4096"), "second");
	assert_string_equal(ask(f, "read kvb-joined 12288"), "");
}

static void a_paused_guest_stands_still_until_it_is_resumed(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	start_to_hello(f);
	wait_done(f, vmm_pause(&f->vmm, &e));
	tell(f, "words");
	assert_false(wait_for(f, f->channel, QUIET_MS));
	wait_done(f, vmm_resume(&f->vmm, &e));
	assert_non_null(strstr(hear(f), "kvbox.channel="));
	/* Not broken, not ended, and it can be done again. */
	assert_false(f->seen & ~(1u << VMM_EVENT_READY | 1u << VMM_EVENT_DONE));
	wait_done(f, vmm_pause(&f->vmm, &e));
	wait_done(f, vmm_resume(&f->vmm, &e));
}

static void a_stop_is_noticed_and_frees_the_lock(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_close int lock = -1, probe = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(f->dirfd, "lock", O_RDWR | O_CREAT, 0600, &lock, &e));
	assert_ok(fd_open(f->dirfd, "lock", O_RDWR, 0, &probe, &e));
	assert_int_equal(fd_lock(lock, LOCK_EXCLUSIVE, false, &e), 1);
	spec.vm_lock_fd = lock;
	start(f, &spec);
	fd_close(take_fd(&lock));
	expect_hello(f);
	assert_int_equal(fd_lock_is_held(probe, &e), 1);
	assert_ok(vmm_stop(&f->vmm, &e));
	assert_int_equal(wait_end(f), 128 + SIGKILL);
	assert_int_equal(fd_lock_is_held(probe, &e), 0);
	assert_ok(vmm_stop(&f->vmm, &e)); /* no error when it has ended already */
}

static void a_crash_is_the_end_of_both_connections(void **state)
{
	struct fixture *f = *state;
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int got;

	start_to_hello(f);
	/* It may have a handler for this one, which says something first. */
	assert_ok(proc_signal(&f->vmm.proc, SIGABRT, &e));
	assert_int_equal(wait_end(f), 128 + SIGABRT);
	while ((got = vmm_event(&f->vmm, &ev, &e)) > 0)
		assert_int_not_equal(ev.kind, VMM_EVENT_SHUTDOWN);
	assert_int_equal(got, -1);
}

static void a_panic_is_told_and_its_words_are_kept(void **state)
{
	struct fixture *f = *state;
	auto_free char *console = NULL;
	struct err e = ERR_INIT;

	start_to_hello(f);
	tell(f, "panic");
	wait_event(f, 1u << VMM_EVENT_PANIC, "nobody tells of the panic");
	assert_ok(vmm_stop(&f->vmm, &e));
	wait_end(f);
	console = text_of(f, "console");
	assert_non_null(strstr(console, "Kernel panic"));
}

static void a_reset_is_the_end_and_not_a_second_boot(void **state)
{
	struct fixture *f = *state;

	start_to_hello(f);
	tell(f, "reboot");
	wait_end(f);
	assert_true(f->seen & 1u << VMM_EVENT_RESET);
	assert_false(f->seen & 1u << VMM_EVENT_SHUTDOWN);
}

static void a_folder_with_a_long_path_will_do(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char name[121];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_ok(dir_make(f->dirfd, name, 0700, &e));
	fd_close(take_fd(&f->run));
	assert_ok(fd_open_dir(f->dirfd, name, &f->run, &e));
	free(f->run_path);
	f->run_path = xasprintf("%s/%s", f->dir, name);
	start_to_hello(f);
}

static void what_a_crash_left_is_not_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	start_to_hello(f);
	assert_ok(vmm_stop(&f->vmm, &e));
	wait_end(f);
	vmm_release(&f->vmm);
	fd_close(take_fd(&f->channel));
	start_to_hello(f);
}

static void a_vmm_that_hangs_can_be_stopped(void **state)
{
	struct fixture *f = *state;
	struct vmm_event ev;
	struct err e = ERR_INIT;

	start_to_hello(f);
	wait_event(f, 1u << VMM_EVENT_READY, "the VMM is not ready");
	assert_ok(proc_signal(&f->vmm.proc, SIGSTOP, &e));
	/* None of these waits for it. */
	assert_true(vmm_pause(&f->vmm, &e) > 0);
	assert_true(vmm_resume(&f->vmm, &e) > 0);
	assert_int_equal(vmm_event(&f->vmm, &ev, &e), 0);
	assert_ok(vmm_stop(&f->vmm, &e));
	assert_int_equal(wait_end(f), 128 + SIGKILL);
}

static void a_start_that_fails_says_why_in_the_log(void **state)
{
	struct fixture *f = *state;
	auto_free char *bad = put_file(f, "bad-kernel", "no kernel", 8192), *log = NULL;
	struct vmm_spec spec = spec_of(f);

	spec.kernel = bad;
	start(f, &spec);
	assert_int_not_equal(wait_end(f), 0);
	log = text_of(f, "log");
	assert_true(strlen(log) > 10);
}

static void two_vms_share_a_disk_that_is_read_only(void **state)
{
	struct fixture *f = *state, *other;
	auto_free char *path = put_file(f, "ro", "shared", 1 << 20);
	const struct vmm_file file = { path, 1 << 20 };
	const struct vmm_disk disk = { "kvb-ro", true, false, &file, 1 };
	struct vmm_spec spec = spec_of(f);
	void *second = NULL;

	spec.disks = &disk;
	spec.ndisks = 1;
	start(f, &spec);
	expect_hello(f);
	assert_int_equal(setup(&second), 0);
	other = second;
	spec.run_fd = other->run;
	spec.run_path = other->run_path;
	spec.console_fd = other->console;
	start(other, &spec);
	expect_hello(other);
	assert_string_equal(ask(other, "read kvb-ro 0"), "shared");
	assert_string_equal(ask(f, "read kvb-ro 0"), "shared");
	assert_int_equal(teardown(&second), 0);
}

static void a_binary_that_will_not_do_is_refused(void **state)
{
	/* the head of an executable for RISC-V */
	static const char other_machine[64] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\363\0\1";
	static const struct {
		const char *text, *why; /* NULL: no file */
	} cases[] = {
		{ NULL, "not a program" },
		{ "#!/bin/sh\necho cloud-hypervisor v50.0, QEMU version 7.1\n", "too old" },
		{ other_machine, "cannot be used" },
	};
	const struct vmm_wish wish = { choice.driver->name, choice.kvm ? "kvm" : "tcg", -1 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *path = xasprintf("%s/vmm", f->dir);
		auto_free char *before = xstrdup(getenv(choice.driver->env));
		auto_vmm_choice struct vmm_choice c = VMM_CHOICE_INIT;
		struct err e = ERR_INIT;

		if (cases[i].text)
			assert_ok(file_write_replace(f->dirfd, "vmm", cases[i].text,
						     cases[i].text == other_machine
							     ? sizeof(other_machine)
							     : strlen(cases[i].text),
						     0700, &e));
		setenv(choice.driver->env, path, 1);
		assert_fails(vmm_select(&wish, &c, &e), cases[i].why);
		if (before)
			setenv(choice.driver->env, before, 1);
		else
			unsetenv(choice.driver->env);
	}
}

/* What is saved, and what goes on from it. */
struct saved {
	int ram;     /* as the VMM left it */
	int sealed;  /* the same for copies */
	char *state; /* file */
	char *slot;  /* the file behind the saved VM's disk */
};

static struct vmm_spec saved_spec(const struct fixture *f, const struct vmm_disk *disk,
				  enum vmm_saving saving, int ram, int state)
{
	struct vmm_spec spec = spec_of(f);

	spec.disks = disk;
	spec.ndisks = 1;
	spec.saving = saving;
	spec.ram_fd = ram;
	spec.state_fd = state;
	return spec;
}

static void save_a_vm(struct fixture *f, struct saved *s)
{
	struct vmm_file file = { .size = 1 << 20 };
	const struct vmm_disk disk = { "kvb-slot", true, false, &file, 1 };
	auto_close int state = -1;
	struct vmm_spec spec;
	struct err e = ERR_INIT;

	file.path = s->slot = put_file(f, "slot", "", 1 << 20);
	assert_ok(vmm_ram_new((uint64_t)256 << 20, &s->ram, &e));
	assert_ok(fd_open(f->dirfd, "state", O_RDWR | O_CREAT, 0600, &state, &e));
	s->state = xasprintf("%s/state", f->dir);
	spec = saved_spec(f, &disk, VMM_TO_BE_SAVED, s->ram, state);
	start(f, &spec);
	expect_hello(f);
	assert_string_equal(ask(f, "fill 24"), "ok");
	assert_string_equal(ask(f, "rest"), "ok");
	wait_done(f, vmm_save(&f->vmm, &e));
	assert_ok(vmm_stop(&f->vmm, &e));
	wait_end(f);
	vmm_release(&f->vmm);
	fd_close(take_fd(&f->channel));
	assert_ok(vmm_ram_load(s->ram, &s->sealed, &e));
}

/* A copy with another file behind the disk, in a folder of its own. */
static struct fixture *start_copy(const struct saved *s, const char *text)
{
	void *made = NULL;
	struct fixture *f;
	struct vmm_file file = { .size = 1 << 20 };
	const struct vmm_disk disk = { "kvb-slot", true, false, &file, 1 };
	auto_free char *path = NULL;
	auto_close int state = -1;
	struct vmm_spec spec;
	struct err e = ERR_INIT;

	assert_int_equal(setup(&made), 0);
	f = made;
	file.path = path = put_file(f, "other", text, 1 << 20);
	assert_ok(fd_open(AT_FDCWD, s->state, O_RDONLY, 0, &state, &e));
	spec = saved_spec(f, &disk, VMM_FROM_SAVED, s->sealed, state);
	start(f, &spec);
	if (f->vmm.channel_kind == VMM_CHANNEL_VSOCK)
		expect_hello(f);
	else
		f->channel = take_fd(&f->vmm.channel);
	return f;
}

static void end_copy(struct fixture *f)
{
	void *state = f;

	assert_int_equal(teardown(&state), 0);
}

static void copies_of_a_saved_vm_go_on_and_do_not_disturb_each_other(void **state)
{
	struct saved s = { -1, -1, NULL, NULL };
	struct fixture *a, *b, *c;

	if (!(choice.about.caps & VMM_CAP_SAVE))
		return;
	save_a_vm(*state, &s);
	a = start_copy(&s, "a's file");
	b = start_copy(&s, "b's file");
	assert_string_equal(ask(a, "check"), "intact");
	assert_string_equal(ask(a, "read kvb-slot 0"), "a's file");
	assert_string_equal(ask(b, "read kvb-slot 0"), "b's file");
	/* What one gives back, and writes anew, the others still have: those that run and those to come. */
	assert_string_equal(ask(a, "free"), "ok");
	assert_string_equal(ask(a, "fill 48"), "ok");
	assert_string_equal(ask(a, "free"), "ok");
	/* The guest reports its free pages two seconds later. */
	assert_false(wait_for(a, a->channel, 3000));
	assert_string_equal(ask(b, "check"), "intact");
	c = start_copy(&s, "c's file");
	assert_string_equal(ask(c, "check"), "intact");
	assert_string_equal(ask(c, "read kvb-slot 0"), "c's file");
	end_copy(a);
	end_copy(b);
	end_copy(c);
	fd_close(s.ram);
	fd_close(s.sealed);
	free(s.state);
	free(s.slot);
}

/* ---- which VMM ----------------------------------------------------------------------------------- */

static void find_beside(const char *self, const char *name, char ret[PATH_MAX])
{
	const char *slash = strrchr(self, '/');

	snprintf(ret, PATH_MAX, "%.*s/%s", (int)(slash - self), self, name);
}

static int choose(void **state)
{
	const char *vmm = getenv("KVBOX_TEST_VMM"), *accel = getenv("KVBOX_TEST_ACCEL");
	const struct vmm_wish wish = { vmm ? vmm : "qemu", accel ? accel : "tcg", -1 };
	const char *named = getenv("KVBOX_KERNEL");
	struct err e = ERR_INIT;
	char *self;

	(void)state;
	self = proc_own_path(&e);
	if (!self)
		return -1;
	find_beside(self, "conform.cpio", initramfs);
	find_beside(self, "../../libexec/kvbox/vmlinux", kernel);
	free(self);
	if (named && *named)
		snprintf(kernel, sizeof(kernel), "%s", named);
	if (vmm_select(&wish, &choice, &e) < 0) {
		print_error("%s\n", e.msg);
		return -1;
	}
	return 0;
}

static int forget(void **state)
{
	(void)state;
	vmm_choice_release(&choice);
	return 0;
}

int main(void)
{
#define WITH_FILES(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FILES(a_guest_says_hello_and_its_power_off_is_the_end),
		WITH_FILES(disks_are_found_by_serial_and_hold_what_they_should),
		WITH_FILES(files_are_joined_to_one_disk),
		WITH_FILES(a_paused_guest_stands_still_until_it_is_resumed),
		WITH_FILES(a_stop_is_noticed_and_frees_the_lock),
		WITH_FILES(a_crash_is_the_end_of_both_connections),
		WITH_FILES(a_panic_is_told_and_its_words_are_kept),
		WITH_FILES(a_reset_is_the_end_and_not_a_second_boot),
		WITH_FILES(a_folder_with_a_long_path_will_do),
		WITH_FILES(what_a_crash_left_is_not_in_the_way),
		WITH_FILES(a_vmm_that_hangs_can_be_stopped),
		WITH_FILES(a_start_that_fails_says_why_in_the_log),
		WITH_FILES(two_vms_share_a_disk_that_is_read_only),
		WITH_FILES(copies_of_a_saved_vm_go_on_and_do_not_disturb_each_other),
		WITH_FILES(a_binary_that_will_not_do_is_refused),
	};

	return cmocka_run_group_tests_name("conform", tests, choose, forget);
}
