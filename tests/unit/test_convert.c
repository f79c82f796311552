/* SPDX-License-Identifier: Apache-2.0 */
/* The child is this program itself, started with the verb's name. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/convert.h"
#include "tests/unit/image_listing.h"
#include "tests/unit/tarball.h"

static const struct tarball_entry entries[] = {
	{ .name = "./", .type = '5' },
	{ .name = "file", .type = '0', .data = "text" },
	{ .name = "\xc3\xa9", .type = '0', .pax = { { "path", "e\xcc\x81" } } },
};

/* Feeds the tar and takes the result. */
static int convert(const struct str *tar, int out, struct convert_result *ret, struct err *e)
{
	auto_convert struct convert c = CONVERT_INIT;
	struct err pipe_error = ERR_INIT;

	assert_true(convert_start(out, &c, e) >= 0);
	/* A child that has seen enough closes its end. */
	if (fd_write_full(c.in_fd, tar->buf, tar->len, &pipe_error) < 0)
		assert_int_equal(pipe_error.sys, EPIPE);
	return convert_finish(&c, ret, e);
}

static void a_layer_is_converted_by_a_child(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	struct convert_result result;
	char want[DIGEST_TEXT_SIZE];
	auto_close int out = -1;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	assert_ok(digest_of(tar.buf, tar.len, want, &e));
	assert_ok(fd_memfd("out", &out, &e));
	assert_ok(convert(&tar, out, &result, &e));
	assert_string_equal(result.diffid, want);
	assert_int_equal(result.tar_size, tar.len);
	assert_int_equal(result.entries, 3);
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal((uint64_t)st.st_size, result.image_size);
	image_listing(out, &got);
	assert_string_equal(got.buf, "/ d755 0:0\n/e\xcc\x81 f644 0:0 ''\n/file f644 0:0 'text'\n");
}

static void the_childs_error_is_the_callers(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE);
	struct convert_result result;
	auto_close int out = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fd_memfd("out", &out, &e));
	str_add(&tar, "\x1f\x8b\x08 garbage that goes on and on");
	assert_int_equal(convert(&tar, out, &result, &e), -1);
	assert_string_equal(e.msg, "damaged gzip data");
	assert_int_equal(e.kind, ERR_CORRUPT);
	err_clear(&e);
	/* More than the pipe holds, of which the child reads the beginning only. */
	while (tar.len < 3 << 20)
		str_add(&tar, "more and more garbage, megabytes of it; ");
	assert_fails(convert(&tar, out, &result, &e), "damaged gzip data");
}

static void a_child_that_dies_is_reported(void **state)
{
	auto_convert struct convert c = CONVERT_INIT;
	struct convert_result result;
	auto_close int out = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fd_memfd("out", &out, &e));
	assert_ok(convert_start(out, &c, &e));
	assert_ok(proc_signal(&c.proc, SIGKILL, &e));
	assert_fails(convert_finish(&c, &result, &e), "ended without a result (signal 9)");
}

static void a_missing_program_is_an_error_of_the_start(void **state)
{
	auto_convert struct convert c = CONVERT_INIT;
	auto_close int out = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fd_memfd("out", &out, &e));
	setenv("KVBOX_CONVERT", "/nonexistent/kvbox", 1);
	assert_fails(convert_start(out, &c, &e), "cannot start the layer converter");
	unsetenv("KVBOX_CONVERT");
	assert_int_equal(c.in_fd, -1);
}

/* The value of a line of /proc/<pid>/status. */
static long status_of(pid_t pid, const char *key)
{
	auto_free char *path = xasprintf("/proc/%d/status", pid);
	auto_str struct str text = STR_INIT(1 << 16);
	struct err e = ERR_INIT;
	const char *line;

	assert_ok(file_read(AT_FDCWD, path, &text, &e));
	line = strstr(text.buf, key);
	return line ? strtol(line + strlen(key), NULL, 10) : -1;
}

static void the_child_has_nothing_but_its_descriptors(void **state)
{
	auto_convert struct convert c = CONVERT_INIT;
	auto_close int out = -1;
	struct err e = ERR_INIT;
	int64_t until = clock_monotonic() + 100 * (int64_t)1000000000;

	(void)state;
	assert_ok(fd_memfd("out", &out, &e));
	assert_ok(convert_start(out, &c, &e));
	/* It confines itself before it reads, and waits for us then. */
	while (status_of(c.proc.pid, "NoNewPrivs:") != 1 && clock_monotonic() < until)
		usleep(1000);
	assert_int_equal(status_of(c.proc.pid, "NoNewPrivs:"), 1);
	if (geteuid() == 0) {
		while (status_of(c.proc.pid, "Uid:") != 65534 && clock_monotonic() < until)
			usleep(1000);
		assert_int_equal(status_of(c.proc.pid, "Uid:"), 65534);
		assert_int_equal(status_of(c.proc.pid, "CapEff:"), 0);
	}
#ifndef __SANITIZE_ADDRESS__
	while (status_of(c.proc.pid, "Seccomp:") != 2 && clock_monotonic() < until)
		usleep(1000);
	assert_int_equal(status_of(c.proc.pid, "Seccomp:"), 2);
#endif
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void nothing_is_left_open_or_running(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE);
	int before = open_descriptors();
	struct convert_result result;
	struct err e = ERR_INIT;

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	for (int i = 0; i < 3; i++) {
		struct convert c = CONVERT_INIT;
		auto_close int out = -1;
		pid_t pid;

		assert_ok(fd_memfd("out", &out, &e));
		assert_ok(convert(&tar, out, &result, &e));
		assert_ok(convert_start(out, &c, &e));
		pid = c.proc.pid;
		convert_release(&c);
		assert_int_equal(kill(pid, 0), -1);
	}
	assert_int_equal(open_descriptors(), before);
}

static void a_chain_is_built_by_a_child(void **state)
{
	auto_str struct str tar = STR_INIT(STR_HUGE), got = STR_INIT(STR_HUGE);
	struct convert_layer layers[CONVERT_LAYERS_MAX];
	struct convert_result result;
	auto_close int layer = -1, out = -1;
	struct err e = ERR_INIT;
	char diffid[DIGEST_TEXT_SIZE];

	(void)state;
	tar_all(&tar, entries, ARRAY_LEN(entries));
	assert_ok(fd_memfd("layer", &layer, &e));
	assert_ok(convert(&tar, layer, &result, &e));
	memcpy(diffid, result.diffid, sizeof(diffid));
	for (size_t i = 0; i < ARRAY_LEN(layers); i++)
		layers[i] = (struct convert_layer){ .fd = layer, .diffid = diffid };
	for (size_t n = 1; n <= ARRAY_LEN(layers); n += 63) {
		auto_free char *want = xasprintf("/ d755 0:0\n/e\xcc\x81 f644 0:0 ''\n"
						 "/file f644 0:0 @%zu:1+4\n",
						 n);

		assert_ok(fd_memfd("chain", &out, &e));
		assert_ok(convert_chain(layers, n, out, &result, &e));
		assert_string_equal(result.diffid, "");
		assert_int_equal(result.entries, 3);
		str_clear(&got);
		image_listing(out, &got);
		assert_string_equal(got.buf, want);
		fd_close(out);
		out = -1;
	}
}

static void a_chain_over_a_damaged_layer_is_refused(void **state)
{
	struct convert_layer layer = {
		.diffid = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	};
	auto_close int empty = -1, out = -1;
	struct convert_result result;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fd_memfd("empty", &empty, &e));
	assert_ok(fd_memfd("out", &out, &e));
	layer.fd = empty;
	assert_fails(convert_chain(&layer, 1, out, &result, &e),
		     "layer 1: damaged layer image: too short");
	layer.diffid = "sha256:short";
	assert_fails(convert_chain(&layer, 1, out, &result, &e), "bad diffID 'sha256:short'");
	assert_fails(convert_chain(&layer, 0, out, &result, &e), "0 layers");
}

static void a_chain_id_is_computed_as_the_image_specification_says(void **state)
{
	const char *const diffids[] = {
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
	};
	const char *const bad[] = { diffids[0], "sha256:x" };
	char got[DIGEST_TEXT_SIZE];
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(convert_chain_id(diffids, 1, got, &e));
	assert_string_equal(got, diffids[0]);
	assert_ok(convert_chain_id(diffids, 2, got, &e));
	assert_string_equal(
		got, "sha256:a893da35bd22286079f2f3931516d3423eb9b4945f2379e0f8a501ec3d665dd6");
	assert_ok(convert_chain_id(diffids, 3, got, &e));
	assert_string_equal(
		got, "sha256:2b4724a8f2212d34cdbc2102ef2f3bb3c553331672bc420f3e892742d3cf56cc");
	assert_fails(convert_chain_id(bad, 2, got, &e), "bad diffID 'sha256:x'");
	assert_fails(convert_chain_id(diffids, 0, got, &e), "without layers");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_layer_is_converted_by_a_child),
		cmocka_unit_test(the_childs_error_is_the_callers),
		cmocka_unit_test(a_child_that_dies_is_reported),
		cmocka_unit_test(a_missing_program_is_an_error_of_the_start),
		cmocka_unit_test(the_child_has_nothing_but_its_descriptors),
		cmocka_unit_test(nothing_is_left_open_or_running),
		cmocka_unit_test(a_chain_is_built_by_a_child),
		cmocka_unit_test(a_chain_over_a_damaged_layer_is_refused),
		cmocka_unit_test(a_chain_id_is_computed_as_the_image_specification_says),
	};

	if (argc > 1 && strcmp(argv[1], "convert") == 0)
		return convert_main(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
