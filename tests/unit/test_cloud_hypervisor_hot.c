/* SPDX-License-Identifier: Apache-2.0 */
/* Cloud Hypervisor's API as the driver uses it: what is asked, what becomes of answers, and of none. The server
 * is in the test; that the real one behaves so is shown in the lab. */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/cloud_hypervisor.h"
#include "vmm/cloud_hypervisor_priv.h"

/* The driver's side of a VMM, whose other side is here. */
struct server {
	struct cloud_hypervisor c;
	struct vmm vmm;
	int api, events; /* -1: closed */
	int got;	 /* descriptor of the last request, -1: none */
};

static int setup_server(void **state)
{
	struct server *s = xcalloc(1, sizeof(*s));
	struct err e = ERR_INIT;
	int api[2], pipe[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, api) < 0 || fd_pipe(pipe, &e) < 0)
		return -1;
	if (fd_set_nonblock(api[0], true, &e) < 0 || fd_set_nonblock(pipe[0], true, &e) < 0)
		return -1;
	api_init(&s->c.api, api[0]);
	str_init(&s->c.in, 65536);
	s->c.events = pipe[0];
	s->c.run_fd = s->c.ram_fd = s->c.state_fd = -1;
	s->c.memory_mib = 256;
	s->vmm = (struct vmm)VMM_INIT;
	s->vmm.driver = &vmm_cloud_hypervisor;
	s->vmm.priv = &s->c;
	s->vmm.limits = (struct vmm_limits){
		.hotplug = 2, .memory_mib = 256, .memory_max_mib = 1024, .vcpus = 1, .vcpus_max = 4
	};
	s->api = api[1];
	s->events = pipe[1];
	s->got = -1;
	*state = s;
	return 0;
}

static int teardown_server(void **state)
{
	struct server *s = *state;

	api_release(&s->c.api);
	str_release(&s->c.in);
	fd_close(s->c.events);
	fd_close(s->api);
	fd_close(s->events);
	fd_close(s->got);
	free(s);
	return 0;
}

/* The next request, with its descriptor; "" when there is none. */
static const char *next_request(struct server *s)
{
	static char text[4096];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(s->api, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	fd_close(take_fd(&s->got));
	if (n > 0 && CMSG_FIRSTHDR(&msg))
		memcpy(&s->got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(s->got));
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void expect_request(struct server *s, const char *first_line, const char *body)
{
	const char *text = next_request(s), *end = strstr(text, "\r\n\r\n");

	if (!str_has_prefix(text, first_line))
		fail_msg("no request '%s' but '%s'", first_line, text);
	assert_non_null(end);
	assert_string_equal(end + 4, body);
}

static void say(int fd, const char *text)
{
	struct err e = ERR_INIT;

	assert_ok(fd_write_full(fd, text, strlen(text), &e));
}

#define GOOD	"HTTP/1.1 204 \r\nServer: x\r\n\r\n"
#define ADDED	"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}"
#define REFUSED "HTTP/1.1 500 \r\nContent-Length: 14\r\n\r\n[\"one\", \"two\"]"
#define EJECTED(id)                                                                     \
	"{\"source\": \"vm\", \"event\": \"device-removed\", \"properties\": {\"id\": " \
	"\"" id "\", \"bdf\": \"0000:00:07.0\"}}\n\n"

/* What the driver tells now: DONE of that request. */
static void expect_done(struct server *s, int request, bool failed, const char *text)
{
	struct vmm_event ev;
	struct err e = ERR_INIT;

	assert_int_equal(vmm_event(&s->vmm, &ev, &e), 1);
	assert_int_equal(ev.kind, VMM_EVENT_DONE);
	assert_int_equal(ev.request, request);
	assert_int_equal(ev.failed, failed);
	assert_string_equal(ev.text, text);
}

static void expect_silence(struct server *s)
{
	struct vmm_event ev;
	struct err e = ERR_INIT;

	assert_int_equal(vmm_event(&s->vmm, &ev, &e), 0);
}

/* A file of this test for a disk. */
static const struct vmm_disk *a_disk(const char *serial, bool readonly)
{
	static const struct vmm_file file = { "/bin/sh", 512 };
	static struct vmm_disk disk;

	disk = (struct vmm_disk){ serial, readonly, false, &file, 1 };
	return &disk;
}

/* Adds a disk and answers. */
static void have_disk(struct server *s, const char *serial)
{
	struct err e = ERR_INIT;
	int request = vmm_add_disk(&s->vmm, a_disk(serial, true), &e);

	assert_true(request > 0);
	next_request(s);
	say(s->api, ADDED);
	expect_done(s, request, false, "");
}

static void disks_and_nets_are_added_by_one_request_each(void **state)
{
	struct server *s = *state;
	struct vmm_net net = { "net-a", -1, { 0x52, 0x54, 0, 0x0a, 0xb0, 1 } };
	struct stat mine, got;
	struct err e = ERR_INIT;
	int disk, other;

	net.tap_fd = s->events; /* any descriptor */
	disk = vmm_add_disk(&s->vmm, a_disk("kvb-x", false), &e);
	other = vmm_add_net(&s->vmm, &net, &e);
	assert_true(disk > 0 && other > disk);
	expect_request(s, "PUT /api/v1/vm.add-disk HTTP/1.1\r\n",
		       "{\"path\":\"/bin/sh\",\"readonly\":false,\"image_type\":\"Raw\","
		       "\"serial\":\"kvb-x\",\"id\":\"kvb-x\"}");
	assert_int_equal(s->got, -1);
	assert_string_equal(next_request(s), ""); /* one at a time */
	say(s->api, ADDED);
	expect_done(s, disk, false, "");
	expect_request(s, "PUT /api/v1/vm.add-net HTTP/1.1\r\n",
		       "{\"id\":\"net-a\",\"mac\":\"52:54:00:0a:b0:01\"}");
	assert_true(s->got >= 0);
	assert_int_equal(fstat(s->got, &got), 0);
	assert_int_equal(fstat(s->events, &mine), 0);
	assert_int_equal(got.st_ino, mine.st_ino);
	say(s->api, ADDED);
	expect_done(s, other, false, "");
	expect_silence(s);
}

static void what_the_api_refuses_is_told_with_its_chain_and_leaves_no_trace(void **state)
{
	struct server *s = *state;
	struct err e = ERR_INIT;
	int request = vmm_add_disk(&s->vmm, a_disk("kvb-x", true), &e), again;

	next_request(s);
	say(s->api, REFUSED);
	expect_done(s, request, true, "one: two");
	assert_fails(vmm_remove(&s->vmm, "kvb-x", &e), "no device 'kvb-x'");
	have_disk(s, "kvb-x");
	/* What cannot be removed stays, and can be tried again. */
	request = vmm_remove(&s->vmm, "kvb-x", &e);
	next_request(s);
	say(s->api, REFUSED);
	expect_done(s, request, true, "one: two");
	again = vmm_remove(&s->vmm, "kvb-x", &e);
	assert_true(again > request);
	expect_silence(s);
}

/* The error's kind: its message has the text. */
static enum err_kind kind_of(int result, struct err *e, const char *text)
{
	enum err_kind kind = e->kind;

	assert_int_equal(result, -1);
	assert_non_null(strstr(e->msg, text));
	err_clear(e);
	return kind;
}

static void a_table_says_what_there_is_and_how_much_room(void **state)
{
	struct server *s = *state;
	struct err e = ERR_INIT;
	int r;

	have_disk(s, "kvb-x");
	r = vmm_add_disk(&s->vmm, a_disk("kvb-x", true), &e);
	assert_int_equal(kind_of(r, &e, "already"), ERR_CONFLICT);
	have_disk(s, "kvb-y");
	r = vmm_add_disk(&s->vmm, a_disk("kvb-z", true), &e);
	assert_int_equal(kind_of(r, &e, "no room"), ERR_INVALID);
	r = vmm_remove(&s->vmm, "kvb-upper", &e);
	assert_int_equal(kind_of(r, &e, "no device"), ERR_NOT_FOUND);
	assert_string_equal(next_request(s), "");
}

/* In whatever order they come, and never before the VMM has answered after both. */
static void a_device_is_gone_after_answer_and_event_and_one_more_answer(void **state)
{
	static const bool event_first[] = { false, true, false };
	struct server *s = *state;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(event_first); i++) {
		int request;

		have_disk(s, "kvb-x");
		request = vmm_remove(&s->vmm, "kvb-x", &e);
		assert_true(request > 0);
		assert_fails(vmm_remove(&s->vmm, "kvb-x", &e), "being removed");
		expect_request(s, "PUT /api/v1/vm.remove-device HTTP/1.1\r\n",
			       "{\"id\":\"kvb-x\"}");
		say(event_first[i] ? s->events : s->api, event_first[i] ? EJECTED("kvb-x") : GOOD);
		say(s->events, EJECTED("kvb-upper") EJECTED("a-name-that-is-longer-than-any"));
		expect_silence(s);
		assert_string_equal(next_request(s), "");
		say(event_first[i] ? s->api : s->events, event_first[i] ? GOOD : EJECTED("kvb-x"));
		expect_silence(s);
		expect_request(s, "GET /api/v1/vm.counters HTTP/1.1\r\n", "");
		/* Even a refusal says that it was here after the device had gone. */
		say(s->api, i == 2 ? REFUSED : ADDED);
		expect_done(s, request, false, "");
		expect_silence(s);
	}
}

static void a_guest_may_let_go_of_a_device_by_itself(void **state)
{
	struct server *s = *state;
	struct err e = ERR_INIT;

	have_disk(s, "kvb-x");
	say(s->events, EJECTED("kvb-x"));
	expect_silence(s);
	assert_fails(vmm_remove(&s->vmm, "kvb-x", &e), "no device 'kvb-x'");
	have_disk(s, "kvb-x");
	have_disk(s, "kvb-y");
}

static void sizes_are_in_the_vmms_own_steps_and_the_same_one_is_no_mistake(void **state)
{
	struct server *s = *state;
	struct err e = ERR_INIT;
	int request = vmm_resize_memory(&s->vmm, 256, &e);

	expect_request(s, "GET /api/v1/vmm.ping HTTP/1.1\r\n", "");
	say(s->api, ADDED);
	expect_done(s, request, false, "");
	request = vmm_resize_memory(&s->vmm, 301, &e);
	expect_request(s, "PUT /api/v1/vm.resize HTTP/1.1\r\n", "{\"desired_ram\":316669952}");
	say(s->api, GOOD);
	expect_done(s, request, false, "");
	assert_true(vmm_resize_memory(&s->vmm, 302, &e) > 0);
	expect_request(s, "GET /api/v1/vmm.ping HTTP/1.1\r\n", "");
	say(s->api, ADDED);
	expect_done(s, request + 1, false, "");
	/* After a failure nobody knows. */
	request = vmm_resize_memory(&s->vmm, 512, &e);
	next_request(s);
	say(s->api, REFUSED);
	expect_done(s, request, true, "one: two");
	request = vmm_resize_memory(&s->vmm, 512, &e);
	expect_request(s, "PUT /api/v1/vm.resize HTTP/1.1\r\n", "{\"desired_ram\":536870912}");
	say(s->api, GOOD);
	expect_done(s, request, false, "");
	request = vmm_resize_vcpus(&s->vmm, 3, &e);
	expect_request(s, "PUT /api/v1/vm.resize HTTP/1.1\r\n", "{\"desired_vcpus\":3}");
	say(s->api, "HTTP/1.1 429 \r\nContent-Length: 8\r\n\r\n[\"wait\"]");
	expect_done(s, request, true, "wait");
	expect_silence(s);
}

/* A server that reads and says nothing holds nobody up, and its end is the end of all that was asked. */
static void requests_to_an_api_that_hangs_fail_once_each_when_it_ends(void **state)
{
	static const char lost[] = "the VMM's control connection has ended";
	struct server *s = *state;
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int removing, pausing, adding;

	have_disk(s, "kvb-x");
	removing = vmm_remove(&s->vmm, "kvb-x", &e);
	next_request(s);
	say(s->api, GOOD); /* and the guest never lets go of it */
	expect_silence(s);
	pausing = vmm_pause(&s->vmm, &e);
	adding = vmm_add_disk(&s->vmm, a_disk("kvb-y", true), &e);
	assert_true(removing > 0 && pausing > 0 && adding > 0);
	for (int i = 0; i < 3; i++)
		expect_silence(s);
	say(s->api, "HTTP/1.1 204"); /* half an answer */
	expect_silence(s);
	fd_close(take_fd(&s->api));
	expect_done(s, pausing, true, lost);
	expect_done(s, adding, true, lost);
	expect_done(s, removing, true, lost);
	expect_silence(s);
	assert_fails(vmm_resume(&s->vmm, &e), "takes no requests");
	fd_close(take_fd(&s->events));
	assert_int_equal(vmm_event(&s->vmm, &ev, &e), -1);
}

static void a_removal_that_was_all_but_done_fails_once_too(void **state)
{
	struct server *s = *state;
	struct err e = ERR_INIT;
	int request;

	have_disk(s, "kvb-x");
	request = vmm_remove(&s->vmm, "kvb-x", &e);
	next_request(s);
	say(s->api, GOOD);
	say(s->events, EJECTED("kvb-x"));
	expect_silence(s);
	fd_close(take_fd(&s->api));
	expect_done(s, request, true, "the VMM's control connection has ended");
	expect_silence(s);
}

static void an_answer_that_is_none_ends_the_connection(void **state)
{
	struct server *s = *state;
	struct err e = ERR_INIT;
	int request = vmm_pause(&s->vmm, &e);

	next_request(s);
	say(s->api, "no HTTP at all\r\n\r\n");
	expect_done(s, request, true, "the VMM's control connection has ended");
	expect_silence(s);
}

int main(void)
{
#define WITH_A_SERVER(t) cmocka_unit_test_setup_teardown(t, setup_server, teardown_server)
	const struct CMUnitTest tests[] = {
		WITH_A_SERVER(disks_and_nets_are_added_by_one_request_each),
		WITH_A_SERVER(what_the_api_refuses_is_told_with_its_chain_and_leaves_no_trace),
		WITH_A_SERVER(a_table_says_what_there_is_and_how_much_room),
		WITH_A_SERVER(a_device_is_gone_after_answer_and_event_and_one_more_answer),
		WITH_A_SERVER(a_guest_may_let_go_of_a_device_by_itself),
		WITH_A_SERVER(sizes_are_in_the_vmms_own_steps_and_the_same_one_is_no_mistake),
		WITH_A_SERVER(requests_to_an_api_that_hangs_fail_once_each_when_it_ends),
		WITH_A_SERVER(a_removal_that_was_all_but_done_fails_once_too),
		WITH_A_SERVER(an_answer_that_is_none_ends_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
