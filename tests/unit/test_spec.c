/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/spec.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void set(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
}

static void fill(struct container_spec *s)
{
	spec_init(s);
	set(&s->id, ID);
	set(&s->name, "web");
	s->created_ns = 1234567890123456789;
	set(&s->image_ref, "busybox");
	set(&s->image_id, "sha256:1");
	set(&s->platform, "linux/amd64");
	set(&s->chain, "sha256:2");
	strv_add(&s->layers, "sha256:3");
	strv_add(&s->layers, "sha256:4");
	strv_add(&s->args, "sh");
	strv_add(&s->args, "-c");
	strv_add(&s->args, "echo \"a\nb\" \xc3\xa4");
	strv_add(&s->entrypoint, "sh");
	strv_add(&s->cmd, "-c");
	strv_add(&s->env, "A=b=c");
	strv_add(&s->env, "EMPTY=");
	set(&s->workdir, "/srv");
	set(&s->user, "1:2");
	set(&s->hostname, "host");
	strv_add(&s->labels, "k=v=w");
	s->tty = s->stdin_once = s->attach_stdout = true;
	s->memory = 1 << 30;
	s->nano_cpus = 1500000000;
	s->disk_size = (int64_t)3 << 40;
	set(&s->stop_signal, "SIGINT");
	s->stop_timeout = -1;
	strv_add(&s->health.test, "CMD-SHELL");
	strv_add(&s->health.test, "true");
	s->health.interval = 1500000000;
	s->health.retries = 3;
	strv_add(&s->tmpfs, "/run=size=1m");
	strv_add(&s->sysctls, "net.a=1");
	strv_add(&s->ulimits, "nofile=1:2");
	set(&s->seccomp, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	set(&s->restart_policy, "on-failure");
	s->restart_max = 2;
	s->privileged = s->unmasked = s->init = true;
}

static void assert_same_list(const struct strv *a, const struct strv *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_string_equal(a->v[i], b->v[i]);
}

static void what_is_written_is_read(void **state)
{
	auto_spec struct container_spec s;
	auto_spec struct container_spec back = { 0 };
	auto_str struct str text = STR_INIT(SPEC_TEXT_MAX);
	auto_str struct str again = STR_INIT(SPEC_TEXT_MAX);
	struct err e = ERR_INIT;

	(void)state;
	fill(&s);
	spec_write(&s, &text);
	assert_ok(spec_read(text.buf, text.len, &back, &e));
	assert_string_equal(back.id, s.id);
	assert_int_equal(back.created_ns, s.created_ns);
	assert_same_list(&back.layers, &s.layers);
	assert_same_list(&back.args, &s.args);
	assert_same_list(&back.env, &s.env);
	assert_same_list(&back.labels, &s.labels);
	assert_true(back.tty && back.stdin_once && back.attach_stdout);
	assert_false(back.open_stdin || back.auto_remove);
	assert_int_equal(back.stop_timeout, -1);
	assert_int_equal(back.disk_size, s.disk_size);
	assert_string_equal(back.network_mode, "none");
	assert_same_list(&back.health.test, &s.health.test);
	assert_same_list(&back.tmpfs, &s.tmpfs);
	assert_string_equal(back.seccomp, s.seccomp);
	assert_true(back.privileged && back.unmasked && back.init);
	/* Whatever there is, all of it. */
	spec_write(&back, &again);
	assert_string_equal(again.buf, text.buf);
}

static void what_is_as_at_first_is_not_written(void **state)
{
	auto_spec struct container_spec s;
	auto_str struct str text = STR_INIT(SPEC_TEXT_MAX);

	(void)state;
	spec_init(&s);
	set(&s.id, ID);
	s.stop_timeout = 0;
	spec_write(&s, &text);
	assert_string_equal(text.buf, "{\"format\":1,\"id\":\"" ID
				      "\",\"name\":\"\",\"chain\":\"\",\"layers\":[],"
				      "\"stop_timeout\":0}");
}

static void what_is_not_there_has_its_default(void **state)
{
	static const char text[] = "{\"format\":1,\"id\":\"" ID "\",\"name\":\"n\",\"chain\":\"c\","
				   "\"layers\":[],\"unknown\":[1,{}]}";
	auto_spec struct container_spec s = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(spec_read(text, strlen(text), &s, &e));
	assert_string_equal(s.network_mode, "none");
	assert_string_equal(s.workdir, "");
	assert_int_equal(s.stop_timeout, SPEC_STOP_TIMEOUT_DEFAULT);
	assert_int_equal(s.memory_swappiness, -1);
	assert_string_equal(s.seccomp, "");
}

static void damage_is_named(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "damaged" },
		{ "[]", "damaged" },
		{ "{\"format\":1}", "id" },
		{ "{\"format\":2,\"id\":\"" ID "\",\"name\":\"n\",\"chain\":\"c\",\"layers\":[]}",
		  "format 2 is not known" },
		{ "{\"format\":1,\"id\":\"../../"
		  "etc\",\"name\":\"n\",\"chain\":\"c\",\"layers\":[]}",
		  "id '../../etc' is not valid" },
		{ "{\"format\":1,\"id\":\"" ID "\",\"name\":\"n\",\"chain\":\"c\",\"layers\":[1]}",
		  "layers[0]" },
		{ "{\"format\":1,\"id\":\"" ID "\",\"name\":\"n\",\"chain\":\"c\",\"layers\":[],"
		  "\"tty\":\"yes\"}",
		  "tty" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container_spec s = { 0 };
		struct err e = ERR_INIT;

		assert_int_equal(spec_read(cases[i].text, strlen(cases[i].text), &s, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (!strstr(e.msg, cases[i].want))
			fail_msg("'%s' lacks '%s'", e.msg, cases[i].want);
		assert_null(s.id);
	}
}

static void words_of_the_command_with_blanks_stand_in_quotes(void **state)
{
	auto_spec struct container_spec s;
	auto_free char *command = NULL;

	(void)state;
	fill(&s);
	command = spec_command(&s);
	assert_string_equal(command, "sh -c 'echo \"a\nb\" \xc3\xa4'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_as_at_first_is_not_written),
		cmocka_unit_test(what_is_not_there_has_its_default),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(words_of_the_command_with_blanks_stand_in_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
