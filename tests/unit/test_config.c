/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/config.h"

static char folder[] = "/tmp/kvbox-test-config-XXXXXX";

static void write_config(const char *text)
{
	auto_free char *path = xasprintf("%s/config.json", folder);
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(AT_FDCWD, path, text, strlen(text), 0600, &e));
}

static void settings_come_from_the_file_and_empty_ones_are_none(void **state)
{
	struct cmd c = { .paths = PATHS_INIT };

	(void)state;
	write_config("{\"auths\":{},\"detachKeys\":\"ctrl-x\",\"psFormat\":\"table {{.ID}}\","
		     "\"imagesFormat\":\"\",\"statsFormat\":null,\"other\":[1]}");
	assert_string_equal(config_detach_keys(&c), "ctrl-x");
	assert_string_equal(config_ps_format(&c), "table {{.ID}}");
	assert_null(config_images_format(&c));
	assert_null(config_stats_format(&c));
	/* It is read once. */
	write_config("{}");
	assert_string_equal(config_detach_keys(&c), "ctrl-x");
	cmd_release(&c);
}

/* What is written to standard error while the settings are read. */
static void read_warning(struct cmd *c, char *ret, size_t n)
{
	int saved = fcntl(2, F_DUPFD_CLOEXEC, 3), ends[2];
	ssize_t got;

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(dup2(ends[1], 2) == 2);
	assert_null(config_detach_keys(c));
	assert_null(config_ps_format(c));
	assert_true(dup2(saved, 2) == 2);
	got = read(ends[0], ret, n - 1);
	ret[got > 0 ? got : 0] = '\0';
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

static void a_damaged_file_is_told_once_and_counts_as_empty(void **state)
{
	static const char *const bad[] = { "{\"psFormat\":\"x\",", "[]", "{\"detachKeys\":5}",
					   "{} x" };
	auto_free char *start = xasprintf("WARNING: Error parsing config file (%s/config.json): ",
					  folder);
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct cmd c = { .paths = PATHS_INIT };

		write_config(bad[i]);
		read_warning(&c, text, sizeof(text));
		assert_memory_equal(text, start, strlen(start));
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		cmd_release(&c);
	}
}

static void no_file_is_no_trouble(void **state)
{
	auto_free char *path = xasprintf("%s/config.json", folder);
	struct cmd c = { .paths = PATHS_INIT };
	char text[512];

	(void)state;
	unlink(path);
	read_warning(&c, text, sizeof(text));
	assert_string_equal(text, "");
	cmd_release(&c);
}

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	return setenv("DOCKER_CONFIG", folder, 1);
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_come_from_the_file_and_empty_ones_are_none),
		cmocka_unit_test(a_damaged_file_is_told_once_and_counts_as_empty),
		cmocka_unit_test(no_file_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
