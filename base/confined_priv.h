/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of spawn_confined.c. */
#ifndef KVBOX_BASE_CONFINED_PRIV_H
#define KVBOX_BASE_CONFINED_PRIV_H

#include "base/spawn_confined.h"

/* What confined_change_root works on, made before the child is born. */
struct new_root {
	const struct confinement *how;
	int *trees;	  /* room for an open mount of each path */
	int *proc_error;  /* set: 0, or why there is no /proc */
	const char *last; /* the target that was made before, NULL: none */
};

/* In the child: system calls only. -1 with errno. */
int confined_change_root(struct new_root *k);

/* In the child: a copy of the mount of `source`, restricted as `access` says. -1 with errno. */
int confined_clone_tree(const struct confine_path *p);

#endif
