/* SPDX-License-Identifier: Apache-2.0 */
/* Trees (engine/tree.h) that a test makes by hand. */
#ifndef KVBOX_TESTS_FIXTURE_TREE_H
#define KVBOX_TESTS_FIXTURE_TREE_H

#include "tests/unit/unit.h"

#include <string.h>

#include "engine/tree.h"

/* A new inode of that mode, under that name in the folder. */
static inline uint32_t add(struct tree *t, uint32_t folder, const char *name, uint16_t mode)
{
	struct err e = ERR_INIT;
	uint32_t inode = 0;

	assert_ok(tree_inode_new(t, mode, &inode, &e));
	assert_ok(tree_link(t, folder, name, strlen(name), inode, &e));
	return inode;
}

#endif
