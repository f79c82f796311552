/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a process runs as: Docker's "user[:group]", names or numbers, looked up in the image's own
 * /etc/passwd and /etc/group. Both files are hostile: they are read as a stream, up to a limit,
 * lines that are too long or malformed are skipped.
 *
 * The rules are Docker's. A number that no entry has is taken as it is. Without a group, the group
 * is the one of the user's entry (0 without an entry) and the supplementary groups are those that
 * list the user's name; with one, there are none.
 */
#ifndef KVBOX_AGENT_USER_H
#define KVBOX_AGENT_USER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"

struct user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* as for setgroups: the group itself first */
	size_t ngroups;
	char *home; /* "/" where nothing is known */
};

/* ERR_INVALID with Docker's text ("unable to find user x: no matching entries in passwd file"). */
int user_lookup(int rootfd, const char *text, struct user *ret, struct err *e) MUST_CHECK;
/*
 * Adds groups by name or number to those the user has. ERR_INVALID with Docker's text ("Unable to find
 * group x: ...").
 */
int user_add_groups(int rootfd, const struct strv *names, struct user *u, struct err *e) MUST_CHECK;
/*
 * The name that an id has in the file, or NULL; what is wrong with the file counts as not found. The
 * caller frees.
 */
char *user_name(int rootfd, uid_t uid);
char *user_group_name(int rootfd, gid_t gid);

void user_release(struct user *u);
#define auto_user __attribute__((cleanup(user_release)))

#endif
