/* SPDX-License-Identifier: Apache-2.0 */
/* Processors that come and go, against a QEMU that is played here. Real ones are in the lab's test_conform. */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/qemu_cpus.h"

struct fixture {
	struct qemu_cpus cpus;
	struct qmp qmp;
	int peer;
	struct vmm_event last;
	int done; /* how often something was told */
};

static int setup(void **state)
{
	const struct vmm_spec spec = { .vcpus = 1, .vcpus_max = 4 };
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;
	int pair[2];

	if (fd_socketpair(pair, &e) < 0 || fd_set_nonblock(pair[0], true, &e) < 0 ||
	    fd_set_nonblock(pair[1], true, &e) < 0)
		return -1;
	qmp_init(&f->qmp, pair[0]);
	f->peer = pair[1];
	qemu_cpus_init(&f->cpus, &spec);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	qmp_release(&f->qmp);
	fd_close(f->peer);
	free(f);
	return 0;
}

/* Commands and processors since the last time: "+1" has come, "-2" goes, "?" is the request's own. */
static void expect_sent(struct fixture *f, const char *wanted)
{
	auto_str struct str out = STR_INIT(4096);
	char buf[16384], *line = buf, *end;
	ssize_t n = read(f->peer, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1) {
		const char *cpu = strstr(line, "\"cpu");

		*end = '\0';
		if (strstr(line, "query-status"))
			str_add(&out, "?");
		else
			str_addf(&out, "%c%c", strstr(line, "device_add") ? '+' : '-',
				 cpu ? cpu[4] : '!');
	}
	assert_string_equal(out.buf ? out.buf : "", wanted);
}

static bool say(struct fixture *f, const char *line)
{
	auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
	enum qemu_step step = QEMU_ASK;
	struct err e = ERR_INIT;
	int taken;

	assert_ok(qmp_parse(line, strlen(line), &m, &e));
	taken = qemu_cpus_message(&f->cpus, &f->qmp, &m, &step, &f->last, &e);
	if (taken < 0)
		fail_msg("%s", e.msg);
	f->done += step == QEMU_REPORT;
	return taken;
}

static void answer(struct fixture *f, int64_t id, bool ok)
{
	auto_free char *line = xasprintf(ok ? "{\"return\":{},\"id\":%lld}"
					    : "{\"error\":{\"desc\":\"no room\"},\"id\":%lld}",
					 (long long)id);

	assert_true(say(f, line));
}

#define EVENT(name, cpu) \
	"{\"event\":\"" name "\",\"data\":{\"device\":\"" cpu "\",\"path\":\"/m\"}}"

static int resize(struct fixture *f, unsigned n)
{
	struct err e = ERR_INIT;
	int request = qemu_cpus_resize(&f->cpus, &f->qmp, n, &e);

	assert_true(request > 0);
	return request;
}

static void expect_done(struct fixture *f, int request, const char *why)
{
	assert_int_equal(f->done, 1);
	assert_int_equal(f->last.request, request);
	assert_int_equal(f->last.failed, why != NULL);
	assert_string_equal(f->last.text, why ? why : "");
	f->done = 0;
}

/* All that has been sent is answered well. */
static void resize_well(struct fixture *f, unsigned n, const char *wanted)
{
	int request = resize(f, n);

	expect_sent(f, wanted);
	for (int64_t id = request; id <= f->qmp.last_id; id++)
		answer(f, id, true);
	expect_done(f, request, NULL);
}

static void each_processor_is_a_device(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char buf[1024];
	ssize_t n;
	int request = qemu_cpus_resize(&f->cpus, &f->qmp, 2, &e);

	assert_int_equal(request, 1);
	n = read(f->peer, buf, sizeof(buf) - 1);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf, "{\"execute\":\"query-status\",\"id\":1}\n"
				 "{\"execute\":\"device_add\",\"id\":2,\"arguments\":{"
				 "\"driver\":\"host-x86_64-cpu\",\"id\":\"cpu1\",\"socket-id\":0,"
				 "\"core-id\":1,\"thread-id\":0}}\n");
	/* One at a time. */
	assert_int_equal(qemu_cpus_resize(&f->cpus, &f->qmp, 3, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	answer(f, 1, true);
	assert_int_equal(f->done, 0);
	answer(f, 2, true);
	expect_done(f, request, NULL);
}

static void they_come_and_go_in_their_order(void **state)
{
	struct fixture *f = *state;

	resize_well(f, 1, "?");
	assert_false(qemu_cpus_any(&f->cpus));
	resize_well(f, 3, "?+1+2");
	assert_true(qemu_cpus_any(&f->cpus));
	resize_well(f, 3, "?");
	resize_well(f, 4, "?+3");
	resize_well(f, 2, "?-2-3");
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu3")));
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu2")));
	expect_sent(f, "");
	resize_well(f, 3, "?+2");
}

static void one_that_is_wanted_again_comes_back_when_it_is_gone(void **state)
{
	struct fixture *f = *state;

	resize_well(f, 2, "?+1");
	resize_well(f, 1, "?-1");
	resize_well(f, 2, "?");
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu1")));
	expect_sent(f, "+1");
	/* Nobody has asked for that. */
	answer(f, f->qmp.last_id, true);
	assert_int_equal(f->done, 0);
	/* One that the guest throws out stays out until somebody asks. */
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu1")));
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu1")));
	expect_sent(f, "");
	resize_well(f, 2, "?+1");
}

static void one_that_is_not_wanted_any_more_goes_when_it_has_come(void **state)
{
	struct fixture *f = *state;
	int64_t coming;

	/* It comes again by itself, and meanwhile fewer are asked for. */
	resize_well(f, 2, "?+1");
	resize_well(f, 1, "?-1");
	resize_well(f, 2, "?");
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu1")));
	expect_sent(f, "+1");
	coming = f->qmp.last_id;
	resize_well(f, 1, "?");
	answer(f, coming, true);
	expect_sent(f, "-1");
	answer(f, f->qmp.last_id, true);
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu1")));
	resize_well(f, 2, "?+1");
}

static void a_guest_that_keeps_one_has_it(void **state)
{
	struct fixture *f = *state;

	resize_well(f, 2, "?+1");
	resize_well(f, 1, "?-1");
	assert_true(say(f, EVENT("DEVICE_UNPLUG_GUEST_ERROR", "cpu1")));
	resize_well(f, 2, "?");
	resize_well(f, 1, "?-1");
}

static void what_fails_is_told_once_and_may_be_asked_again(void **state)
{
	struct fixture *f = *state;
	int request = resize(f, 3);

	expect_sent(f, "?+1+2");
	answer(f, request, true);
	answer(f, request + 1, true);
	answer(f, request + 2, false);
	expect_done(f, request, "no room");
	resize_well(f, 3, "?+2");
	request = resize(f, 1);
	expect_sent(f, "?-1-2");
	answer(f, request, true);
	/* It is gone before QEMU has answered. */
	assert_true(say(f, EVENT("DEVICE_DELETED", "cpu1")));
	answer(f, request + 1, true);
	answer(f, request + 2, false);
	expect_done(f, request, "no room");
	resize_well(f, 1, "?-2");
}

static void what_is_said_of_others_is_nothing(void **state)
{
	static const char *const lines[] = {
		EVENT("DEVICE_DELETED", "cpu0"),
		EVENT("DEVICE_DELETED", "cpu4"),
		EVENT("DEVICE_DELETED", "cpu"),
		EVENT("STOP", "cpu1"),
		"{\"event\":\"DEVICE_DELETED\",\"data\":[]}",
		"{\"event\":\"DEVICE_DELETED\"}",
		"{\"return\":{},\"id\":0}",
		"{\"return\":{},\"id\":2}",
		"{\"return\":{}}",
		"{\"QMP\":{}}",
	};
	struct fixture *f = *state;

	resize_well(f, 2, "?+1");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (say(f, lines[i]))
			fail_msg("'%s' was taken", lines[i]);
	expect_sent(f, "");
	assert_int_equal(f->done, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_processor_is_a_device),
		TEST(they_come_and_go_in_their_order),
		TEST(one_that_is_wanted_again_comes_back_when_it_is_gone),
		TEST(one_that_is_not_wanted_any_more_goes_when_it_has_come),
		TEST(a_guest_that_keeps_one_has_it),
		TEST(what_fails_is_told_once_and_may_be_asked_again),
		TEST(what_is_said_of_others_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
