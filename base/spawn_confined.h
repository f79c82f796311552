/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child that can reach next to nothing: namespaces, a root of its own, another user, no capabilities,
 * Landlock and a filter of system calls. What it may have is a table made by the caller; the policy is
 * not decided here (vmm/confine.h).
 *
 * Calling order: fill in `struct confinement`, call spawn_confined. When a step fails that the child's
 * arguments depend on (namespaces, the new root, the user), nothing runs and the result says which: the
 * caller may leave it out and try again. All other steps are applied as far as the host allows, and
 * the result tells what could not be.
 *
 * The child is killed when the *thread* that called this ends, as with spawn.h's `die_with_parent`.
 */
#ifndef KVBOX_BASE_SPAWN_CONFINED_H
#define KVBOX_BASE_SPAWN_CONFINED_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/spawn.h"

enum confine_step {
	CONFINE_USER_NS,    /* for those who need one to be allowed the rest */
	CONFINE_NAMESPACES, /* pid, mount, network, IPC, UTS */
	CONFINE_ROOT,	    /* a root folder of its own */
	CONFINE_PROC,	    /* /proc of its own in there */
	CONFINE_USER,	    /* user and group of its own */
	CONFINE_CGROUP,	    /* born there, or put there by `place` */
	CONFINE_NO_CORE,    /* no core dumps */
	CONFINE_NO_NEW_PRIVS,
	CONFINE_NO_CAPS,
	CONFINE_LANDLOCK,
	CONFINE_SECCOMP,
	CONFINE_STEP_COUNT,
};
/* "namespaces", ... for people and for JSON. */
const char *confine_step_name(enum confine_step step);

#define CONFINE_NOT_ASKED (-1)
struct confine_result {
	int error[CONFINE_STEP_COUNT]; /* 0: applied; CONFINE_NOT_ASKED; else errno */
	int landlock_abi;	       /* 0: the kernel has none */
};

enum confine_kind {
	CONFINE_BIND,	/* a file or folder of the host (with all that is mounted below it) */
	CONFINE_LINK,	/* a symbolic link; `source` is its text */
	CONFINE_DEVICE, /* a node of its own, of the child's user, like `source`; else a bind */
	CONFINE_PROCFS, /* the child's own /proc, with its own processes only */
	CONFINE_RULE,	/* is in a folder that is there already, and may be more than that folder */
};
enum confine_access {
	CONFINE_MAY_READ = 1u << 0,
	CONFINE_MAY_WRITE = 1u << 1,
	CONFINE_MAY_EXEC = 1u << 2,   /* execute, which loading a library is not */
	CONFINE_MAY_CREATE = 1u << 3, /* files and sockets in that folder, and remove them */
	CONFINE_IS_DEVICE = 1u << 4,  /* a device that is opened and controlled */
	CONFINE_MAY_LIST = 1u << 6,   /* open folders and see their names, and no more */
	CONFINE_OPTIONAL = 1u << 5,   /* nothing is wrong when there is no such file */
};
/* One thing the child can reach. Without a root of its own: the rule of Landlock for `source`. */
struct confine_path {
	enum confine_kind kind;
	const char *source;
	const char *target; /* in the new root, absolute; parents first */
	unsigned access;
};

struct confinement {
	bool namespaces;
	bool user_namespace; /* one more, in which the child has the caller's own user, as number 1 */
	bool root;	     /* needs namespaces */
	const struct confine_path *paths;
	size_t npaths;
	bool change_user;
	uid_t uid;
	gid_t gid;
	bool landlock;
	const struct sock_filter *filter;
	size_t filter_length; /* 0: none */
	/* Called in this process with the child's pid as soon as it has executed, unless it was born in the cgroup
	 * of `struct spawn`: puts it into cgroups. 0 or errno; NULL: it stays where it is. */
	int (*place)(void *ctx, pid_t pid);
	void *ctx;
};

/* As spawn_start; `cwd` and `die_with_parent` of `s` do not count (the folder is /), and its path is
 * absolute and one in the new root. The cgroup is only a wish. *result is filled in also on failure. */
int spawn_confined(const struct spawn *s, const struct confinement *c, struct proc *ret,
		   struct confine_result *result, struct err *e) MUST_CHECK;

/*
 * One more file of the host in the root of a child that runs: at `target`, in a folder that is there.
 * `user_namespace` as it was started with. Waits for the few system calls of a helper. Landlock, which is
 * decided at the start, has to allow it already.
 */
int spawn_confined_show(const struct proc *p, bool user_namespace, const struct confine_path *path,
			struct err *e) MUST_CHECK;
/* Takes it away again; what has it open keeps it. */
int spawn_confined_hide(const struct proc *p, bool user_namespace, const char *target,
			struct err *e) MUST_CHECK;

/* True when leaving the step out could make a failed spawn_confined work. */
bool confine_failed_at(const struct confine_result *r, enum confine_step step);

#endif
