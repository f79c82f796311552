/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "cmd/run_spec.h"
#include "tests/unit/run_line.h"

/* A list written as words with "|" between; "" is none. */
static void set_list(struct strv *list, const char *joined)
{
	strv_clear(list);
	if (*joined)
		strv_split(list, joined, '|');
}

static void assert_list(const struct strv *list, const char *joined)
{
	auto_str struct str out = STR_INIT(4096);

	for (size_t i = 0; i < list->n; i++)
		str_addf(&out, "%s%s", i ? "|" : "", list->v[i]);
	assert_string_equal(out.buf, joined);
}

static void make_image(struct image *image)
{
	image_init(image);
	image->id = xstrdup(
		"sha256:1111111111111111111111111111111111111111111111111111111111111111");
	image->chain = xstrdup(
		"sha256:2222222222222222222222222222222222222222222222222222222222222222");
	strv_add(&image->config.layers,
		 "sha256:3333333333333333333333333333333333333333333333333333333333333333");
	platform_host(&image->config.platform);
}

/* Both steps, with the words after the image joined by "|". */
static int build(struct run_args *a, const char *command, const struct image *image,
		 struct container_spec *ret, struct err *e)
{
	auto_strv struct strv words = STRV_INIT;
	struct operands operands;

	set_list(&words, command);
	operands = (struct operands){ words.v, (int)words.n };
	spec_init(ret);
	if (run_spec_options(a, &operands, ret, e) < 0)
		return -1;
	return run_spec_image(ret, image, "img", e);
}

static void arguments_follow_dockers_rules(void **state)
{
	static const struct {
		const char *image_entrypoint, *image_cmd, *entrypoint, *command, *want;
	} cases[] = {
		{ "", "sh", NULL, "", "sh" },	       { "", "sh", NULL, "ls|-l", "ls|-l" },
		{ "/e|-x", "c", NULL, "", "/e|-x|c" }, { "/e", "c", NULL, "ls", "/e|ls" },
		{ "/e", "c", "/mine", "", "/mine" },   { "/e", "c", "/mine", "a", "/mine|a" },
		{ "/e", "c", "", "ls", "ls" },	       { "", "", "/mine", "", "/mine" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run_args a = { .entrypoint = cases[i].entrypoint };
		auto_spec struct container_spec spec;
		auto_image struct image image;
		struct err e = ERR_INIT;

		make_image(&image);
		set_list(&image.config.entrypoint, cases[i].image_entrypoint);
		set_list(&image.config.cmd, cases[i].image_cmd);
		assert_ok(build(&a, cases[i].command, &image, &spec, &e));
		assert_list(&spec.args, cases[i].want);
	}
}

static void without_any_command_there_is_nothing_to_run(void **state)
{
	static const struct {
		const char *image_cmd, *entrypoint;
	} cases[] = { { "", NULL }, { "sh", "" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run_args a = { .entrypoint = cases[i].entrypoint };
		auto_spec struct container_spec spec;
		auto_image struct image image;
		struct err e = ERR_INIT;

		make_image(&image);
		set_list(&image.config.cmd, cases[i].image_cmd);
		assert_fails(build(&a, "", &image, &spec, &e), "no command specified");
	}
}

#define PATH_FIRST RUN_PATH_DEFAULT "|HOSTNAME=h"

static void the_environment_is_put_together_in_dockers_order(void **state)
{
	static const struct {
		const char *image, *given;
		bool tty;
		const char *want, *config;
	} cases[] = {
		{ "", "", false, PATH_FIRST, RUN_PATH_DEFAULT },
		{ "", "", true, PATH_FIRST "|TERM=xterm", RUN_PATH_DEFAULT },
		{ "A=i|B=i", "B=u|C=u", false, PATH_FIRST "|B=u|C=u|A=i",
		  RUN_PATH_DEFAULT "|B=u|C=u|A=i" },
		{ "PATH=/bin", "", false, "PATH=/bin|HOSTNAME=h", "PATH=/bin" },
		{ "A=i", "HOSTNAME=x|TERM=y", true, RUN_PATH_DEFAULT "|HOSTNAME=x|TERM=y|A=i",
		  RUN_PATH_DEFAULT "|HOSTNAME=x|TERM=y|A=i" },
		{ "A=i|AB=i", "A", false, PATH_FIRST "|AB=i", RUN_PATH_DEFAULT "|AB=i" },
		{ "", "A=1|A=2", false, PATH_FIRST "|A=2", RUN_PATH_DEFAULT "|A=2" },
	};

	(void)state;
	unsetenv("A");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run_args a = { .network.hostname = "h", .tty = cases[i].tty };
		auto_strv struct strv config = STRV_INIT;
		auto_spec struct container_spec spec;
		auto_image struct image image;
		struct err e = ERR_INIT;

		make_image(&image);
		set_list(&image.config.env, cases[i].image);
		set_list(&a.env, cases[i].given);
		assert_ok(build(&a, "sh", &image, &spec, &e));
		assert_list(&spec.env, cases[i].want);
		run_spec_config_env(&spec, &config);
		assert_list(&config, cases[i].config);
		strv_release(&a.env);
	}
}

static void labels_are_merged_and_sorted_by_key(void **state)
{
	struct run_args a = { 0 };
	auto_spec struct container_spec spec;
	auto_image struct image image;
	struct err e = ERR_INIT;

	(void)state;
	make_image(&image);
	set_list(&image.config.labels, "b=image|a.b=image|z=image");
	set_list(&a.labels, "z=user|a=user");
	assert_ok(build(&a, "sh", &image, &spec, &e));
	assert_list(&spec.labels, "a=user|a.b=image|b=image|z=user");
	strv_release(&a.labels);
}

static void what_no_option_says_the_image_says(void **state)
{
	struct run_args plain = { 0 };
	struct run_args own = { .user = "1",
				.workdir = "/w",
				.stop_signal = "INT",
				.network.hostname = "box",
				.rm = true,
				.limits.memory = 64 << 20,
				.stop_timeout = { true, 3 } };
	auto_spec struct container_spec spec, mine;
	auto_image struct image image;
	struct err e = ERR_INIT;

	(void)state;
	make_image(&image);
	free(image.config.user);
	free(image.config.workdir);
	free(image.config.stop_signal);
	image.config.user = xstrdup("app");
	image.config.workdir = xstrdup("/srv");
	image.config.stop_signal = xstrdup("SIGQUIT");
	assert_ok(build(&plain, "sh", &image, &spec, &e));
	assert_string_equal(spec.user, "app");
	assert_string_equal(spec.workdir, "/srv");
	assert_string_equal(spec.stop_signal, "SIGQUIT");
	assert_int_equal(spec.stop_timeout, SPEC_STOP_TIMEOUT_DEFAULT);
	assert_int_equal(strlen(spec.id), 64);
	assert_int_equal(strlen(spec.hostname), 12);
	assert_memory_equal(spec.hostname, spec.id, 12);
	assert_string_equal(spec.image_ref, "img");
	assert_string_equal(spec.image_id, image.id);
	assert_ok(build(&own, "sh", &image, &mine, &e));
	assert_string_equal(mine.user, "1");
	assert_string_equal(mine.workdir, "/w");
	assert_string_equal(mine.stop_signal, "INT");
	assert_string_equal(mine.hostname, "box");
	assert_int_equal(mine.stop_timeout, 3);
	assert_int_equal(mine.memory, 64 << 20);
	assert_true(mine.auto_remove);
}

static void streams_are_attached_as_asked_for(void **state)
{
	static const struct {
		bool interactive, detach;
		const char *attach;
		bool in, out, err, once;
	} cases[] = {
		{ false, false, "", false, true, true, false },
		{ true, false, "", true, true, true, true },
		{ true, true, "", false, false, false, false },
		{ true, false, "STDERR", false, false, true, false },
		{ true, false, "stdin|stdout", true, true, false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run_args a = { .interactive = cases[i].interactive,
				      .detach = cases[i].detach };
		auto_spec struct container_spec spec;
		auto_image struct image image;
		struct err e = ERR_INIT;

		make_image(&image);
		set_list(&a.attach, cases[i].attach);
		assert_ok(build(&a, "sh", &image, &spec, &e));
		assert_int_equal(spec.attach_stdin, cases[i].in);
		assert_int_equal(spec.attach_stdout, cases[i].out);
		assert_int_equal(spec.attach_stderr, cases[i].err);
		assert_int_equal(spec.stdin_once, cases[i].once);
		assert_int_equal(spec.open_stdin, cases[i].interactive);
		strv_release(&a.attach);
	}
}

static void the_image_config_is_taken_over(void **state)
{
	struct run_args plain = { 0 };
	auto_spec struct container_spec spec;
	auto_image struct image image;
	struct err e = ERR_INIT;

	(void)state;
	make_image(&image);
	set_list(&image.config.env, "A=1|=x||B=2");
	set_list(&image.config.exposed_ports, "80/tcp|443/tcp");
	set_list(&image.config.volumes, "/data");
	set_list(&image.config.shell, "/bin/bash|-c");
	image.config.healthcheck = xstrdup("{\"Test\":[\"CMD\",\"x\"],\"Retries\":2}");
	assert_ok(build(&plain, "sh", &image, &spec, &e));
	assert_non_null(strv_env_get(&spec.env, "A"));
	assert_non_null(strv_env_get(&spec.env, "B"));
	for (size_t i = 0; i < spec.env.n; i++)
		assert_true(spec.env.v[i][0] && spec.env.v[i][0] != '=');
	assert_list(&spec.exposed_ports, "443/tcp|80/tcp");
	assert_list(&spec.volumes, "/data");
	assert_list(&spec.shell, "/bin/bash|-c");
	assert_list(&spec.health.test, "CMD|x");
	assert_int_equal(spec.health.retries, 2);
}

static void options_are_checked_where_docker_checks_them(void **state)
{
	static const struct line_case cases[] = {
		{ "-w|/x", LINE_OK, "Config.WorkingDir=\"/x\"" },
		{ "-w|rel", LINE_ENGINE, "the working directory 'rel' is invalid" },
		{ "--stop-signal|INT", LINE_OK, "Config.StopSignal=\"INT\"" },
		{ "--stop-signal|NOPE", LINE_ENGINE, "invalid signal: NOPE" },
		{ "", LINE_OK, "Config.StopTimeout=-" },
		{ "--stop-timeout|3", LINE_OK, "Config.StopTimeout=3" },
		{ "--stop-timeout|-7", LINE_OK, "Config.StopTimeout=-1" },
		{ "--stop-timeout|99999999999", LINE_OK, "Config.StopTimeout=2147483647" },
		{ "--stop-timeout|x", LINE_FLAG,
		  "strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ "-a|stdx", LINE_FLAG,
		  "invalid argument \"stdx\" for \"-a, --attach\" flag: valid streams are STDIN, "
		  "STDOUT and STDERR" },
		{ "-a|STDERR", LINE_OK, "Config.AttachStdout=false" },
		{ "-e|", LINE_FLAG,
		  "invalid argument \"\" for \"-e, --env\" flag: invalid environment variable: " },
		{ "-e|=x", LINE_FLAG, "invalid environment variable: =x" },
		{ "-l|", LINE_FLAG, "for \"-l, --label\" flag: invalid label '': empty name" },
		{ "-l|=x", LINE_FLAG, "invalid label '=x': empty name" },
		{ "--env-file|/nonexist", LINE_CLIENT,
		  "open /nonexist: no such file or directory" },
		{ "--label-file|/nonexist", LINE_CLIENT,
		  "open /nonexist: no such file or directory" },
		{ "--cidfile|/x/cid", LINE_OK, "HostConfig.ContainerIDFile=\"/x/cid\"" },
		{ "-it", LINE_OK, "Config.StdinOnce=true" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_follow_dockers_rules),
		cmocka_unit_test(without_any_command_there_is_nothing_to_run),
		cmocka_unit_test(the_environment_is_put_together_in_dockers_order),
		cmocka_unit_test(labels_are_merged_and_sorted_by_key),
		cmocka_unit_test(what_no_option_says_the_image_says),
		cmocka_unit_test(streams_are_attached_as_asked_for),
		cmocka_unit_test(the_image_config_is_taken_over),
		cmocka_unit_test(options_are_checked_where_docker_checks_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
