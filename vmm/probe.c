/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See probe.h.
 *
 * The file "kvm" of the run root has two lines: the boot id of the host, then "good <hardware>" or "bad <why>". A
 * file of an earlier boot counts as absent. "good" (a VM could be created) is remembered as well: on real
 * hardware creating a VM and dropping it again takes milliseconds, which every start would pay.
 */
#include "vmm/probe.h"

#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/str.h"

#define MEMORY_FILE	"kvm"
#define MEMORY_TEXT_MAX 4096

/* Only the first processor's entry is looked at: on machines with hundreds of them the kernel takes
 * long to write all. */
#define CPUINFO_READ 8192

static void set_reason(struct kvm_state *s, bool usable, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void set_reason(struct kvm_state *s, bool usable, const char *fmt, ...)
{
	auto_str struct str text = STR_INIT(1024);
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	n = text.len < sizeof(s->reason) - 1 ? text.len : sizeof(s->reason) - 1;
	memcpy(s->reason, text.buf, n);
	s->reason[n] = '\0';
	s->usable = usable;
}

/* The boot id of the host in `ret`; false when it cannot be read, and then nothing is remembered. */
static bool read_boot_id(int root, struct str *ret)
{
	struct err ignored = ERR_INIT;
	const char *path = root == AT_FDCWD ? "/proc/sys/kernel/random/boot_id"
					    : "proc/sys/kernel/random/boot_id";

	if (file_read(root, path, ret, &ignored) < 0)
		return false;
	str_truncate(ret, strcspn(ret->buf, "\n"));
	return ret->len > 0;
}

/* The second line of the file, when the first one is this boot's; else the empty text. */
static void recall(const struct kvm_probe *p, struct str *ret)
{
	auto_str struct str boot = STR_INIT(128);
	auto_str struct str text = STR_INIT(MEMORY_TEXT_MAX);
	struct err ignored = ERR_INIT;
	char *line;

	if (p->run_fd < 0 || !read_boot_id(p->root, &boot) ||
	    file_read(p->run_fd, MEMORY_FILE, &text, &ignored) < 0)
		return;
	line = strchr(text.buf, '\n');
	if (!line || (size_t)(line - text.buf) != boot.len ||
	    memcmp(text.buf, boot.buf, boot.len) != 0)
		return;
	line++;
	str_addn(ret, line, strcspn(line, "\n"));
}

static int remember(int root, int run_fd, const char *line, struct err *e)
{
	auto_str struct str boot = STR_INIT(128);
	auto_str struct str text = STR_INIT(MEMORY_TEXT_MAX);

	if (!read_boot_id(root, &boot))
		return err_set(e, ERR_UNAVAILABLE, "the host's boot id cannot be read");
	str_addf(&text, "%s\n%s\n", boot.buf, line);
	return file_write_replace(run_fd, MEMORY_FILE, text.buf, text.len, 0644, e);
}

/* True when `word` is one of the blank-separated words of the first line that begins with "flags". */
static bool cpu_has_flag(const char *cpuinfo, const char *word)
{
	const char *line = cpuinfo, *end;
	size_t n = strlen(word);

	while (line && !str_has_prefix(line, "flags")) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return false;
	end = line + strcspn(line, "\n");
	for (const char *at = strstr(line, word); at && at < end; at = strstr(at + n, word))
		if ((at[-1] == ' ' || at[-1] == '\t') &&
		    (at[n] == ' ' || at[n] == '\n' || at[n] == '\0'))
			return true;
	return false;
}

static bool module_is_live(const struct kvm_probe *p, const char *path)
{
	auto_str struct str text = STR_INIT(64);
	struct err ignored = ERR_INIT;

	/* A module that is built in has a folder in /sys even where its processor is missing, but no
	 * "initstate". */
	return file_read(p->root, path, &text, &ignored) == 0 && str_has_prefix(text.buf, "live");
}

/* What the hardware virtualisation of this machine is called, or NULL. */
static const char *find_hardware(const struct kvm_probe *p)
{
	bool real = p->root == AT_FDCWD;
	static char cpuinfo[CPUINFO_READ + 1];
	struct err ignored = ERR_INIT;
	auto_close int fd = -1;
	ssize_t n = 0;

	if (p->arm64)
		return "arm64";
	if (fd_open(p->root, real ? "/proc/cpuinfo" : "proc/cpuinfo", O_RDONLY, 0, &fd, &ignored) ==
	    0)
		n = fd_read_full(fd, cpuinfo, CPUINFO_READ, &ignored);
	cpuinfo[n > 0 ? n : 0] = '\0';
	if (cpu_has_flag(cpuinfo, "vmx"))
		return "vmx";
	if (cpu_has_flag(cpuinfo, "svm"))
		return "svm";
	if (module_is_live(p, real ? "/sys/module/kvm_intel/initstate"
				   : "sys/module/kvm_intel/initstate"))
		return "kvm_intel";
	if (module_is_live(p,
			   real ? "/sys/module/kvm_amd/initstate" : "sys/module/kvm_amd/initstate"))
		return "kvm_amd";
	return NULL;
}

static void explain_open(const struct err *e, struct kvm_state *ret)
{
	if (e->kind == ERR_NOT_FOUND)
		set_reason(ret, false, "there is no /dev/kvm");
	else
		set_reason(ret, false, "/dev/kvm cannot be opened (%s)",
			   e->sys ? strerror(e->sys) : e->msg);
}

void kvm_probe_run(const struct kvm_probe *p, struct kvm_state *ret)
{
	auto_str struct str known = STR_INIT(MEMORY_TEXT_MAX);
	struct err e = ERR_INIT;
	const char *hardware;
	auto_close int fd = -1;
	char line[32];

	recall(p, &known);
	if (str_has_prefix(known.buf, "bad ")) {
		set_reason(ret, false, "a VM did not start with it since the host booted: %s",
			   known.buf + 4);
		return;
	}
	/* Before the open: on a machine without KVM the error should name the missing hardware only where
	 * the device pretends that there is some. */
	if (fd_open(p->root, p->root == AT_FDCWD ? "/dev/kvm" : "dev/kvm", O_RDWR, 0, &fd, &e) <
	    0) {
		explain_open(&e, ret);
		return;
	}
	if (str_has_prefix(known.buf, "good ")) {
		set_reason(ret, true, "%s", known.buf + 5);
		return;
	}
	hardware = find_hardware(p);
	if (!hardware) {
		set_reason(ret, false, "/dev/kvm opens, but the processor has neither vmx nor svm");
		return;
	}
	if (p->create_vm(fd, &e) < 0) {
		set_reason(ret, false, "%s", e.msg);
		return;
	}
	set_reason(ret, true, "%s", hardware);
	/* A run root that cannot be written is somebody else's error to report. */
	snprintf(line, sizeof(line), "good %s", hardware);
	if (p->run_fd >= 0 && remember(p->root, p->run_fd, line, &e) < 0)
		err_clear(&e);
}

static int create_vm(int kvm_fd, struct err *e)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);
	int vm;

	if (version < 0)
		return err_sys(e, "/dev/kvm does not answer");
	if (version != KVM_API_VERSION)
		return err_set(e, ERR_UNAVAILABLE, "/dev/kvm has version %d and not %d", version,
			       KVM_API_VERSION);
	vm = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (vm < 0)
		return err_sys(e, "KVM cannot create a VM");
	fd_close(vm);
	return 0;
}

void kvm_check(int run_fd, struct kvm_state *ret)
{
	const struct kvm_probe probe = {
		.root = AT_FDCWD,
		.run_fd = run_fd,
#ifdef __aarch64__
		.arm64 = true,
#endif
		.create_vm = create_vm,
	};

	kvm_probe_run(&probe, ret);
}

int kvm_mark_bad(int run_fd, const char *why, struct err *e)
{
	auto_str struct str line = STR_INIT(1024);

	str_addf(&line, "bad %.200s", why);
	for (size_t i = 0; i < line.len; i++)
		if (line.buf[i] < 0x20 || line.buf[i] > 0x7e)
			line.buf[i] = '?';
	return remember(AT_FDCWD, run_fd, line.buf, e);
}

int kvm_mark_good(int run_fd, struct err *e)
{
	return file_remove(run_fd, MEMORY_FILE, e);
}
