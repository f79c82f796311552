/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cidfile.h"

static char *make_folder(void)
{
	char *path = xstrdup("/tmp/kvbox-cidfile.XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static void the_file_stays_only_with_its_container(void **state)
{
	auto_free char *folder = make_folder();
	auto_free char *path = xasprintf("%s/cid", folder);
	auto_str struct str text = STR_INIT(100);
	struct err e = ERR_INIT;

	(void)state;
	{
		auto_cidfile struct cidfile f = CIDFILE_INIT;

		assert_ok(cidfile_open(&f, path, &e));
		assert_true(file_exists(AT_FDCWD, path));
	}
	assert_false(file_exists(AT_FDCWD, path));
	{
		auto_cidfile struct cidfile f = CIDFILE_INIT;

		assert_ok(cidfile_open(&f, path, &e));
		assert_ok(cidfile_write(&f, "0123", &e));
		cidfile_keep(&f);
	}
	assert_ok(file_read(AT_FDCWD, path, &text, &e));
	assert_string_equal(text.buf, "0123");
	unlink(path);
	rmdir(folder);
}

static void a_file_that_is_there_is_left_alone(void **state)
{
	auto_free char *folder = make_folder();
	auto_free char *path = xasprintf("%s/cid", folder);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_write_replace(AT_FDCWD, path, "x", 1, 0600, &e));
	{
		auto_cidfile struct cidfile f = CIDFILE_INIT;

		assert_fails(cidfile_open(&f, path, &e), "container ID file found, make sure the");
	}
	assert_true(file_exists(AT_FDCWD, path));
	unlink(path);
	rmdir(folder);
}

static void a_path_that_cannot_be_is_told_in_dockers_words(void **state)
{
	auto_cidfile struct cidfile f = CIDFILE_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_fails(cidfile_open(&f, "/nonexist/cid", &e),
		     "failed to create the container ID file: open /nonexist/cid: no such file or "
		     "directory");
	assert_int_equal(f.fd, -1);
}

static void no_path_is_no_file(void **state)
{
	auto_cidfile struct cidfile f = CIDFILE_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(cidfile_open(&f, NULL, &e));
	assert_ok(cidfile_open(&f, "", &e));
	assert_ok(cidfile_write(&f, "0123", &e));
	cidfile_keep(&f);
	assert_int_equal(f.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_stays_only_with_its_container),
		cmocka_unit_test(a_file_that_is_there_is_left_alone),
		cmocka_unit_test(a_path_that_cannot_be_is_told_in_dockers_words),
		cmocka_unit_test(no_path_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
