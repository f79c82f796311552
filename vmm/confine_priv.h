/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the confinement of VMMs: what is tried (confine_plan.c), its paths (confine_paths.c), its filter
 * (confine_filter.c), its user (confine_user.c). */
#ifndef KVBOX_VMM_CONFINE_PRIV_H
#define KVBOX_VMM_CONFINE_PRIV_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/spawn_confined.h"
#include "base/strv.h"

/* ---- what is tried, and what comes of it ---- */

#define CONFINE_WHY_SIZE 240 /* confine_check.h has it as well */
struct confine_plan {
	bool namespaces, user_namespace, root, change_user;
	struct confine_result result; /* of the last try; set by spawn_confined */
	char why_not[CONFINE_STEP_COUNT][CONFINE_WHY_SIZE]; /* "": nothing is known beforehand */
};
/* All that the caller's user can hope for. */
void confine_plan_init(struct confine_plan *p);
void confine_plan_note(struct confine_plan *p, enum confine_step step, const char *why);
void confine_plan_apply(const struct confine_plan *p, struct confinement *ret);
/* After a try that failed with `e`: leaves out what the host refuses, and what depends on it; false: it was
 * something else. */
bool confine_plan_weaken(struct confine_plan *p, const struct err *e);
bool confine_plan_applied(const struct confine_plan *p, enum confine_step step);
/* Why not; NULL: it was applied, or is not needed. */
const char *confine_plan_missing(const struct confine_plan *p, enum confine_step step);

/* ---- paths ---- */

struct confine_paths {
	struct confine_path *v;
	size_t n, cap;
	struct strv text; /* all strings of it */
};
void confine_paths_release(struct confine_paths *p);
/* Copies both. What an earlier folder has already is only allowed, not mounted again. */
void confine_paths_add(struct confine_paths *p, enum confine_kind kind, const char *source,
		       const char *target, unsigned access);
/* A program with its interpreter and library folders, and the folders `data` (ended by NULL, may be NULL)
 * of its prefix: "share/qemu" is /usr/share/qemu for /usr/bin/x. `binary` is resolved already. */
int confine_paths_add_program(struct confine_paths *p, const char *binary, const char *const *data,
			      struct err *e) MUST_CHECK;
/* null, zero, urandom, and with `kvm` that. */
void confine_paths_add_devices(struct confine_paths *p, bool kvm);

/* ---- filter ---- */

#define CONFINE_FILTER_MAX 256
/* `flags` as VMM_SPAWN_*. Returns the number of instructions. */
size_t confine_filter(unsigned flags, struct sock_filter ret[CONFINE_FILTER_MAX]);

/* ---- user ---- */

#define CONFINE_UID_FIRST 2000000000u
#define CONFINE_UID_COUNT (1u << 26)
/* A user that no other VM of this run root has, as long as *ret_fd is open. */
int confine_lease_uid(int run_root, uid_t *ret, int *ret_fd, struct err *e) MUST_CHECK;

#endif
