/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture_store.h"

#include "engine/eventlog.h"
#include "engine/eventread.h"

static void add(struct fixture *f, const char *action, const char *id, const char *attribute)
{
	auto_strv struct strv attributes = STRV_INIT;

	if (attribute)
		strv_add(&attributes, attribute);
	eventlog_add(&f->paths, "container", action, id, &attributes);
}

static void append_text(struct fixture *f, const char *text)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(f->paths.root_fd, EVENTLOG_FILE, O_WRONLY | O_APPEND | O_CREAT, 0600, &fd,
			  &e));
	assert_ok(fd_write_full(fd, text, strlen(text), &e));
}

/* Fills the log until it is renamed. */
static void rotate(struct fixture *f)
{
	auto_strv struct strv attributes = STRV_INIT;
	auto_free char *big = xcalloc(1, 32 << 10);
	struct err e = ERR_INIT;
	uint64_t size = 0;

	memset(big, 'x', (32 << 10) - 1);
	strv_addf(&attributes, "big=%s", big);
	do {
		auto_close int fd = -1;

		eventlog_add(&f->paths, "filler", "fill", "x", &attributes);
		if (!file_exists(f->paths.root_fd, EVENTLOG_FILE))
			return;
		assert_ok(fd_open(f->paths.root_fd, EVENTLOG_FILE, O_RDONLY, 0, &fd, &e));
		assert_ok(fd_size(fd, &size, &e));
	} while (size < 2 * EVENTLOG_SIZE_MAX);
	fail_msg("the log grows without a bound");
}

/* The next event that is no filler; "" when there is none. */
static const char *next(struct eventread *r, struct logged_event *ev)
{
	struct err e = ERR_INIT;
	int got;

	while ((got = eventread_next(r, ev, &e)) > 0) {
		if (!str_eq(ev->type, "filler"))
			return ev->id;
	}
	assert_int_equal(got, 0);
	return "";
}

static void old_events_come_first_and_whole(void **state)
{
	auto_eventread struct eventread *r = NULL;
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	add(f, "create", "one", "b=2");
	add(f, "exec_start: sh -c x", "two", NULL);
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_OLD, &r, &e));
	assert_int_equal(eventread_fd(r), -1);
	assert_string_equal(next(r, &ev), "one");
	assert_string_equal(ev.action, "create");
	assert_string_equal(logged_event_attribute(&ev, "b"), "2");
	assert_null(logged_event_attribute(&ev, "c"));
	assert_string_equal(next(r, &ev), "two");
	assert_string_equal(ev.action, "exec_start: sh -c x");
	assert_string_equal(next(r, &ev), "");
}

static void without_old_ones_reading_begins_with_the_next(void **state)
{
	auto_eventread struct eventread *r = NULL;
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	add(f, "create", "old", NULL);
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_FOLLOW, &r, &e));
	assert_string_equal(next(r, &ev), "");
	add(f, "start", "new", NULL);
	assert_string_equal(next(r, &ev), "new");
}

static void a_log_that_is_not_there_is_empty_and_may_come(void **state)
{
	auto_eventread struct eventread *r = NULL;
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct pollfd p;

	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_FOLLOW, &r, &e));
	p = (struct pollfd){ .fd = eventread_fd(r), .events = POLLIN };
	assert_string_equal(next(r, &ev), "");
	add(f, "create", "first", NULL);
	assert_int_equal(poll(&p, 1, 100000), 1);
	assert_string_equal(next(r, &ev), "first");
	assert_string_equal(next(r, &ev), "");
}

static void damaged_unfinished_and_endless_lines_are_skipped(void **state)
{
	auto_eventread struct eventread *r = NULL;
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	struct fixture *f = *state;
	auto_free char *endless = xcalloc(1, 4 * EVENTLOG_LINE_MAX);
	struct err e = ERR_INIT;

	add(f, "create", "one", NULL);
	append_text(f, "not json\n{\"time\":1}\n\n{\"time\":1,\"type\":3,\"action\":\"a\"}\n");
	memset(endless, 'x', 4 * EVENTLOG_LINE_MAX - 1);
	append_text(f, endless);
	append_text(f, "\n{\"time\":1,\"type\":\"container\",\"act");
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_OLD, &r, &e));
	assert_string_equal(next(r, &ev), "one");
	assert_string_equal(next(r, &ev), "");
	append_text(f, "ion\":\"start\",\"id\":\"later\",\"attributes\":{}}\n");
	assert_string_equal(next(r, &ev), "later");
}

static void a_follower_misses_nothing_when_the_log_is_renamed(void **state)
{
	auto_eventread struct eventread *r = NULL, *all = NULL;
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	add(f, "create", "one", NULL);
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_FOLLOW, &r, &e));
	add(f, "create", "two", NULL);
	rotate(f);
	add(f, "create", "three", NULL);
	assert_string_equal(next(r, &ev), "two");
	assert_string_equal(next(r, &ev), "three");
	/* twice while nobody looks */
	add(f, "create", "four", NULL);
	rotate(f);
	add(f, "create", "five", NULL);
	rotate(f);
	add(f, "create", "six", NULL);
	assert_string_equal(next(r, &ev), "four");
	assert_string_equal(next(r, &ev), "five");
	assert_string_equal(next(r, &ev), "six");
	assert_string_equal(next(r, &ev), "");
	/* who comes later sees what is kept */
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_OLD, &all, &e));
	assert_string_equal(next(all, &ev), "five");
	assert_string_equal(next(all, &ev), "six");
}

/* Between the renaming and the next event there is no events.log. */
static void nothing_is_told_twice_when_the_log_was_just_renamed(void **state)
{
	auto_eventread struct eventread *early = NULL, *late = NULL, *all = NULL;
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_FOLLOW, &early, &e));
	add(f, "create", "one", NULL);
	rotate(f);
	assert_false(file_exists(f->paths.root_fd, EVENTLOG_FILE));
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_FOLLOW, &late, &e));
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_OLD | EVENTREAD_FOLLOW, &all, &e));
	assert_string_equal(next(early, &ev), "one");
	assert_string_equal(next(all, &ev), "one");
	for (int i = 0; i < 2; i++) {
		assert_string_equal(next(early, &ev), "");
		assert_string_equal(next(late, &ev), "");
		assert_string_equal(next(all, &ev), "");
	}
	add(f, "create", "two", NULL);
	assert_string_equal(next(early, &ev), "two");
	assert_string_equal(next(late, &ev), "two");
	assert_string_equal(next(all, &ev), "two");
	assert_string_equal(next(all, &ev), "");
}

static void writers_that_race_with_the_renaming_lose_nothing(void **state)
{
	/* less than what is kept, so that the reader may be slow */
	enum { WRITERS = 4, EVENTS = 200 };
	auto_eventread struct eventread *r = NULL;
	auto_logged_event struct logged_event ev = LOGGED_EVENT_INIT;
	auto_strv struct strv attributes = STRV_INIT;
	auto_free char *big = xcalloc(1, 8 << 10);
	struct fixture *f = *state;
	int seen[WRITERS] = { 0 }, total = 0;
	struct err e = ERR_INIT;

	memset(big, 'y', (8 << 10) - 1);
	strv_addf(&attributes, "big=%s", big);
	assert_ok(eventread_open(f->paths.root_fd, EVENTREAD_FOLLOW, &r, &e));
	for (int w = 0; w < WRITERS; w++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		for (int i = 0; pid == 0 && i < EVENTS; i++) {
			char id[20], action[20];

			snprintf(id, sizeof(id), "%d", i);
			snprintf(action, sizeof(action), "%d", w);
			eventlog_add(&f->paths, "container", action, id, &attributes);
		}
		if (pid == 0)
			_exit(0);
	}
	while (total < WRITERS * EVENTS) {
		struct pollfd p = { .fd = eventread_fd(r), .events = POLLIN };
		const char *id = next(r, &ev);
		int w, i;

		if (!*id) {
			assert_int_equal(poll(&p, 1, 100000), 1);
			continue;
		}
		w = ev.action[0] - '0';
		i = seen[w]++;
		/* of each writer in its order, and each once */
		assert_int_equal(strtol(id, NULL, 10), i);
		total++;
	}
	for (int w = 0; w < WRITERS; w++)
		assert_true(wait(NULL) > 0);
	assert_true(file_exists(f->paths.root_fd, EVENTLOG_OLDER));
}

static bool fits(const struct logged_event *ev, const char *filters)
{
	auto_event_filter struct event_filter f = { .types = STRV_INIT };
	auto_strv struct strv words = STRV_INIT;
	struct err e = ERR_INIT;

	strv_split(&words, filters, ' ');
	for (size_t i = 0; i < words.n; i++) {
		auto_free char *key = xstrndup(words.v[i], strcspn(words.v[i], "="));

		assert_ok(event_filter_add(&f, key, strchr(words.v[i], '=') + 1, &e));
	}
	return event_fits(ev, &f);
}

static void filters_have_the_rules_of_docker(void **state)
{
	static const struct {
		const char *filters;
		bool container, image, exec; /* which of the events below fit */
	} cases[] = {
		{ "type=container", true, false, true },
		{ "type=image type=container", true, true, true },
		{ "event=start", true, false, false },
		{ "event=start event=pull", true, true, false },
		{ "event=exec_start", false, false, true },
		{ "event=exec_start event=start", true, false, true },
		{ "container=abc", true, false, true },
		{ "container=web", true, false, true },
		{ "container=we", true, false, true },
		{ "container=b", false, false, false },
		{ "container=nosuch container=abc", true, false, true },
		{ "container=web volume=x", false, false, false },
		{ "image=debian", true, true, true },
		{ "image=debian:12", true, true, true },
		{ "image=debian:11", false, false, false },
		{ "image=deb", false, false, false },
		{ "label=tier", true, false, true },
		{ "label=tier=back", true, false, true },
		{ "label=tier=front", false, false, false },
		{ "label=tier label=nosuch", false, false, false },
		{ "scope=local", true, true, true },
		{ "scope=swarm", false, false, false },
		{ "type=container event=start container=web image=debian label=tier", true, false,
		  false },
	};
	char type[] = "container", start[] = "start", id[] = "abcdef", image[] = "image",
	     pull[] = "pull", name[] = "debian:12", exec[] = "exec_start: sh";
	struct logged_event container = { 1, type, start, id, STRV_INIT };
	struct logged_event pulled = { 1, image, pull, name, STRV_INIT };
	struct logged_event executed;
	auto_event_filter struct event_filter none = { .types = STRV_INIT };
	struct err e = ERR_INIT;

	(void)state;
	strv_add(&container.attributes, "image=debian:12");
	strv_add(&container.attributes, "name=web");
	strv_add(&container.attributes, "tier=back");
	strv_add(&pulled.attributes, "name=debian");
	executed = container;
	executed.action = exec;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (fits(&container, cases[i].filters) != cases[i].container ||
		    fits(&pulled, cases[i].filters) != cases[i].image ||
		    fits(&executed, cases[i].filters) != cases[i].exec)
			fail_msg("%s", cases[i].filters);
	}
	assert_true(event_fits(&container, &none));
	assert_fails(event_filter_add(&none, "nosuch", "x", &e), "invalid filter 'nosuch'");
	strv_release(&container.attributes);
	strv_release(&pulled.attributes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
	const struct CMUnitTest tests[] = {
		TEST(old_events_come_first_and_whole),
		TEST(without_old_ones_reading_begins_with_the_next),
		TEST(a_log_that_is_not_there_is_empty_and_may_come),
		TEST(damaged_unfinished_and_endless_lines_are_skipped),
		TEST(a_follower_misses_nothing_when_the_log_is_renamed),
		TEST(nothing_is_told_twice_when_the_log_was_just_renamed),
		TEST(writers_that_race_with_the_renaming_lose_nothing),
		cmocka_unit_test(filters_have_the_rules_of_docker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
