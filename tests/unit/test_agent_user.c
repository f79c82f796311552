/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/user.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/strv.h"

/* A root file system in a folder of its own. */
struct root {
	char path[64];
	int fd;
};

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment\n"
			     "broken:x:12\n"
			     "words:x:one:two:::\n"
			     "joe:x:1000:100:Joe,,:/home/joe:/bin/sh\n"
			     "1001:x:2002:2002::/home/digits:/bin/sh\n"
			     "joe:x:1500:1500::/home/second:/bin/sh\n"
			     "big:x:4294967295:1::/:\n"
			     "last:x:3000:3000::/home/last:/bin/sh";
static const char group[] = "root:x:0:root\n"
			    "wheel:x:10:root,joe\n"
			    "users:x:100:\n"
			    "broken:x:ten:joe\n"
			    "joeys:x:11:joey,jo\n"
			    "video:x:44:last,joe\n";

static void put(struct root *r, const char *name, const void *p, size_t n)
{
	struct err e = ERR_INIT;

	assert_int_equal(file_write_replace(r->fd, name, p, n, 0644, &e), 0);
}

static int setup(void **state)
{
	struct root *r = xcalloc(1, sizeof(*r));
	struct err e = ERR_INIT;

	strcpy(r->path, "/tmp/kvbox-test-user-XXXXXX");
	assert_non_null(mkdtemp(r->path));
	assert_int_equal(fd_open_dir(AT_FDCWD, r->path, &r->fd, &e), 0);
	assert_int_equal(mkdirat(r->fd, "etc", 0755), 0);
	put(r, "etc/passwd", passwd, strlen(passwd));
	put(r, "etc/group", group, strlen(group));
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct root *r = *state;
	struct err e = ERR_INIT;

	fd_close(r->fd);
	assert_int_equal(dir_remove_tree(AT_FDCWD, r->path, &e), 0);
	free(r);
	return 0;
}

static void check(const struct root *r, const char *text, uid_t uid, const char *groups,
		  const char *home)
{
	auto_user struct user u = { 0 };
	auto_str struct str got = STR_INIT(1000);
	struct err e = ERR_INIT;

	if (user_lookup(r->fd, text, &u, &e) < 0)
		fail_msg("'%s': %s", text, e.msg);
	for (size_t i = 0; i < u.ngroups; i++)
		str_addf(&got, "%s%u", i ? " " : "", u.groups[i]);
	if (u.uid != uid || u.gid != u.groups[0] || strcmp(got.buf, groups) != 0 ||
	    strcmp(u.home, home) != 0)
		fail_msg("'%s': uid %u, groups %s, home %s", text, u.uid, got.buf, u.home);
}

static void names_and_numbers_follow_dockers_rules(void **state)
{
	static const struct {
		const char *text;
		uid_t uid;
		const char *groups; /* the group itself first */
		const char *home;
	} cases[] = {
		{ "", 0, "0 10", "/root" },
		{ "root", 0, "0 10", "/root" },
		{ "0", 0, "0 10", "/root" },
		{ "joe", 1000, "100 10 44", "/home/joe" },
		{ "1000", 1000, "100 10 44", "/home/joe" },
		{ "joe:", 1000, "100 10 44", "/home/joe" },
		/* an explicit group: no others */
		{ "joe:wheel", 1000, "10", "/home/joe" },
		{ "joe:44", 1000, "44", "/home/joe" },
		{ "joe:4444", 1000, "4444", "/home/joe" },
		{ ":video", 0, "44", "/root" },
		/* without an entry */
		{ "4242", 4242, "0", "/" },
		{ "4242:4343", 4242, "4343", "/" },
		{ "2147483647", 2147483647, "0", "/" },
		/* a name made of digits goes before the number */
		{ "1001", 2002, "2002", "/home/digits" },
		/* no newline at the end of the file */
		{ "last", 3000, "3000 44", "/home/last" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(*state, cases[i].text, cases[i].uid, cases[i].groups, cases[i].home);
}

static void more_groups_are_added_once_by_name_or_number(void **state)
{
	const struct root *r = *state;
	auto_user struct user u = { 0 };
	auto_strv struct strv names = STRV_INIT;
	auto_str struct str got = STR_INIT(1000);
	struct err e = ERR_INIT;

	assert_int_equal(user_lookup(r->fd, "joe", &u, &e), 0);
	strv_split(&names, "video users 4444 11", ' ');
	assert_int_equal(user_add_groups(r->fd, &names, &u, &e), 0);
	for (size_t i = 0; i < u.ngroups; i++)
		str_addf(&got, "%u ", u.groups[i]);
	assert_string_equal(got.buf, "100 10 44 4444 11 ");
	strv_clear(&names);
	strv_add(&names, "nogroup");
	assert_int_equal(user_add_groups(r->fd, &names, &u, &e), -1);
	assert_string_equal(e.msg,
			    "Unable to find group nogroup: no matching entries in group file");
	err_clear(&e);
	strv_clear(&names);
	strv_add(&names, "2147483648");
	assert_int_equal(user_add_groups(r->fd, &names, &u, &e), -1);
	assert_string_equal(e.msg, "uids and gids must be in range 0-2147483647");
}

static void ids_have_names_where_the_image_knows_them(void **state)
{
	const struct root *r = *state;
	auto_free char *joe = user_name(r->fd, 1000), *video = user_group_name(r->fd, 44);

	assert_string_equal(joe, "joe");
	assert_string_equal(video, "video");
	assert_null(user_name(r->fd, 4242));
	assert_null(user_group_name(r->fd, 4242));
}

static void check_error(const struct root *r, const char *text, const char *want)
{
	struct user u = { .uid = 77 };
	struct err e = ERR_INIT;

	assert_int_equal(user_lookup(r->fd, text, &u, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	assert_int_equal(u.uid, 77);
	if (!strstr(e.msg, want))
		fail_msg("'%s': '%s' is not in '%s'", text, want, e.msg);
}

static void what_cannot_be_found_is_told_in_dockers_words(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "nobody", "unable to find user nobody: no matching entries in passwd file" },
		{ "words", "unable to find user words: no matching entries in passwd file" },
		{ "broken", "unable to find user broken: no matching entries in passwd file" },
		{ "-1", "unable to find user -1: no matching entries in passwd file" },
		{ "joe:nogroup",
		  "unable to find group nogroup: no matching entries in group file" },
		{ "joe:broken", "unable to find group broken: no matching entries in group file" },
		{ "big", "uids and gids must be in range 0-2147483647" },
		{ "2147483648", "uids and gids must be in range 0-2147483647" },
		{ "0:2147483648", "uids and gids must be in range 0-2147483647" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_error(*state, cases[i].text, cases[i].want);
}

static void an_image_without_the_files_has_numbers_only(void **state)
{
	struct root *r = *state;

	assert_int_equal(unlinkat(r->fd, "etc/passwd", 0), 0);
	assert_int_equal(unlinkat(r->fd, "etc/group", 0), 0);
	check(r, "", 0, "0", "/");
	check(r, "5:6", 5, "6", "/");
	check_error(r, "root", "no matching entries in passwd file");
	check_error(r, "5:users", "no matching entries in group file");
}

static void links_stay_inside_the_root(void **state)
{
	struct root *r = *state;

	/*
	 * The host's own file has a root user with a home; the image's must be the one that counts.
	 */
	assert_int_equal(unlinkat(r->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("../../../../../../etc/passwd.real", r->fd, "etc/passwd"), 0);
	put(r, "etc/passwd.real", "root:x:0:7::/inside:\n", 21);
	check(r, "root", 0, "7 0 10", "/inside");
	assert_int_equal(unlinkat(r->fd, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("/etc/hostname", r->fd, "etc/passwd"), 0);
	check_error(r, "root", "no matching entries in passwd file");
}

static void a_fifo_or_device_in_place_of_the_file_is_refused_without_opening_it(void **state)
{
	struct root *r = *state;

	assert_int_equal(unlinkat(r->fd, "etc/passwd", 0), 0);
	assert_int_equal(mkfifoat(r->fd, "etc/passwd", 0644), 0);
	check_error(r, "joe", "'/etc/passwd' is not a regular file");
	assert_int_equal(unlinkat(r->fd, "etc/passwd", 0), 0);
	assert_int_equal(mkdirat(r->fd, "etc/passwd", 0755), 0);
	check_error(r, "joe", "'/etc/passwd' is not a regular file");
}

static void huge_files_and_lines_are_bounded(void **state)
{
	struct root *r = *state;
	auto_free char *line = xcalloc(1, 200001);
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	/* a line of 200 kB is skipped, what follows it counts */
	memset(line, 'x', 200000);
	line[200000] = '\n';
	assert_int_equal(fd_open(r->fd, "etc/passwd", O_WRONLY | O_TRUNC, 0, &fd, &e), 0);
	assert_int_equal(fd_write_full(fd, line, 200001, &e), 0);
	assert_int_equal(fd_write_full(fd, "joe:x:9:9::/h:\n", 15, &e), 0);
	check(r, "joe", 9, "9 10 44", "/h");
	/* a sparse file of a terabyte ends at the limit, not in an hour */
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	check_error(r, "nobody", "'/etc/passwd' is larger than 16777216 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_and_numbers_follow_dockers_rules, setup,
						teardown),
		cmocka_unit_test_setup_teardown(more_groups_are_added_once_by_name_or_number, setup,
						teardown),
		cmocka_unit_test_setup_teardown(ids_have_names_where_the_image_knows_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_found_is_told_in_dockers_words,
						setup, teardown),
		cmocka_unit_test_setup_teardown(an_image_without_the_files_has_numbers_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(links_stay_inside_the_root, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_fifo_or_device_in_place_of_the_file_is_refused_without_opening_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(huge_files_and_lines_are_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
