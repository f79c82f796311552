/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order is runc's where it matters, with one difference. A filter without no_new_privs needs
 * CAP_SYS_ADMIN, so runc installs it before it changes the user, and its own later calls have to be
 * allowed by the profile. Here the process keeps that one capability across the change of user, and the
 * filter comes last in either case. exec then computes the capabilities anew, out of the bounding set
 * for root and to none for others, so nothing is left of it.
 */
#include "agent/privileges.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define NOFILE_DEFAULT 1048576
#define CAPS_MAX       64

void privileges_init(struct privileges *p)
{
	*p = (struct privileges){ .capabilities = UINT64_MAX };
}

void privileges_release(struct privileges *p)
{
	free(p->filter);
	privileges_init(p);
}

/* ---- limits ---------------------------------------------------------------------------------- */

void privileges_clamp(const struct privileges_rlimit *want, uint64_t max, uint64_t *soft,
		      uint64_t *hard)
{
	*hard = want->hard < 0 ? RLIM_INFINITY : (uint64_t)want->hard;
	*soft = want->soft < 0 ? RLIM_INFINITY : (uint64_t)want->soft;
	*hard = *hard > max ? max : *hard;
	*soft = *soft > *hard ? *hard : *soft;
}

/* The most that the kernel allows for open files; nothing else is limited for the agent. */
static uint64_t largest(int64_t resource)
{
	auto_str struct str text = STR_INIT(64);
	struct err e = ERR_INIT;
	uint64_t n;

	if (resource != RLIMIT_NOFILE)
		return RLIM_INFINITY;
	if (file_read(AT_FDCWD, "/proc/sys/fs/nr_open", &text, &e) < 0)
		return NOFILE_DEFAULT;
	n = strtoull(text.buf, NULL, 10);
	return n ? n : NOFILE_DEFAULT;
}

static int try_limit(const struct privileges_rlimit *want, uint64_t max)
{
	struct rlimit64 r = { 0, 0 };
	uint64_t soft, hard;

	privileges_clamp(want, max, &soft, &hard);
	r.rlim_cur = soft;
	r.rlim_max = hard;
	return (int)syscall(SYS_prlimit64, 0, (unsigned int)want->resource, &r, NULL);
}

static void limit(const struct privileges_rlimit *want)
{
	/*
	 * Too much for this kernel, which says what it allows? One that does not take it at all does not know
	 * the resource: not a reason to fail.
	 */
	if (try_limit(want, RLIM_INFINITY) < 0 && errno == EPERM)
		try_limit(want, largest(want->resource));
}

static int set_oom_score(int64_t score, struct err *e)
{
	auto_close int fd = -1;
	char text[32];

	if (score == 0)
		return 0;
	snprintf(text, sizeof(text), "%lld", (long long)score);
	if (fd_open(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY, 0, &fd, e) < 0 ||
	    fd_write_full(fd, text, strlen(text), e) < 0)
		return err_wrap(e, "cannot set the OOM score");
	return 0;
}

int privileges_set_limits(const struct privileges *p, struct err *e)
{
	static const struct privileges_rlimit defaults[] = {
		{ RLIMIT_NOFILE, NOFILE_DEFAULT, NOFILE_DEFAULT },
		{ RLIMIT_NPROC, -1, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		limit(&defaults[i]);
	for (size_t i = 0; i < p->nrlimits; i++)
		limit(&p->rlimits[i]);
	return set_oom_score(p->oom_score_adj, e);
}

/* ---- capabilities and user ------------------------------------------------------------------- */

static int drop_bounding(uint64_t keep, struct err *e)
{
	for (int i = 0; i < CAPS_MAX; i++) {
		if (keep >> i & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		/* Behind the last one that the kernel knows. */
		if (errno == EINVAL)
			break;
		return err_sys(e, "cannot drop capability %d", i);
	}
	return 0;
}

/* The ambient set goes with the inheritable one. */
static int set_capabilities(uint64_t caps, struct err *e)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2], now[2];

	if (syscall(SYS_capget, &head, now) < 0)
		return err_sys(e, "cannot read the capabilities");
	for (int i = 0; i < 2; i++) {
		/* None is gained, and unknown bits are an error. */
		data[i].permitted = (uint32_t)(caps >> 32 * i) & now[i].permitted;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(e, "cannot set the capabilities");
	return 0;
}

static bool needs_admin(const struct privileges *p)
{
	return p->filter && !p->no_new_privs;
}

static int change_user(const struct user *u, struct err *e)
{
	if (setgroups(u->ngroups, u->groups) < 0)
		return err_sys(e, "cannot set the groups");
	if (setresgid(u->gid, u->gid, u->gid) < 0)
		return err_sys(e, "cannot set the group");
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return err_sys(e, "cannot set the user");
	return 0;
}

int privileges_become(const struct privileges *p, const struct user *u, struct err *e)
{
	uint64_t caps = u->uid == 0 ? p->capabilities : 0;

	if (drop_bounding(p->capabilities, e) < 0)
		return -1;
	if (needs_admin(p)) {
		caps |= UINT64_C(1) << CAP_SYS_ADMIN;
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
			return err_sys(e, "cannot keep capabilities");
	}
	if (change_user(u, e) < 0 || set_capabilities(caps, e) < 0)
		return -1;
	if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot set no_new_privs");
	return 0;
}

int privileges_install_filter(const struct privileges *p, struct err *e)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(p->filter_size / sizeof(struct sock_filter)),
		.filter = p->filter,
	};

	if (p->filter && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return err_sys(e, "cannot install the seccomp filter");
	return 0;
}
