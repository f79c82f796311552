/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/convert_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/dl.h"

#define NOBODY 65534

/* The limits of engine/tree.h at their worst (about 700 MiB) and reserve. Only
 * a net: ordinary layers take less than 20 MiB. */
#define DATA_MAX ((rlim_t)1536 << 20)

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifndef HAVE_ASAN
#define HAVE_ASAN 0
#endif

struct seccomp_api {
	__typeof__(&seccomp_init) init;
	__typeof__(&seccomp_rule_add_array) rule_add;
	__typeof__(&seccomp_load) load;
	__typeof__(&seccomp_release) release;
};

static struct seccomp_api seccomp;
static const struct dl_symbol symbols[] = {
	DL_SYMBOL(struct seccomp_api, init, seccomp_init),
	DL_SYMBOL(struct seccomp_api, rule_add, seccomp_rule_add_array),
	DL_SYMBOL(struct seccomp_api, load, seccomp_load),
	DL_SYMBOL(struct seccomp_api, release, seccomp_release),
};
static struct dl_library lib = DL_LIBRARY("libseccomp.so.2", "libseccomp2", symbols, &seccomp);

struct rule {
	int syscall;
	unsigned int nargs;
	struct scmp_arg_cmp arg;
};

/*
 * What reads, writes, allocates and ends. Nothing here reaches a network, IPC or a file by name, so
 * namespaces of its own would keep the child from nothing, and cost 10 ms of the start and end of
 * each (measured).
 */
static const struct rule allowed[] = {
	{ SCMP_SYS(read), 0, { 0 } },
	{ SCMP_SYS(readv), 0, { 0 } },
	{ SCMP_SYS(poll), 0, { 0 } },
	{ SCMP_SYS(pread64), 0, { 0 } },
	{ SCMP_SYS(write), 0, { 0 } },
	{ SCMP_SYS(writev), 0, { 0 } },
	{ SCMP_SYS(pwrite64), 0, { 0 } },
	{ SCMP_SYS(lseek), 0, { 0 } },
	{ SCMP_SYS(sync_file_range), 0, { 0 } },
	{ SCMP_SYS(fstat), 0, { 0 } },
	/* glibc's fstat */
	{ SCMP_SYS(newfstatat), 1, { 3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0 } },
	{ SCMP_SYS(close), 0, { 0 } },
	{ SCMP_SYS(brk), 0, { 0 } },
	{ SCMP_SYS(mmap), 1, { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(mprotect), 1, { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(munmap), 0, { 0 } },
	{ SCMP_SYS(mremap), 0, { 0 } },
	{ SCMP_SYS(madvise), 0, { 0 } },
	{ SCMP_SYS(getrandom), 0, { 0 } },
	{ SCMP_SYS(futex), 0, { 0 } },
	/* qsort, which wants to know how much memory there is */
	{ SCMP_SYS(sysinfo), 0, { 0 } },
	{ SCMP_SYS(clock_gettime), 0, { 0 } },
	{ SCMP_SYS(restart_syscall), 0, { 0 } },
	{ SCMP_SYS(rt_sigreturn), 0, { 0 } },
	/* abort() */
	{ SCMP_SYS(rt_sigprocmask), 0, { 0 } },
	{ SCMP_SYS(rt_sigaction), 0, { 0 } },
	{ SCMP_SYS(getpid), 0, { 0 } },
	{ SCMP_SYS(gettid), 0, { 0 } },
	{ SCMP_SYS(tgkill), 0, { 0 } },
	{ SCMP_SYS(exit), 0, { 0 } },
	{ SCMP_SYS(exit_group), 0, { 0 } },
};

/* What libraries may try and can do without. */
static const int refused[] = { SCMP_SYS(openat), SCMP_SYS(readlinkat), SCMP_SYS(faccessat) };

static int set_limits(struct err *e)
{
	static const struct {
		int resource;
		rlim_t value;
		const char *name;
	} limits[] = {
		{ RLIMIT_NOFILE, 0, "open files" },
		{ RLIMIT_NPROC, 0, "processes" },
		{ RLIMIT_CORE, 0, "core" },
		{ RLIMIT_DATA, DATA_MAX, "memory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit had, want = { limits[i].value, limits[i].value };

		/* A limit that is lower already stays. */
		if (getrlimit((__rlimit_resource_t)limits[i].resource, &had) == 0 &&
		    had.rlim_max < want.rlim_max)
			want.rlim_cur = want.rlim_max = had.rlim_max;
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &want) < 0)
			return err_sys(e, "cannot limit %s", limits[i].name);
	}
	return 0;
}

static int leave_root(struct err *e)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	    setresuid(NOBODY, NOBODY, NOBODY) == 0)
		return 0;
	/* Root of a user namespace that maps nobody else: no more than a plain user outside. */
	if (errno == EINVAL || errno == EPERM)
		return 0;
	return err_sys(e, "cannot become nobody");
}

static int add_rules(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(allowed) && r == 0; i++)
		r = seccomp.rule_add(ctx, SCMP_ACT_ALLOW, allowed[i].syscall, allowed[i].nargs,
				     &allowed[i].arg);
	for (size_t i = 0; i < ARRAY_LEN(refused) && r == 0; i++)
		r = seccomp.rule_add(ctx, SCMP_ACT_ERRNO(EACCES), refused[i], 0, NULL);
	return r;
}

static int filter_calls(struct err *e)
{
	scmp_filter_ctx ctx = seccomp.init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!ctx)
		return err_set(e, ERR_UNAVAILABLE, "libseccomp gives no filter");
	r = add_rules(ctx);
	if (r == 0)
		r = seccomp.load(ctx);
	seccomp.release(ctx);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot load the system call filter");
	}
	return 0;
}

int convert_confine(struct err *e)
{
	if (!HAVE_ASAN && dl_open(&lib, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "cannot give up privileges");
	if (leave_root(e) < 0)
		return -1;
	/* The change of user cleared it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(e, "cannot end with the parent");
	/* The sanitizer's own calls and shadow memory would not survive what follows. */
	if (HAVE_ASAN)
		return 0;
	return set_limits(e) < 0 ? -1 : filter_calls(e);
}
