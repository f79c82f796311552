/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of spawn_confined.c. */
#ifndef KVBOX_BASE_CONFINED_PRIV_H
#define KVBOX_BASE_CONFINED_PRIV_H

#include "base/spawn_confined.h"

/* What confined_change_root works on, made before the child is born. */
struct new_root {
	const struct confinement *how;
	int *trees;	 /* room for an open mount of each path */
	int *proc_error; /* set: 0, or why there is no /proc */
};

/* In the child: system calls only. -1 with errno. */
int confined_change_root(struct new_root *k);

#endif
