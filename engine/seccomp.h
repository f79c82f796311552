/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: Docker's profiles, made into the program that the kernel runs.
 *
 * The default profile is a table of ours (seccomp_default.c) with the effect of Docker's; a
 * user's is Docker's JSON: "defaultAction", "defaultErrnoRet", "architectures" or "archMap",
 * "syscalls" with names, action, errnoRet, args, includes and excludes. Which rules count depends
 * on the container's capabilities, on the architecture, and on the kernel, which is the guest's.
 *
 * A system call that is newer than all those a profile knows fails with ENOSYS and not with the
 * default action's error, so that programs fall back to older ones (as runc does it, unless the
 * default action lets it through).
 */
#ifndef KVBOX_ENGINE_SECCOMP_H
#define KVBOX_ENGINE_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* The longest text of a profile. */
#define SECCOMP_PROFILE_MAX ((size_t)1 << 20)
/* What a program takes at most: the kernel's 4096 instructions of 8 bytes. */
#define SECCOMP_FILTER_MAX ((size_t)4096 * 8)
/* A container without a filter (--security-opt seccomp=unconfined). */
#define SECCOMP_UNCONFINED "unconfined"

/* Whether a user's profile can be used: `n` bytes of JSON. ERR_INVALID says what is wrong. */
int seccomp_check(const char *text, size_t n, struct err *e) MUST_CHECK;

/*
 * Appends the filter, an array of struct sock_filter, to `ret` (which needs room for
 * SECCOMP_FILTER_MAX); nothing where there is none. `profile`: "" or "builtin" is the default
 * one, SECCOMP_UNCONFINED none, all else a profile's JSON. `caps` are the container's
 * capabilities. `kernel` is the guest's release ("6.12.90-kvbox"), "" meaning the newest.
 *
 * A privileged container has no filter where the user named no profile: that is for the caller to
 * see to. ERR_UNAVAILABLE without libseccomp, whose tables of numbers are used.
 */
int seccomp_compile(const char *profile, const char *kernel, uint64_t caps, struct str *ret,
		    struct err *e) MUST_CHECK;
/* Whether it is the default one. */
bool seccomp_is_default(const char *profile);
/* The same for the newest kernel, the usual program from where it is remembered: the run root. */
int seccomp_recall(const char *profile, uint64_t caps, int run_fd, struct str *ret,
		   struct err *e) MUST_CHECK;

#endif
