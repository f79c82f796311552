/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/user.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/root.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

#define FILE_MAX       (16u * 1024 * 1024)
#define LINE_MAX_BYTES 65536u
#define GROUPS_MAX     65536u
/* As runc: the largest number that is taken for a user or group. */
#define ID_MAX INT32_MAX

/* ---- lines of a file ------------------------------------------------------------------------- */

struct lines {
	const char *path;
	int fd; /* -1: there is no such file */
	size_t total, at, n;
	char buf[4096];
	struct str line;
};

static void lines_release(struct lines *l)
{
	fd_close(take_fd(&l->fd));
	str_release(&l->line);
}

static int lines_open(int rootfd, const char *path, struct lines *l, struct err *e)
{
	l->path = path;
	l->fd = -1;
	l->total = l->at = l->n = 0;
	str_init(&l->line, LINE_MAX_BYTES);
	if (root_open_file(rootfd, path, &l->fd, e) == 0)
		return 0;
	if (e->kind != ERR_NOT_FOUND)
		return -1;
	err_clear(e);
	return 0;
}

static int refill(struct lines *l, struct err *e)
{
	ssize_t got;

	if (l->total >= FILE_MAX)
		return err_set(e, ERR_INVALID, "'%s' is larger than %u bytes", l->path, FILE_MAX);
	got = fd_read_full(l->fd, l->buf, sizeof(l->buf), e);
	if (got < 0)
		return -1;
	l->at = 0;
	l->n = (size_t)got;
	l->total += l->n;
	return got > 0;
}

/* 1 with the next line that is not too long, 0 at the end. */
static int lines_next(struct lines *l, char **ret, struct err *e)
{
	bool any = false;

	str_clear(&l->line);
	if (l->fd < 0)
		return 0;
	for (;;) {
		const char *from, *end;
		size_t part;

		if (l->at == l->n) {
			int r = refill(l, e);

			if (r < 0)
				return -1;
			if (r == 0)
				break;
		}
		any = true;
		from = l->buf + l->at;
		end = memchr(from, '\n', l->n - l->at);
		part = end ? (size_t)(end - from) : l->n - l->at;
		str_addn(&l->line, from, part);
		l->at += part + (end ? 1 : 0);
		if (!end)
			continue;
		if (!l->line.over)
			break;
		str_clear(&l->line);
		any = false;
	}
	*ret = l->line.buf;
	return any && !l->line.over;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* Cuts a line at its colons; false when it has fewer than `n` fields. Later ones are dropped. */
static bool fields(char *line, char **ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ret[i] = strsep(&line, ":");
		if (!ret[i])
			return false;
	}
	if (line)
		ret[n - 1][strcspn(ret[n - 1], ":")] = '\0';
	return true;
}

static bool number(const char *text, uint64_t *ret)
{
	struct err none = ERR_INIT;

	/* Most of those that are none are names. */
	return *text >= '0' && *text <= '9' && parse_u64(text, UINT32_MAX, ret, &none) == 0;
}

/*
 * name:password:uid:gid:comment:home:shell. 1 when the user has an entry; *name is then its name.
 */
static int find_user(int rootfd, const char *want, struct user *u, char **name, struct err *e)
{
	__attribute__((cleanup(lines_release))) struct lines l;
	uint64_t id = 0, uid, gid;
	bool is_number = number(want, &id);
	char *line, *f[7];
	int r;

	if (lines_open(rootfd, "/etc/passwd", &l, e) < 0)
		return -1;
	while ((r = lines_next(&l, &line, e)) > 0) {
		if (!fields(line, f, 6) || !number(f[2], &uid) || !number(f[3], &gid))
			continue;
		if (*want && strcmp(f[0], want) != 0 && !(is_number && uid == id))
			continue;
		if (!*want && uid != 0)
			continue;
		u->uid = (uid_t)uid;
		u->gid = (gid_t)gid;
		free(u->home);
		u->home = xstrdup(f[5]);
		*name = xstrdup(f[0]);
		return 1;
	}
	return r;
}

static void add_group(struct user *u, gid_t gid)
{
	for (size_t i = 0; i < u->ngroups; i++) {
		if (u->groups[i] == gid)
			return;
	}
	if (u->ngroups == GROUPS_MAX)
		return;
	/* One at a time: there are few, and the limit bounds what a hostile file can cost. */
	u->groups = xreallocarray(u->groups, u->ngroups + 1, sizeof(*u->groups));
	u->groups[u->ngroups++] = gid;
}

static bool lists(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ","))) {
		if (strcmp(member, name) == 0)
			return true;
	}
	return false;
}

/* name:password:gid:members. All groups that list the user. */
static int supplementary_groups(int rootfd, const char *name, struct user *u, struct err *e)
{
	__attribute__((cleanup(lines_release))) struct lines l;
	char *line, *f[4];
	uint64_t gid;
	int r;

	if (lines_open(rootfd, "/etc/group", &l, e) < 0)
		return -1;
	while ((r = lines_next(&l, &line, e)) > 0) {
		if (fields(line, f, 4) && number(f[2], &gid) && lists(f[3], name))
			add_group(u, (gid_t)gid);
	}
	return r;
}

/* 1 when the group has an entry. */
static int find_group(int rootfd, const char *want, gid_t *ret, struct err *e)
{
	__attribute__((cleanup(lines_release))) struct lines l;
	uint64_t id = 0, gid;
	bool is_number = number(want, &id);
	char *line, *f[3];
	int r;

	if (lines_open(rootfd, "/etc/group", &l, e) < 0)
		return -1;
	while ((r = lines_next(&l, &line, e)) > 0) {
		if (!fields(line, f, 3) || !number(f[2], &gid))
			continue;
		if (strcmp(f[0], want) == 0 || (is_number && gid == id)) {
			*ret = (gid_t)gid;
			return 1;
		}
	}
	return r;
}

/* ---- the rules ------------------------------------------------------------------------------- */

static int number_in_range(uint64_t id, struct err *e)
{
	if (id > ID_MAX)
		return err_set(e, ERR_INVALID, "uids and gids must be in range 0-%d", ID_MAX);
	return 0;
}

static int lookup_user(int rootfd, const char *want, struct user *u, char **name, struct err *e)
{
	uint64_t id;
	int r = find_user(rootfd, want, u, name, e);

	if (r < 0)
		return err_wrap(e, "unable to find user '%s'", want);
	if (r > 0)
		return number_in_range(u->uid, e);
	if (!*want)
		return 0;
	if (!number(want, &id))
		return err_set(e, ERR_INVALID,
			       "unable to find user %s: no matching entries in passwd file", want);
	u->uid = (uid_t)id;
	return number_in_range(id, e);
}

static int lookup_group(int rootfd, const char *want, struct user *u, struct err *e)
{
	uint64_t id;
	int r = find_group(rootfd, want, &u->gid, e);

	if (r < 0)
		return err_wrap(e, "unable to find group '%s'", want);
	if (r > 0)
		return number_in_range(u->gid, e);
	if (!number(want, &id))
		return err_set(e, ERR_INVALID,
			       "unable to find group %s: no matching entries in group file", want);
	u->gid = (gid_t)id;
	return number_in_range(id, e);
}

int user_lookup(int rootfd, const char *text, struct user *ret, struct err *e)
{
	auto_user struct user u = { .home = xstrdup("/") };
	size_t n = strcspn(text, ":");
	auto_free char *want = xstrndup(text, n), *name = NULL;
	const char *group = text[n] ? text + n + 1 : "";

	if (lookup_user(rootfd, want, &u, &name, e) < 0)
		return -1;
	if (*group && lookup_group(rootfd, group, &u, e) < 0)
		return -1;
	add_group(&u, u.gid);
	if (!*group && name && supplementary_groups(rootfd, name, &u, e) < 0)
		return err_wrap(e, "unable to find the groups of user '%s'", name);
	*ret = u;
	u = (struct user){ 0 };
	return 0;
}

static int add_named_group(int rootfd, const char *want, struct user *u, struct err *e)
{
	uint64_t id;
	gid_t gid = 0;
	int r = find_group(rootfd, want, &gid, e);

	if (r < 0)
		return err_wrap(e, "Unable to find group %s", want);
	if (r == 0) {
		if (!number(want, &id))
			return err_set(e, ERR_INVALID,
				       "Unable to find group %s: no matching entries in group file",
				       want);
		gid = (gid_t)id;
	}
	if (number_in_range(gid, e) < 0)
		return -1;
	add_group(u, gid);
	return 0;
}

int user_add_groups(int rootfd, const struct strv *names, struct user *u, struct err *e)
{
	for (size_t i = 0; i < names->n; i++) {
		if (add_named_group(rootfd, names->v[i], u, e) < 0)
			return -1;
	}
	return 0;
}

/* The first field of the first line whose third is the number. */
static char *name_of(int rootfd, const char *path, uint64_t id)
{
	__attribute__((cleanup(lines_release))) struct lines l;
	struct err e = ERR_INIT;
	char *line, *f[3];
	uint64_t n;

	if (lines_open(rootfd, path, &l, &e) < 0)
		return NULL;
	while (lines_next(&l, &line, &e) > 0) {
		if (fields(line, f, 3) && *f[0] && number(f[2], &n) && n == id)
			return xstrdup(f[0]);
	}
	return NULL;
}

char *user_name(int rootfd, uid_t uid)
{
	return name_of(rootfd, "/etc/passwd", uid);
}

char *user_group_name(int rootfd, gid_t gid)
{
	return name_of(rootfd, "/etc/group", gid);
}

void user_release(struct user *u)
{
	free(u->groups);
	free(u->home);
	*u = (struct user){ 0 };
}
