/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare VMM: what kvbox would start for `run --rm`, by the same driver with the same devices, but with
 * an init that powers off at once. What kvbox takes longer than this is kvbox's own.
 *
 * usage: bare INITRAMFS         boots once and prints the milliseconds from start to the VMM's end
 *        bare -- COMMAND...     runs a command, of the same clock: the milliseconds from its start to its end
 *
 * A VM that does not end in KVBOX_BOOT_TIMEOUT seconds (60) is killed, and its last words are told.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/parse.h"
#include "engine/lastwords.h"
#include "vmm/driver.h"
#include "vmm/guestfiles.h"
#include "vmm/select.h"
#include "vmm/size.h"

#define UPPER_SIZE   ((uint64_t)64 << 30)
#define LAYER_SIZE   ((uint64_t)1 << 20)
#define CONSOLE_FILE "console"
#define SECONDS	     60
#define SECONDS_MAX  86400

/* Disks of the right number and kind; what is in them does not matter to this guest. */
static int make_disk(int dir, const char *path, const char *name, uint64_t size,
		     struct vmm_file *ret, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(dir, name, O_RDWR | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) < 0)
		return err_sys(e, "cannot set the size of '%s'", name);
	*ret = (struct vmm_file){ xasprintf("%s/%s", path, name), size };
	return 0;
}

static unsigned limit_seconds(void)
{
	const char *text = getenv("KVBOX_BOOT_TIMEOUT");
	struct err e = ERR_INIT;
	uint64_t seconds;

	if (text && parse_u64(text, SECONDS_MAX, &seconds, &e) == 0 && seconds > 0)
		return (unsigned)seconds;
	return SECONDS;
}

/* Waits for the VMM's end, which a guest that hangs never comes to. */
static int wait_for_end(struct proc *p, int dir, int *status, struct err *e)
{
	auto_str struct str text = STR_INIT(LASTWORDS_MAX);
	struct pollfd gone = { .fd = p->pidfd, .events = POLLIN };
	unsigned seconds = limit_seconds();
	int64_t end = clock_monotonic() + (int64_t)seconds * 1000000000;
	int64_t left;

	while ((left = end - clock_monotonic()) > 0) {
		if (poll(&gone, 1, (int)(left / 1000000) + 1) > 0)
			return spawn_wait(p, status, e);
	}
	proc_destroy(p);
	lastwords_read(dir, CONSOLE_FILE, &text);
	return err_set(e, ERR_UNAVAILABLE, "the VM did not end in %u s; its console: %s", seconds,
		       text.len > 0 ? text.buf : "nothing");
}

static int boot(const struct vmm_choice *choice, const struct vmm_spec *spec, int64_t *ret,
		struct err *e)
{
	struct vmm vmm = VMM_INIT;
	int64_t begin = clock_monotonic();
	int status, r;

	if (vmm_start(choice->driver, spec, &vmm, e) < 0)
		return -1;
	r = wait_for_end(&vmm.proc, spec->run_fd, &status, e);
	*ret = clock_monotonic() - begin;
	vmm_release(&vmm);
	if (r == 0 && status != 0)
		return err_set(e, ERR_UNAVAILABLE, "the VMM ended with status %d", status);
	return r;
}

static int measure(const char *initramfs, const char *path, int64_t *ret, struct err *e)
{
	struct vmm_choice choice = VMM_CHOICE_INIT;
	struct vmm_wish wish = { NULL, NULL, -1 };
	auto_guest_files struct guest_files guest = GUEST_FILES_INIT;
	auto_free char *pad = xasprintf("%s/pad", path);
	struct vmm_file files[3];
	auto_close int dir = -1, console = -1;
	struct vmm_disk disks[3] = { { "kvb-upper", false, false, &files[2], 1 } };
	size_t ndisks = 1;
	struct vmm_host host;
	struct vmm_size size;
	int r;

	if (fd_open_dir(AT_FDCWD, path, &dir, e) < 0 || vmm_select(&wish, &choice, e) < 0 ||
	    guest_files_find(&guest, e) < 0 || vmm_host_read(&host, e) < 0 ||
	    vmm_pad_make(dir, "pad", e) < 0 ||
	    fd_open(dir, CONSOLE_FILE, O_WRONLY | O_APPEND | O_CREAT, 0600, &console, e) < 0 ||
	    make_disk(dir, path, "chain", 4096, &files[0], e) < 0 ||
	    make_disk(dir, path, "layer", LAYER_SIZE, &files[1], e) < 0 ||
	    make_disk(dir, path, "upper", UPPER_SIZE, &files[2], e) < 0)
		return -1;
	vmm_size_choose(&host, 0, 0, choice.kvm, &size);
	if (choice.about.caps & VMM_CAP_JOINED) {
		disks[ndisks++] = (struct vmm_disk){ "kvb-layers", true, true, files, 2 };
	} else {
		disks[ndisks++] = (struct vmm_disk){ "kvb-chain", true, false, &files[0], 1 };
		disks[ndisks++] = (struct vmm_disk){ "kvb-l0", true, false, &files[1], 1 };
	}
	{
		const struct vmm_spec spec = {
			.binary = choice.binary,
			.caps = choice.about.caps,
			.kvm = choice.kvm,
			.kernel = guest.kernel,
			.initramfs = initramfs,
			.memory_mib = size.memory_mib,
			.vcpus = size.vcpus,
			.disks = disks,
			.ndisks = ndisks,
			.pad = pad,
			.console_fd = console,
			.log_fd = STDERR_FILENO,
			.run_fd = dir,
			.run_path = path,
			.vm_lock_fd = -1,
			.cgroup_fd = -1,
		};

		r = boot(&choice, &spec, ret, e);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		mem_free_ptr(&files[i].path);
	vmm_choice_release(&choice);
	return r;
}

static int run(char *const *argv, int64_t *ret, struct err *e)
{
	static const struct spawn_fd fds[] = { { STDERR_FILENO, STDERR_FILENO } };
	const struct spawn s = {
		.path = argv[0], .argv = argv, .fds = fds, .nfds = 1, .cwd = -1, .cgroup = -1
	};
	struct proc p = PROC_INIT;
	int64_t begin = clock_monotonic();
	int status, r;

	if (spawn_start(&s, &p, e) < 0)
		return -1;
	r = spawn_wait(&p, &status, e);
	*ret = clock_monotonic() - begin;
	if (r == 0 && status != 0)
		return err_set(e, ERR_SYSTEM, "'%s' ended with status %d", argv[0], status);
	return r;
}

static int boot_in_folder(const char *initramfs, int64_t *ret, struct err *e)
{
	char path[] = "/tmp/kvbox-bare-XXXXXX";
	struct err ignored = ERR_INIT;
	int r;

	if (!mkdtemp(path))
		return err_sys(e, "cannot make a folder");
	r = measure(initramfs, path, ret, e);
	if (dir_remove_tree(AT_FDCWD, path, &ignored) < 0)
		fprintf(stderr, "bare: %s\n", ignored.msg);
	return r;
}

int main(int argc, char **argv)
{
	bool command = argc > 2 && str_eq(argv[1], "--");
	struct err e = ERR_INIT;
	int64_t ns = 0;

	if (!command && argc != 2) {
		fprintf(stderr, "usage: %s INITRAMFS | -- COMMAND...\n", argv[0]);
		return 2;
	}
	if ((command ? run(argv + 2, &ns, &e) : boot_in_folder(argv[1], &ns, &e)) < 0) {
		fprintf(stderr, "bare: %s\n", e.msg);
		return 1;
	}
	printf("%.1f\n", (double)ns / 1e6);
	return 0;
}
