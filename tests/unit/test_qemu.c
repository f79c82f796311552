/* SPDX-License-Identifier: Apache-2.0 */
/* The QEMU driver: what messages mean, and real QEMU processes with kernels of a few bytes. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/driver.h"
#include "vmm/qemu.h"
#include "vmm/qemu_priv.h"
#include "vmm/select.h"

/* ---- messages ------------------------------------------------------------------------------------ */

struct message_case {
	const char *line;
	enum qemu_step step;
	enum vmm_event_kind kind;
	unsigned request;
	bool failed;
	const char *text;
};

/* As sent by QEMU 7.2, times left out. Ids: 1 is the handshake, 2 our own query-status, 3 a request. */
static const struct message_case messages[] = {
	{ "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}", QEMU_NOTHING, 0, 0, false,
	  "" },
	{ "{\"return\": {}, \"id\": 1}", QEMU_REPORT, VMM_EVENT_READY, 0, false, "" },
	{ "{\"return\": {}, \"id\": 3}", QEMU_REPORT, VMM_EVENT_DONE, 3, false, "" },
	{ "{\"id\": 3, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\\tway\"}}",
	  QEMU_REPORT, VMM_EVENT_DONE, 3, true, "no?way" },
	{ "{\"return\": {}, \"id\": 4}", QEMU_NOTHING, 0, 0, false, "" },
	{ "{\"return\": {}, \"id\": -7}", QEMU_NOTHING, 0, 0, false, "" },
	{ "{\"return\": {}}", QEMU_NOTHING, 0, 0, false, "" },
	{ "{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}", QEMU_REPORT,
	  VMM_EVENT_PANIC, 0, false, "" },
	{ "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}",
	  QEMU_REPORT, VMM_EVENT_SHUTDOWN, 0, false, "guest-shutdown" },
	{ "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}",
	  QEMU_REPORT, VMM_EVENT_RESET, 0, false, "guest-reset" },
	{ "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-panic\"}}",
	  QEMU_REPORT, VMM_EVENT_PANIC, 0, false, "" },
	{ "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": \"host-signal\"}}",
	  QEMU_REPORT, VMM_EVENT_SHUTDOWN, 0, false, "host-signal" },
	{ "{\"event\": \"SHUTDOWN\"}", QEMU_REPORT, VMM_EVENT_SHUTDOWN, 0, false, "" },
	{ "{\"event\": \"STOP\"}", QEMU_ASK, 0, 0, false, "" },
	{ "{\"event\": \"RESUME\"}", QEMU_NOTHING, 0, 0, false, "" },
	{ "{\"event\": \"VSERPORT_CHANGE\", \"data\": {\"open\": true}}", QEMU_NOTHING, 0, 0, false,
	  "" },
	{ "{\"return\": {\"status\": \"internal-error\", \"running\": false}, \"id\": 2}",
	  QEMU_REPORT, VMM_EVENT_BROKEN, 0, false, "KVM cannot run the guest any further" },
	{ "{\"return\": {\"status\": \"io-error\"}, \"id\": 2}", QEMU_REPORT, VMM_EVENT_BROKEN, 0,
	  false, "a disk of the VM failed" },
	{ "{\"return\": {\"status\": \"running\"}, \"id\": 2}", QEMU_NOTHING, 0, 0, false, "" },
	{ "{\"return\": {\"status\": 7}, \"id\": 2}", QEMU_NOTHING, 0, 0, false, "" },
	{ "{\"return\": [], \"id\": 2}", QEMU_NOTHING, 0, 0, false, "" },
};

static void each_message_of_qemu_means_one_thing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		const struct message_case *c = &messages[i];
		struct qemu_watch w = { .last_id = 3, .capabilities = 1, .status = 2 };
		auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
		struct vmm_event ev = { .kind = VMM_EVENT_COUNT };
		struct err e = ERR_INIT;

		assert_int_equal(qmp_parse(c->line, strlen(c->line), &m, &e), 0);
		assert_int_equal(qemu_watch_message(&w, &m, &ev), c->step);
		if (c->step != QEMU_REPORT)
			continue;
		assert_int_equal(ev.kind, c->kind);
		assert_int_equal(ev.request, c->request);
		assert_int_equal(ev.failed, c->failed);
		assert_string_equal(ev.text, c->text);
		/* What is told once is not told again. */
		assert_int_equal(qemu_watch_message(&w, &m, &ev), QEMU_NOTHING);
	}
}

static enum qemu_step feed(struct qemu_watch *w, const char *line, struct vmm_event *ev)
{
	auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(qmp_parse(line, strlen(line), &m, &e), 0);
	return qemu_watch_message(w, &m, ev);
}

static void a_stop_that_was_asked_for_raises_no_question(void **state)
{
	struct qemu_watch w = { .pausing = true };
	struct vmm_event ev;

	(void)state;
	assert_int_equal(feed(&w, "{\"event\":\"STOP\"}", &ev), QEMU_NOTHING);
	assert_int_equal(feed(&w, "{\"event\":\"RESUME\"}", &ev), QEMU_NOTHING);
	assert_int_equal(feed(&w, "{\"event\":\"STOP\"}", &ev), QEMU_ASK);
}

static void a_long_error_is_cut(void **state)
{
	struct qemu_watch w = { .last_id = 9 };
	auto_str struct str line = STR_INIT(4096);
	struct vmm_event ev;

	(void)state;
	str_add(&line, "{\"id\":9,\"error\":{\"desc\":\"");
	for (int i = 0; i < 1000; i++)
		str_addc(&line, 'x');
	str_add(&line, "\"}}");
	assert_int_equal(feed(&w, line.buf, &ev), QEMU_REPORT);
	assert_int_equal(strlen(ev.text), sizeof(ev.text) - 1);
}

/* ---- real machines ------------------------------------------------------------------------------- */

/* A kernel of `code` bytes (32-bit, entered the PVH way at 1 MiB and a bit), as a 32-bit ELF file. */
static void write_kernel(int dirfd, const char *name, const uint8_t *code, size_t n)
{
	static const uint32_t entry = 0x1000000;
	struct {
		uint8_t ident[16];
		uint16_t type, machine;
		uint32_t version, entry, phoff, shoff, flags;
		uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
		struct {
			uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
		} ph[2];
		struct {
			uint32_t namesz, descsz, type;
			char name[4];
			uint32_t entry;
		} note;
		uint8_t code[256];
	} elf = {
		.ident = { 0x7f, 'E', 'L', 'F', 1, 1, 1 },
		.type = 2,
		.machine = 3,
		.version = 1,
		.entry = entry,
		.phoff = 52,
		.ehsize = 52,
		.phentsize = 32,
		.phnum = 2,
		.note = { 4, 4, 18, "Xen", entry },
	};
	struct err e = ERR_INIT;
	uint32_t note_at = offsetof(__typeof__(elf), note),
		 code_at = offsetof(__typeof__(elf), code);

	assert_true(n <= sizeof(elf.code));
	memcpy(elf.code, code, n);
	elf.ph[0].type = 1;
	elf.ph[0].offset = code_at;
	elf.ph[0].vaddr = elf.ph[0].paddr = entry;
	elf.ph[0].filesz = elf.ph[0].memsz = sizeof(elf.code);
	elf.ph[0].flags = 5;
	elf.ph[0].align = 1;
	elf.ph[1].type = 4;
	elf.ph[1].offset = note_at;
	elf.ph[1].filesz = elf.ph[1].memsz = sizeof(elf.note);
	elf.ph[1].align = 4;
	assert_int_equal(file_write_replace(dirfd, name, &elf, sizeof(elf), 0644, &e), 0);
}

/* mov $c, %al; mov $0x3f8, %dx; out %al, %dx: one character to the console. */
#define PUT(c) 0xb0, (c), 0x66, 0xba, 0xf8, 0x03, 0xee
/* cli; hlt; jmp to the hlt */
#define HANG 0xfa, 0xf4, 0xeb, 0xfd
static const uint8_t hang[] = { PUT('H'), PUT('i'), PUT('\n'), HANG };
/* mov $0x604, %dx; mov $0x2000, %ax; out %ax, %dx: the firmware put ACPI's PM1a control there */
static const uint8_t power_off[] = { 0x66, 0xba, 0x04, 0x06, 0x66, 0xb8,
				     0x00, 0x20, 0x66, 0xef, HANG };
/* mov $0xcf9, %dx; mov $6, %al; out %al, %dx */
static const uint8_t reset[] = { 0x66, 0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, HANG };

/* Looks through bus 0 for the pvpanic device (1b36:0011), maps its BAR to 0xfe000000, turns it on and writes
 * the bit of a panic to it. */
static const uint8_t panics[] = {
	0xb9, 0x00, 0x00, 0x00, 0x80,		  /*    mov $0x80000000,%ecx */
	0x89, 0xc8,				  /* 1: mov %ecx,%eax */
	0x66, 0xba, 0xf8, 0x0c, 0xef,		  /*    mov $0xcf8,%dx; out %eax,%dx */
	0x66, 0xba, 0xfc, 0x0c, 0xed,		  /*    mov $0xcfc,%dx; in %dx,%eax */
	0x3d, 0x36, 0x1b, 0x11, 0x00,		  /*    cmp $0x111b36,%eax */
	0x74, 0x08,				  /*    je 2f */
	0x81, 0xc1, 0x00, 0x08, 0x00, 0x00,	  /*    add $0x800,%ecx */
	0xeb, 0xe5,				  /*    jmp 1b */
	0x8d, 0x41, 0x10,			  /* 2: lea 0x10(%ecx),%eax */
	0x66, 0xba, 0xf8, 0x0c, 0xef,		  /*    mov $0xcf8,%dx; out %eax,%dx */
	0xb8, 0x00, 0x00, 0x00, 0xfe,		  /*    mov $0xfe000000,%eax */
	0x66, 0xba, 0xfc, 0x0c, 0xef,		  /*    mov $0xcfc,%dx; out %eax,%dx */
	0x8d, 0x41, 0x04,			  /*    lea 4(%ecx),%eax */
	0x66, 0xba, 0xf8, 0x0c, 0xef,		  /*    mov $0xcf8,%dx; out %eax,%dx */
	0xb8, 0x02, 0x00, 0x00, 0x00,		  /*    mov $2,%eax */
	0x66, 0xba, 0xfc, 0x0c, 0xef,		  /*    mov $0xcfc,%dx; out %eax,%dx */
	0xc6, 0x05, 0x00, 0x00, 0x00, 0xfe, 0x01, /*    movb $1,0xfe000000 */
	HANG,
};

struct fixture {
	char dir[64];
	int dirfd;
	char *binary;
	char *kernel;
	int console;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	strcpy(f->dir, "/tmp/kvbox-test-qemu.XXXXXX");
	if (!mkdtemp(f->dir) || fd_open_dir(AT_FDCWD, f->dir, &f->dirfd, &e) < 0)
		return -1;
	f->binary = vmm_binary_find(&vmm_qemu, &e);
	if (!f->binary) {
		print_error("%s\n", e.msg);
		return -1;
	}
	f->kernel = xasprintf("%s/kernel", f->dir);
	if (fd_open(f->dirfd, "console", O_WRONLY | O_CREAT | O_APPEND, 0600, &f->console, &e) < 0)
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	fd_close(f->console);
	fd_close(f->dirfd);
	if (dir_remove_tree(AT_FDCWD, f->dir, &e) < 0)
		return -1;
	free(f->binary);
	free(f->kernel);
	free(f);
	return 0;
}

static struct vmm_spec spec_of(const struct fixture *f)
{
	return (struct vmm_spec){
		.binary = f->binary,
		.kernel = f->kernel,
		.memory_mib = 64,
		.vcpus = 1,
		.console_fd = f->console,
		.log_fd = STDERR_FILENO,
		.run_fd = f->dirfd,
		.run_path = f->dir,
		.vm_lock_fd = -1,
		.cgroup_fd = -1,
	};
}

static void start(struct fixture *f, const struct vmm_spec *spec, const uint8_t *code, size_t n,
		  struct vmm *ret)
{
	struct err e = ERR_INIT;

	write_kernel(f->dirfd, "kernel", code, n);
	if (vmm_start(&vmm_qemu, spec, ret, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Waits until one of the two descriptors (-1: none) is readable; fails after a minute. */
static void wait_readable(int a, int b)
{
	struct pollfd p[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };

	if (poll(p, 2, 60000) <= 0)
		fail_msg("nothing happened for a minute");
}

/* The next event; fails when the connection ends instead. */
static struct vmm_event next_event(struct vmm *vmm)
{
	struct vmm_event ev = { .kind = VMM_EVENT_COUNT };
	struct err e = ERR_INIT;
	int got;

	while ((got = vmm_event(vmm, &ev, &e)) == 0)
		wait_readable(vmm->control, -1);
	if (got < 0)
		fail_msg("%s", e.msg);
	return ev;
}

static void expect_event(struct vmm *vmm, enum vmm_event_kind kind)
{
	struct vmm_event ev = next_event(vmm);

	assert_int_equal(ev.kind, kind);
	assert_false(ev.failed);
}

/* Starts a guest that ends at once: QEMU tells nothing before it has shaken hands, so the guest is held
 * until then. */
static void start_short(struct fixture *f, const uint8_t *code, size_t n, struct vmm *ret)
{
	struct vmm_spec spec = spec_of(f);
	struct err e = ERR_INIT;

	spec.hold = true;
	start(f, &spec, code, n, ret);
	expect_event(ret, VMM_EVENT_READY);
	assert_true(vmm_resume(ret, &e) > 0);
}

/* The same as expect_event, before or after the answer to vmm_resume. */
static void expect_last_event(struct vmm *vmm, enum vmm_event_kind kind)
{
	struct vmm_event ev = next_event(vmm);

	if (ev.kind == VMM_EVENT_DONE)
		ev = next_event(vmm);
	assert_int_equal(ev.kind, kind);
}

/* Waits for the end of the process and returns how it ended. */
static int wait_end(struct vmm *vmm)
{
	struct err e = ERR_INIT;
	int status;

	wait_readable(vmm->proc.pidfd, -1);
	assert_int_equal(spawn_try_wait(&vmm->proc, &status, &e), 1);
	return status;
}

static void the_console_is_captured_and_a_kill_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_str struct str text = STR_INIT(64);
	struct vmm vmm = VMM_INIT;
	struct vmm_event ev;
	struct err e = ERR_INIT;

	start(f, &spec, hang, sizeof(hang), &vmm);
	expect_event(&vmm, VMM_EVENT_READY);
	for (int i = 0; i < 10000 && text.len < 3; i++) {
		str_clear(&text);
		assert_int_equal(file_read(f->dirfd, "console", &text, &e), 0);
		usleep(10000);
	}
	assert_string_equal(text.buf, "Hi\n");

	assert_int_equal(vmm_stop(&vmm, &e), 0);
	assert_int_equal(wait_end(&vmm), 128 + SIGKILL);
	while (vmm_event(&vmm, &ev, &e) >= 0)
		wait_readable(vmm.control, -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	assert_int_equal(vmm_stop(&vmm, &e), 0); /* again is no error */
	vmm_release(&vmm);
}

static void a_guest_that_powers_off_ends_qemu(void **state)
{
	struct fixture *f = *state;
	struct vmm vmm = VMM_INIT;

	start_short(f, power_off, sizeof(power_off), &vmm);
	expect_last_event(&vmm, VMM_EVENT_SHUTDOWN);
	assert_int_equal(wait_end(&vmm), 0);
	vmm_release(&vmm);
}

static void a_reset_is_told_from_an_orderly_end(void **state)
{
	struct fixture *f = *state;
	struct vmm vmm = VMM_INIT;

	start_short(f, reset, sizeof(reset), &vmm);
	expect_last_event(&vmm, VMM_EVENT_RESET);
	assert_int_equal(wait_end(&vmm), 0);
	vmm_release(&vmm);
}

static void a_panic_is_announced_and_ends_qemu(void **state)
{
	struct fixture *f = *state;
	struct vmm vmm = VMM_INIT;

	start_short(f, panics, sizeof(panics), &vmm);
	expect_last_event(&vmm, VMM_EVENT_PANIC);
	assert_int_equal(wait_end(&vmm), 0);
	vmm_release(&vmm);
}

static void a_held_guest_runs_when_it_is_resumed_and_stands_when_it_is_paused(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	struct vmm vmm = VMM_INIT;
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int request;

	spec.hold = true;
	start(f, &spec, power_off, sizeof(power_off), &vmm);
	expect_event(&vmm, VMM_EVENT_READY);
	request = vmm_pause(&vmm, &e);
	assert_true(request > 0);
	ev = next_event(&vmm);
	assert_int_equal(ev.kind, VMM_EVENT_DONE);
	assert_int_equal(ev.request, request);
	usleep(100000);
	assert_int_equal(vmm_event(&vmm, &ev, &e), 0);
	assert_int_equal(vmm_resume(&vmm, &e), request + 1);
	expect_last_event(&vmm, VMM_EVENT_SHUTDOWN);
	assert_int_equal(wait_end(&vmm), 0);
	vmm_release(&vmm);
}

static void the_lock_is_held_as_long_as_the_vm_lives(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_close int lock = -1, tester = -1;
	struct vmm vmm = VMM_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(fd_open(f->dirfd, "vm", O_RDWR | O_CREAT, 0600, &lock, &e), 0);
	assert_int_equal(fd_open(f->dirfd, "vm", O_RDWR, 0, &tester, &e), 0);
	assert_int_equal(fd_lock(lock, LOCK_EXCLUSIVE, false, &e), 1);
	spec.vm_lock_fd = lock;
	start(f, &spec, hang, sizeof(hang), &vmm);
	fd_close(take_fd(&lock));
	assert_int_equal(fd_lock_is_held(tester, &e), 1);
	assert_int_equal(vmm_stop(&vmm, &e), 0);
	wait_end(&vmm);
	assert_int_equal(fd_lock_is_held(tester, &e), 0);
	vmm_release(&vmm);
}

/* Starts a VM in a child that is then killed; the lock tells when the VM is gone. */
static void qemu_dies_with_its_parent(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_close int lock = -1, tester = -1;
	struct err e = ERR_INIT;
	int pair[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(fd_open(f->dirfd, "vm", O_RDWR | O_CREAT, 0600, &lock, &e), 0);
	assert_int_equal(fd_open(f->dirfd, "vm", O_RDWR, 0, &tester, &e), 0);
	assert_int_equal(fd_lock(lock, LOCK_EXCLUSIVE, false, &e), 1);
	spec.vm_lock_fd = lock;
	write_kernel(f->dirfd, "kernel", hang, sizeof(hang));
	assert_int_equal(fd_pipe(pair, &e), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct vmm vmm = VMM_INIT;
		struct vmm_event ev;

		if (vmm_start(&vmm_qemu, &spec, &vmm, &e) < 0)
			_exit(1);
		while (vmm_event(&vmm, &ev, &e) == 0) {
			struct pollfd p = { vmm.control, POLLIN, 0 };

			poll(&p, 1, 10000);
		}
		if (write(pair[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	fd_close(pair[1]);
	fd_close(take_fd(&lock));
	wait_readable(pair[0], -1);
	assert_int_equal(read(pair[0], &byte, 1), 1);
	fd_close(pair[0]);
	assert_int_equal(fd_lock_is_held(tester, &e), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int i = 0; i < 10000 && fd_lock_is_held(tester, &e) == 1; i++)
		usleep(10000);
	assert_int_equal(fd_lock_is_held(tester, &e), 0);
}

static void a_missing_kernel_ends_qemu_with_its_reason_in_the_log(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_str struct str text = STR_INIT(4096);
	auto_close int log = -1;
	struct vmm vmm = VMM_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(fd_open(f->dirfd, "log", O_WRONLY | O_CREAT, 0600, &log, &e), 0);
	spec.log_fd = log;
	spec.kernel = "/nonexistent/vmlinux";
	assert_int_equal(vmm_start(&vmm_qemu, &spec, &vmm, &e), 0);
	assert_int_equal(wait_end(&vmm), 1);
	assert_int_equal(file_read(f->dirfd, "log", &text, &e), 0);
	assert_non_null(strstr(text.buf, "/nonexistent/vmlinux"));
	vmm_release(&vmm);
}

/* Pads two small files to a disk, and QEMU takes it: had it not, it would end before it is ready. */
static void joined_and_plain_disks_are_accepted(void **state)
{
	static const char sector[512] = "x";
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_free char *a = xasprintf("%s/a, b", f->dir), *pad = xasprintf("%s/pad", f->dir);
	const struct vmm_file files[] = { { a, 512 }, { a, 512 } };
	const struct vmm_disk disks[] = {
		{ "kvb-layers", true, true, files, 2 },
		{ "kvb-upper", false, false, files, 1 },
	};
	struct vmm vmm = VMM_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(file_write_replace(f->dirfd, "a, b", sector, 512, 0600, &e), 0);
	assert_int_equal(vmm_pad_make(f->dirfd, "pad", &e), 0);
	assert_int_equal(vmm_pad_make(f->dirfd, "pad", &e), 0); /* again is no error */
	spec.disks = disks;
	spec.ndisks = 1;
	spec.pad = pad;
	start(f, &spec, hang, sizeof(hang), &vmm);
	expect_event(&vmm, VMM_EVENT_READY);
	vmm_release(&vmm);

	spec.disks = &disks[1];
	start(f, &spec, hang, sizeof(hang), &vmm);
	expect_event(&vmm, VMM_EVENT_READY);
	vmm_release(&vmm);
}

static void a_console_that_can_be_read_is_refused(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	auto_close int console = -1;
	struct vmm vmm = VMM_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(fd_open(f->dirfd, "console", O_RDWR, 0, &console, &e), 0);
	spec.console_fd = console;
	assert_int_equal(vmm_start(&vmm_qemu, &spec, &vmm, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
}

/* ---- requests of a running VM --------------------------------------------------------------------- */

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int add_disk(struct fixture *f, struct vmm *vmm, const char *serial, struct err *e)
{
	auto_free char *path = xasprintf("%s/disk", f->dir);
	const struct vmm_file file = { path, 512 };
	const struct vmm_disk disk = { serial, false, false, &file, 1 };
	static const char zeros[512];

	assert_int_equal(file_write_replace(f->dirfd, "disk", zeros, sizeof(zeros), 0600, e), 0);
	return vmm_add_disk(vmm, &disk, e);
}

static void expect_done(struct vmm *vmm, int request)
{
	struct vmm_event ev;

	assert_true(request > 0);
	ev = next_event(vmm);
	assert_int_equal(ev.kind, VMM_EVENT_DONE);
	assert_int_equal(ev.request, request);
	if (ev.failed)
		fail_msg("%s", ev.text);
}

/* The guest only stands there: QEMU has been told, and that is what counts, but nobody lets go of a device. */
static void a_guest_that_takes_no_notice_stops_nothing_but_a_removal(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	struct vmm vmm = VMM_INIT;
	struct err e = ERR_INIT;
	int before = count_fds();

	spec.hotplug = 1;
	spec.memory_max_mib = 129;
	start(f, &spec, hang, sizeof(hang), &vmm);
	expect_event(&vmm, VMM_EVENT_READY);
	expect_done(&vmm, vmm_resize_memory(&vmm, 129, &e));
	expect_done(&vmm, vmm_resize_memory(&vmm, 64, &e));
	assert_int_equal(vmm_resize_memory(&vmm, 130, &e), -1);
	err_clear(&e);
	expect_done(&vmm, add_disk(f, &vmm, "kvb-a", &e));
	assert_int_equal(add_disk(f, &vmm, "kvb-b", &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	err_clear(&e);
	assert_true(vmm_remove(&vmm, "kvb-a", &e) > 0);
	/* What was asked later is answered; the removal is not. */
	expect_done(&vmm, vmm_pause(&vmm, &e));
	expect_done(&vmm, vmm_resume(&vmm, &e));
	vmm_release(&vmm);
	assert_int_equal(count_fds(), before);
}

static void a_qemu_that_hangs_holds_nobody_up(void **state)
{
	struct fixture *f = *state;
	struct vmm_spec spec = spec_of(f);
	struct vmm vmm = VMM_INIT;
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int before = count_fds();

	spec.hotplug = 1;
	start(f, &spec, hang, sizeof(hang), &vmm);
	expect_event(&vmm, VMM_EVENT_READY);
	assert_ok(proc_signal(&vmm.proc, SIGSTOP, &e));
	assert_true(add_disk(f, &vmm, "kvb-a", &e) > 0);
	assert_int_equal(vmm_remove(&vmm, "kvb-a", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	err_clear(&e);
	assert_int_equal(vmm_stop(&vmm, &e), 0);
	assert_int_equal(wait_end(&vmm), 128 + SIGKILL);
	/* The request is never answered: its answer is the end. */
	for (;;) {
		int got = vmm_event(&vmm, &ev, &e);

		assert_true(got <= 0);
		if (got < 0)
			break;
		wait_readable(vmm.control, -1);
	}
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	vmm_release(&vmm);
	assert_int_equal(count_fds(), before);
}

static void the_version_is_a_number(void **state)
{
	struct fixture *f = *state;
	struct vmm_binary about = { "", 0 };
	struct err e = ERR_INIT;

	assert_ok(vmm_qemu.examine(f->binary, &about, &e));
	assert_true(strlen(about.version) >= 3);
	assert_true(strspn(about.version, "0123456789.") >= 3);
	assert_fails(vmm_qemu.examine("/bin/false", &about, &e), "ended with code 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_of_qemu_means_one_thing),
		cmocka_unit_test(a_stop_that_was_asked_for_raises_no_question),
		cmocka_unit_test(a_long_error_is_cut),
		cmocka_unit_test_setup_teardown(the_console_is_captured_and_a_kill_is_noticed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_guest_that_powers_off_ends_qemu, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_is_told_from_an_orderly_end, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_panic_is_announced_and_ends_qemu, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_held_guest_runs_when_it_is_resumed_and_stands_when_it_is_paused, setup,
			teardown),
		cmocka_unit_test_setup_teardown(the_lock_is_held_as_long_as_the_vm_lives, setup,
						teardown),
		cmocka_unit_test_setup_teardown(qemu_dies_with_its_parent, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_missing_kernel_ends_qemu_with_its_reason_in_the_log, setup, teardown),
		cmocka_unit_test_setup_teardown(joined_and_plain_disks_are_accepted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_console_that_can_be_read_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_guest_that_takes_no_notice_stops_nothing_but_a_removal, setup, teardown),
		cmocka_unit_test_setup_teardown(a_qemu_that_hangs_holds_nobody_up, setup, teardown),
		cmocka_unit_test_setup_teardown(the_version_is_a_number, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
