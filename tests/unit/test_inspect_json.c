/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "cmd/inspect_json.h"
#include "cmd/run_spec.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define S  INT64_C(1000000000)

static void set_text(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
}

/* Parses what was written back, so that the tests look at values and not at blanks. */
static struct json *parse(const struct str *text)
{
	struct err e = ERR_INIT;
	struct json *j = NULL;

	assert_ok(json_parse(text->buf, text->len, &j, &e));
	return j;
}

static struct json *container_json(struct container *row, struct container_spec *spec, int64_t pid)
{
	const struct inspect_container c = { row, spec, "/log", pid };
	auto_str struct str out = STR_INIT(65536);
	struct json_writer w;

	jw_init(&w, &out, 4);
	inspect_container_json(&w, &c);
	return parse(&out);
}

static const struct json *at(const struct json *j, const char *first, const char *second)
{
	j = json_get(j, first);
	return second ? json_get(j, second) : j;
}

static void a_running_container_has_dockers_fields(void **state)
{
	struct container row = {
		.id = ID, .state = ST_RUNNING, .created_ns = 1 * S, .started_ns = 2 * S
	};
	auto_spec struct container_spec spec;
	auto_json struct json *j = NULL;

	(void)state;
	row.name = xstrdup("web");
	spec_init(&spec);
	strv_add(&spec.args, "/bin/sh");
	strv_add(&spec.args, "-c");
	strv_add(&spec.cmd, "-c");
	strv_add(&spec.entrypoint, "/bin/sh");
	strv_add(&spec.env, RUN_PATH_DEFAULT);
	strv_add(&spec.env, "HOSTNAME=h");
	strv_add(&spec.env, "A=1");
	strv_add(&spec.labels, "k=v=w");
	set_text(&spec.hostname, "h");
	set_text(&spec.image_ref, "img");
	set_text(&spec.image_id, "sha256:" ID);
	spec.memory = 64;
	j = container_json(&row, &spec, 77);
	assert_string_equal(json_str(at(j, "Id", NULL)), ID);
	assert_string_equal(json_str(at(j, "Name", NULL)), "/web");
	assert_string_equal(json_str(at(j, "Path", NULL)), "/bin/sh");
	assert_string_equal(json_str(json_at(at(j, "Args", NULL), 0)), "-c");
	assert_string_equal(json_str(at(j, "Created", NULL)), "1970-01-01T00:00:01Z");
	assert_string_equal(json_str(at(j, "State", "Status")), "running");
	assert_true(json_bool(at(j, "State", "Running")));
	assert_int_equal(json_int(at(j, "State", "Pid"), 0), 77);
	assert_string_equal(json_str(at(j, "State", "StartedAt")), "1970-01-01T00:00:02Z");
	assert_string_equal(json_str(at(j, "State", "FinishedAt")), "0001-01-01T00:00:00Z");
	assert_string_equal(json_str(at(j, "Config", "Image")), "img");
	assert_int_equal(json_len(at(j, "Config", "Env")), 2);
	assert_string_equal(json_str(json_at(at(j, "Config", "Env"), 1)), "A=1");
	assert_string_equal(json_str(json_get(at(j, "Config", "Labels"), "k")), "v=w");
	assert_null(json_str(at(j, "Config", "StopSignal")));
	assert_int_equal(json_int(at(j, "HostConfig", "Memory"), 0), 64);
	assert_string_equal(json_str(at(j, "HostConfig", "NetworkMode")), "none");
	assert_true(json_is_object(json_get(at(j, "NetworkSettings", "Networks"), "none")));
	container_release(&row);
}

static void states_are_told_in_dockers_words(void **state)
{
	static const struct {
		enum state st;
		const char *word;
		bool running, paused;
	} cases[] = {
		{ ST_CREATED, "created", false, false }, { ST_STARTING, "created", false, false },
		{ ST_PAUSED, "paused", true, true },	 { ST_STOPPING, "running", true, false },
		{ ST_EXITED, "exited", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container row = { .id = ID, .state = cases[i].st };
		auto_spec struct container_spec spec;
		auto_json struct json *j = NULL;

		spec_init(&spec);
		row.name = xstrdup("x");
		j = container_json(&row, &spec, 0);
		assert_string_equal(json_str(at(j, "State", "Status")), cases[i].word);
		assert_int_equal(json_bool(at(j, "State", "Running")), cases[i].running);
		assert_int_equal(json_bool(at(j, "State", "Paused")), cases[i].paused);
		container_release(&row);
	}
}

static void an_image_has_dockers_fields(void **state)
{
	auto_str struct str out = STR_INIT(65536);
	auto_image struct image image;
	auto_json struct json *j = NULL;
	struct json_writer w;

	(void)state;
	image_init(&image);
	set_text(&image.id, "sha256:" ID);
	image.created = 1 * S;
	image.size = 42;
	strv_add(&image.tags, "a:b");
	strv_add(&image.config.layers, "sha256:" ID);
	strv_add(&image.config.exposed_ports, "80/tcp");
	strcpy(image.config.platform.os, "linux");
	strcpy(image.config.platform.arch, "amd64");
	jw_init(&w, &out, 4);
	inspect_image_json(&w, &image);
	j = parse(&out);
	assert_string_equal(json_str(at(j, "Id", NULL)), "sha256:" ID);
	assert_string_equal(json_str(json_at(at(j, "RepoTags", NULL), 0)), "a:b");
	assert_int_equal(json_len(at(j, "RepoDigests", NULL)), 0);
	assert_int_equal(json_int(at(j, "Size", NULL), 0), 42);
	assert_string_equal(json_str(at(j, "Architecture", NULL)), "amd64");
	assert_string_equal(json_str(json_at(at(j, "RootFS", "Layers"), 0)), "sha256:" ID);
	assert_true(json_is_object(json_get(at(j, "Config", "ExposedPorts"), "80/tcp")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_container_has_dockers_fields),
		cmocka_unit_test(states_are_told_in_dockers_words),
		cmocka_unit_test(an_image_has_dockers_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
