/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

#include "base/json.h"
#include "engine/eventlog.h"

static void read_log(struct fixture *f, struct strv *lines)
{
	auto_str struct str text = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;

	assert_ok(file_read(f->paths.root_fd, EVENTLOG_FILE, &text, &e));
	assert_true(text.len > 0 && text.buf[text.len - 1] == '\n');
	str_truncate(&text, text.len - 1);
	strv_split(lines, text.buf, '\n');
}

static const char *field(const struct json *j, const char *key)
{
	return json_str(json_get(j, key));
}

static void a_line_has_time_type_action_id_and_attributes(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv attributes = STRV_INIT;
	auto_strv struct strv lines = STRV_INIT;
	auto_json struct json *j = NULL;
	struct err e = ERR_INIT;

	strv_add(&attributes, "name=a \"b\"\nc");
	eventlog_add(&f->paths, "container", "die", "abc", &attributes);
	eventlog_add(&f->paths, "image", "pull", "def", NULL);
	read_log(f, &lines);
	assert_int_equal(lines.n, 2);
	assert_ok(json_parse(lines.v[0], strlen(lines.v[0]), &j, &e));
	assert_true(json_int(json_get(j, "time"), 0) > 0);
	assert_string_equal(field(j, "type"), "container");
	assert_string_equal(field(j, "action"), "die");
	assert_string_equal(field(j, "id"), "abc");
	assert_string_equal(field(json_get(j, "attributes"), "name"), "a \"b\"\nc");
}

static void an_event_too_long_loses_its_attributes_only(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv attributes = STRV_INIT;
	auto_strv struct strv lines = STRV_INIT;
	auto_free char *big = xcalloc(1, EVENTLOG_LINE_MAX + 1);

	memset(big, 'x', EVENTLOG_LINE_MAX);
	strv_addf(&attributes, "k=%s", big);
	eventlog_add(&f->paths, "container", "die", "abc", &attributes);
	read_log(f, &lines);
	assert_int_equal(lines.n, 1);
	assert_non_null(strstr(lines.v[0], "\"attributes\":{}"));
}

static void lines_of_several_writers_do_not_mix(void **state)
{
	enum { WRITERS = 4, LINES = 200 };
	struct fixture *f = *state;
	auto_strv struct strv lines = STRV_INIT;
	pid_t pids[WRITERS];

	for (int w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		if (pids[w] > 0)
			continue;
		for (int i = 0; i < LINES; i++)
			eventlog_add(&f->paths, "container", "start", "abcdef", NULL);
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++)
		assert_int_equal(waitpid(pids[w], NULL, 0), pids[w]);
	read_log(f, &lines);
	assert_int_equal(lines.n, WRITERS * LINES);
	for (size_t i = 0; i < lines.n; i++) {
		auto_json struct json *j = NULL;
		struct err e = ERR_INIT;

		assert_ok(json_parse(lines.v[i], strlen(lines.v[i]), &j, &e));
	}
}

/* The disk was full, or the power was cut. */
static void behind_half_a_line_a_new_one_begins(void **state)
{
	struct fixture *f = *state;
	auto_strv struct strv lines = STRV_INIT;
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	eventlog_add(&f->paths, "container", "start", "abc", NULL);
	assert_ok(fd_open(f->paths.root_fd, EVENTLOG_FILE, O_WRONLY | O_APPEND, 0, &fd, &e));
	assert_ok(fd_write_full(fd, "{\"time\":17", 10, &e));
	eventlog_add(&f->paths, "container", "die", "abc", NULL);
	eventlog_add(&f->paths, "container", "destroy", "abc", NULL);
	read_log(f, &lines);
	assert_int_equal(lines.n, 4);
	assert_string_equal(lines.v[1], "{\"time\":17");
	assert_non_null(strstr(lines.v[2], "\"die\""));
	assert_non_null(strstr(lines.v[3], "\"destroy\""));
}

static void a_life_leaves_its_events(void **state)
{
	static const char *const want[] = { "create", "die", "destroy" };
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct vmstate vm = { .phase = VM_RUNNING, .started_at = 5 };
	auto_strv struct strv lines = STRV_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "web", false, id);
	fixture_begin_start(f, id);
	/* The monitor was killed: "start" was its to tell, "die" is not any more. */
	fixture_write_state(f, id, &vm);
	assert_ok(container_finish(f->store, id, &e));
	assert_ok(container_remove(f->store, id, 0, &e));
	read_log(f, &lines);
	assert_int_equal(lines.n, ARRAY_LEN(want));
	for (size_t i = 0; i < lines.n; i++) {
		auto_json struct json *j = NULL;

		assert_ok(json_parse(lines.v[i], strlen(lines.v[i]), &j, &e));
		assert_string_equal(field(j, "action"), want[i]);
		assert_string_equal(field(j, "id"), id);
		assert_string_equal(field(json_get(j, "attributes"), "name"), "web");
	}
	assert_non_null(strstr(lines.v[1], "\"exitCode\":\"137\""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_time_type_action_id_and_attributes),
		TEST(an_event_too_long_loses_its_attributes_only),
		TEST(lines_of_several_writers_do_not_mix),
		TEST(behind_half_a_line_a_new_one_begins),
		TEST(a_life_leaves_its_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
