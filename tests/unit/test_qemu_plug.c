/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that come and go, against a QEMU that is played here. Real ones are in test_conform. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/qemu_plug.h"

struct fixture {
	struct qemu_plugs plugs;
	struct qmp qmp;
	int peer;
	char path[64]; /* of a file */
	int fds_before;
	struct vmm_event last;
	int done; /* how often something was told */
};

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	const struct vmm_disk cold = { .serial = "kvb-cold" };
	const struct vmm_spec spec = { .hotplug = 2, .disks = &cold, .ndisks = 1 };
	struct err e = ERR_INIT;
	int pair[2], fd;

	f->fds_before = count_fds();
	strcpy(f->path, "/tmp/kvbox-test-plug.XXXXXX");
	fd = mkstemp(f->path);
	if (fd < 0 || fd_socketpair(pair, &e) < 0 || fd_set_nonblock(pair[0], true, &e) < 0 ||
	    fd_set_nonblock(pair[1], true, &e) < 0)
		return -1;
	fd_close(fd);
	qmp_init(&f->qmp, pair[0]);
	f->peer = pair[1];
	qemu_plugs_init(&f->plugs, &spec);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int left;

	qemu_plugs_release(&f->plugs);
	qmp_release(&f->qmp);
	fd_close(f->peer);
	unlink(f->path);
	left = count_fds() - f->fds_before;
	free(f);
	if (left)
		print_error("%d descriptors are left\n", left);
	return left ? -1 : 0;
}

static int ask_disk(struct fixture *f, const char *serial, bool readonly, struct err *e)
{
	const struct vmm_file file = { f->path, 512 };
	const struct vmm_disk disk = { serial, readonly, false, &file, 1 };

	return qemu_plug_disk(&f->plugs, &f->qmp, &disk, e);
}

static int ask_net(struct fixture *f, const char *id, struct err *e)
{
	const struct vmm_net net = { id, f->peer, { 2, 0, 0, 0, 0, 0xab } };

	return qemu_plug_net(&f->plugs, &f->qmp, &net, e);
}

/* What has been sent since: commands and arguments only, each line ended by ';'. The descriptor that came along is
 * in *ret_fd, when that is asked for, else there must be none. */
static char *sent(struct fixture *f, int *ret_fd)
{
	auto_str struct str all = STR_INIT(65536), out = STR_INIT(65536);
	struct err e = ERR_INIT;
	char buf[4096];
	ssize_t n;
	int fd = -1;

	for (;;) {
		int fds[8];
		size_t nfds = ARRAY_LEN(fds);

		n = sock_recv_fds(f->peer, buf, sizeof(buf), fds, &nfds, &e);
		if (n <= 0)
			break;
		str_addn(&all, buf, (size_t)n);
		if (nfds) {
			assert_int_equal(nfds, 1);
			assert_int_equal(fd, -1);
			fd = fds[0];
		}
	}
	assert_int_equal(fd >= 0, ret_fd != NULL);
	if (ret_fd)
		*ret_fd = fd;
	for (char *line = all.buf, *end; line && (end = strchr(line, '\n')); line = end + 1) {
		auto_json struct json *j = NULL;
		struct err why = ERR_INIT;

		assert_ok(json_parse(line, (size_t)(end - line), &j, &why));
		str_addf(&out, "%s ", json_str(json_get(j, "execute")));
		if (json_get(j, "arguments"))
			json_dump(json_get(j, "arguments"), &out);
		str_addc(&out, ';');
	}
	return str_take(&out, &e);
}

static void expect_sent(struct fixture *f, const char *text)
{
	auto_free char *got = sent(f, NULL);

	assert_string_equal(got, text);
}

/* Of a first command: the descriptor goes. */
static void expect_sent_fd(struct fixture *f, const char *text)
{
	int fd = -1;
	auto_free char *got = sent(f, &fd);

	assert_string_equal(got, text);
	fd_close(fd);
}

/* QEMU says something. Returns whether it was for a device here. */
static bool say(struct fixture *f, const char *line)
{
	auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
	enum qemu_step step = QEMU_ASK;
	struct err e = ERR_INIT;
	int taken;

	assert_ok(qmp_parse(line, strlen(line), &m, &e));
	taken = qemu_plugs_message(&f->plugs, &f->qmp, &m, &step, &f->last, &e);
	if (taken < 0)
		fail_msg("%s", e.msg);
	assert_true(step == QEMU_NOTHING || (taken && step == QEMU_REPORT));
	f->done += step == QEMU_REPORT;
	return taken;
}

/* The answer to the latest command. */
static void answer(struct fixture *f, bool ok)
{
	auto_free char *line = ok ? xasprintf("{\"return\":{},\"id\":%lld}",
					      (long long)f->qmp.last_id)
				  : xasprintf("{\"id\":%lld,\"error\":{\"desc\":\"no: %lld\"}}",
					      (long long)f->qmp.last_id, (long long)f->qmp.last_id);

	assert_true(say(f, line));
}

static void expect_done(struct fixture *f, int request, const char *why)
{
	assert_int_equal(f->done, 1);
	assert_int_equal(f->last.kind, VMM_EVENT_DONE);
	assert_int_equal(f->last.request, request);
	assert_int_equal(f->last.failed, why != NULL);
	assert_string_equal(f->last.text, why ? why : "");
	f->done = 0;
}

#define DELETED(id) \
	"{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"" id "\",\"path\":\"/m/" id "\"}}"
#define REFUSED(id)                                                                             \
	"{\"event\":\"DEVICE_UNPLUG_GUEST_ERROR\",\"data\":{\"device\":\"" id "\",\"path\":\"/" \
	"m\"}}"

/* A disk that is there, as the first device. */
static void plug_disk(struct fixture *f, const char *serial)
{
	struct err e = ERR_INIT;
	int fd = -1, request = ask_disk(f, serial, false, &e);

	assert_true(request > 0);
	free(sent(f, &fd));
	fd_close(fd);
	for (int i = 0; i < 3; i++)
		answer(f, true);
	expect_done(f, request, NULL);
	free(sent(f, NULL));
}

/* ---- coming -------------------------------------------------------------------------------------- */

static void a_disk_is_a_descriptor_then_a_node_then_a_device(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct stat wanted, got;
	auto_free char *first = NULL;
	auto_close int fd = -1;
	int request = ask_disk(f, "kvb-a", false, &e);

	assert_true(request > 0);
	first = sent(f, &fd);
	assert_string_equal(first, "add-fd {\"fdset-id\":17};");
	assert_int_equal(stat(f->path, &wanted), 0);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(got.st_ino, wanted.st_ino);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	answer(f, true);
	expect_sent(f, "blockdev-add {\"node-name\":\"n1\",\"driver\":\"raw\",\"read-only\":false,"
		       "\"discard\":\"unmap\",\"file\":{\"driver\":\"file\","
		       "\"filename\":\"/dev/fdset/17\"}};");
	answer(f, true);
	expect_sent(f,
		    "device_add {\"driver\":\"virtio-blk-pci\",\"id\":\"h1\",\"bus\":\"hotplug\","
		    "\"addr\":\"1\",\"disable-legacy\":\"on\",\"drive\":\"n1\","
		    "\"serial\":\"kvb-a\",\"num-queues\":1,\"werror\":\"report\","
		    "\"rerror\":\"report\"};");
	assert_int_equal(f->done, 0);
	answer(f, true);
	expect_done(f, request, NULL);
	expect_sent(f, "");
	assert_true(qemu_plugs_any(&f->plugs));
}

static void a_disk_that_is_only_read_is_opened_for_that(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_close int fd = -1;

	assert_true(ask_disk(f, "kvb-a", true, &e) > 0);
	free(sent(f, &fd));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	answer(f, true);
	expect_sent(f, "blockdev-add {\"node-name\":\"n1\",\"driver\":\"raw\",\"read-only\":true,"
		       "\"file\":{\"driver\":\"file\",\"filename\":\"/dev/fdset/17\"}};");
}

static void a_net_is_a_descriptor_then_a_netdev_then_a_device(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	int request = ask_net(f, "kvb-n", &e);

	assert_true(request > 0);
	expect_sent_fd(f, "getfd {\"fdname\":\"f1\"};");
	answer(f, true);
	expect_sent(f, "netdev_add {\"type\":\"tap\",\"id\":\"n1\",\"fd\":\"f1\"};");
	answer(f, true);
	expect_sent(f,
		    "device_add {\"driver\":\"virtio-net-pci\",\"id\":\"h1\",\"bus\":\"hotplug\","
		    "\"addr\":\"1\",\"disable-legacy\":\"on\",\"netdev\":\"n1\","
		    "\"mac\":\"02:00:00:00:00:ab\",\"romfile\":\"\"};");
	answer(f, true);
	expect_done(f, request, NULL);
}

/* What is sent after the n-th command of a request has failed. */
struct undo_case {
	bool net;
	int fails;
	const char *undo[2];
};

static void what_was_done_is_undone_and_may_be_asked_for_again(void **state)
{
	static const struct undo_case cases[] = {
		{ false, 1, { NULL } },
		{ false, 2, { "remove-fd" } },
		{ false, 3, { "blockdev-del", "remove-fd" } },
		{ true, 1, { NULL } },
		{ true, 2, { "closefd" } },
		{ true, 3, { "netdev_del" } },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		const struct undo_case *c = &cases[i / 2];
		struct err e = ERR_INIT;
		auto_free char *why = NULL;
		int request = c->net ? ask_net(f, "kvb-x", &e) : ask_disk(f, "kvb-x", false, &e);
		int fd = -1;

		assert_true(request > 0);
		free(sent(f, &fd));
		fd_close(fd);
		for (int n = 1; n < c->fails; n++)
			answer(f, true);
		free(sent(f, NULL));
		why = xasprintf("no: %lld", (long long)f->qmp.last_id);
		answer(f, false);
		for (size_t u = 0; u < ARRAY_LEN(c->undo) && c->undo[u]; u++) {
			auto_free char *got = sent(f, NULL);

			assert_int_equal(strncmp(got, c->undo[u], strlen(c->undo[u])), 0);
			assert_int_equal(f->done, 0);
			/* That this fails as well changes nothing. */
			answer(f, i % 2);
		}
		expect_sent(f, "");
		expect_done(f, request, why);
		assert_false(qemu_plugs_any(&f->plugs));
	}
}

static void room_and_names_are_limited(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	assert_int_equal(ask_disk(f, "kvb-cold", false, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	err_clear(&e);
	plug_disk(f, "kvb-a");
	assert_int_equal(ask_net(f, "kvb-a", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	err_clear(&e);
	assert_true(ask_net(f, "kvb-n", &e) > 0);
	assert_int_equal(ask_net(f, "kvb-o", &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	err_clear(&e);
	assert_int_equal(qemu_unplug(&f->plugs, &f->qmp, "kvb-cold", &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	err_clear(&e);
	assert_int_equal(qemu_unplug(&f->plugs, &f->qmp, "kvb-n", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
}

static void a_file_that_is_not_there_takes_no_room(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	unlink(f->path);
	assert_int_equal(ask_disk(f, "kvb-a", false, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	expect_sent(f, "");
	assert_false(qemu_plugs_any(&f->plugs));
}

/* ---- going --------------------------------------------------------------------------------------- */

static void a_removed_disk_is_gone_when_qemu_says_so(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	/* The event comes after the answer, or before it. */
	for (int early = 0; early < 2; early++) {
		const char *device = early ? "h2" : "h1";
		auto_free char *deleted = xasprintf(
			"{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"%s\"}}", device);
		int request;

		plug_disk(f, "kvb-a");
		request = qemu_unplug(&f->plugs, &f->qmp, "kvb-a", &e);
		assert_true(request > 0);
		expect_sent(f,
			    early ? "device_del {\"id\":\"h2\"};" : "device_del {\"id\":\"h1\"};");
		assert_int_equal(qemu_unplug(&f->plugs, &f->qmp, "kvb-a", &e), -1);
		assert_int_equal(e.kind, ERR_CONFLICT);
		err_clear(&e);
		if (early)
			assert_true(say(f, deleted));
		else
			answer(f, true);
		expect_sent(f, "");
		if (early)
			answer(f, true);
		else
			assert_true(say(f, deleted));
		expect_sent(f, early ? "blockdev-del {\"node-name\":\"n2\"};"
				     : "blockdev-del {\"node-name\":\"n1\"};");
		/* Again. */
		say(f, deleted);
		answer(f, true);
		expect_sent(f, early ? "remove-fd {\"fdset-id\":18};"
				     : "remove-fd {\"fdset-id\":17};");
		assert_int_equal(f->done, 0);
		answer(f, true);
		expect_done(f, request, NULL);
		assert_false(say(f, deleted));
		assert_false(qemu_plugs_any(&f->plugs));
	}
}

static void a_removed_net_takes_its_tap_along(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	int request = ask_net(f, "kvb-n", &e);

	expect_sent_fd(f, "getfd {\"fdname\":\"f1\"};");
	for (int i = 0; i < 3; i++)
		answer(f, true);
	expect_done(f, request, NULL);
	free(sent(f, NULL));
	request = qemu_unplug(&f->plugs, &f->qmp, "kvb-n", &e);
	answer(f, true);
	assert_true(say(f, DELETED("h1")));
	expect_sent(f, "device_del {\"id\":\"h1\"};netdev_del {\"id\":\"n1\"};");
	answer(f, true);
	expect_done(f, request, NULL);
}

static void who_does_not_let_go_may_be_asked_again(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	int request;

	plug_disk(f, "kvb-a");
	/* QEMU refuses. */
	request = qemu_unplug(&f->plugs, &f->qmp, "kvb-a", &e);
	answer(f, false);
	assert_int_equal(f->done, 1);
	assert_true(f->last.failed);
	f->done = 0;
	/* The guest refuses, before and after QEMU has answered. */
	for (int early = 0; early < 2; early++) {
		request = qemu_unplug(&f->plugs, &f->qmp, "kvb-a", &e);
		assert_true(request > 0);
		if (early)
			assert_true(say(f, REFUSED("h1")));
		answer(f, true);
		if (!early)
			assert_true(say(f, REFUSED("h1")));
		expect_done(f, request, "the guest does not let go of the device");
		/* Nobody asks any more. */
		assert_true(say(f, REFUSED("h1")));
		assert_int_equal(f->done, 0);
	}
	request = qemu_unplug(&f->plugs, &f->qmp, "kvb-a", &e);
	answer(f, true);
	assert_int_equal(f->done, 0);
	assert_true(say(f, DELETED("h1")));
	answer(f, true);
	answer(f, true);
	expect_done(f, request, NULL);
}

static void a_device_that_the_guest_throws_out_is_cleared_away(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	plug_disk(f, "kvb-a");
	assert_true(say(f, DELETED("h1")));
	expect_sent(f, "blockdev-del {\"node-name\":\"n1\"};");
	assert_int_equal(qemu_unplug(&f->plugs, &f->qmp, "kvb-a", &e), -1);
	err_clear(&e);
	answer(f, false);
	answer(f, false);
	assert_int_equal(f->done, 0);
	assert_false(qemu_plugs_any(&f->plugs));
	/* Even before QEMU has said that it is there. */
	assert_true(ask_disk(f, "kvb-a", false, &e) > 0);
	{
		int fd = -1;

		free(sent(f, &fd));
		fd_close(fd);
	}
	answer(f, true);
	answer(f, true);
	assert_true(say(f, DELETED("h2")));
	free(sent(f, NULL));
	answer(f, true);
	assert_int_equal(f->done, 1);
	assert_false(f->last.failed);
	expect_sent(f, "blockdev-del {\"node-name\":\"n2\"};");
}

/* ---- a QEMU that is not one ---------------------------------------------------------------------- */

static void what_is_said_of_others_is_nothing(void **state)
{
	static const char *const lines[] = {
		DELETED("h2"),
		DELETED("h0"),
		DELETED("h01"),
		DELETED(""),
		REFUSED("h7"),
		"{\"event\":\"DEVICE_DELETED\"}",
		"{\"event\":\"DEVICE_DELETED\",\"data\":7}",
		"{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":1}}",
		"{\"event\":\"DEVICE_DELETED\",\"data\":{\"path\":\"/machine/peripheral/h1\"}}",
		"{\"event\":\"STOP\"}",
		"{\"return\":{},\"id\":0}",
		"{\"return\":{},\"id\":1}",
		"{\"return\":{},\"id\":-1}",
		"{\"return\":{}}",
		"{\"return\":{},\"id\":4000}",
		"{\"error\":{\"desc\":\"x\"}}",
		"{\"QMP\":{}}",
	};
	struct fixture *f = *state;

	plug_disk(f, "kvb-a");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (say(f, lines[i]))
			fail_msg("'%s' was taken", lines[i]);
	expect_sent(f, "");
	assert_int_equal(f->done, 0);
	assert_true(qemu_plugs_any(&f->plugs));
}

static void a_qemu_that_ends_between_two_steps_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	auto_qmp_message struct qmp_message m = QMP_MESSAGE_INIT;
	static const char line[] = "{\"return\":{},\"id\":1}";
	enum qemu_step step;
	struct err e = ERR_INIT;

	assert_int_equal(ask_disk(f, "kvb-a", false, &e), 1);
	shutdown(f->peer, SHUT_RDWR);
	assert_ok(qmp_parse(line, strlen(line), &m, &e));
	assert_int_equal(qemu_plugs_message(&f->plugs, &f->qmp, &m, &step, &f->last, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	/* Later requests say so at once, and hold nothing either. */
	assert_int_equal(ask_disk(f, "kvb-b", false, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	err_clear(&e);
	assert_int_equal(ask_net(f, "kvb-n", &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
}

static void a_qemu_that_reads_nothing_is_an_error_and_no_wait(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	int64_t id;

	for (int i = 0; i < 1000000 && qmp_send(&f->qmp, "query-status", NULL, &id, &e) == 0; i++)
		;
	err_clear(&e);
	assert_int_equal(ask_disk(f, "kvb-a", false, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_false(qemu_plugs_any(&f->plugs));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_disk_is_a_descriptor_then_a_node_then_a_device),
		TEST(a_disk_that_is_only_read_is_opened_for_that),
		TEST(a_net_is_a_descriptor_then_a_netdev_then_a_device),
		TEST(what_was_done_is_undone_and_may_be_asked_for_again),
		TEST(room_and_names_are_limited),
		TEST(a_file_that_is_not_there_takes_no_room),
		TEST(a_removed_disk_is_gone_when_qemu_says_so),
		TEST(a_removed_net_takes_its_tap_along),
		TEST(who_does_not_let_go_may_be_asked_again),
		TEST(a_device_that_the_guest_throws_out_is_cleared_away),
		TEST(what_is_said_of_others_is_nothing),
		TEST(a_qemu_that_ends_between_two_steps_leaves_nothing),
		TEST(a_qemu_that_reads_nothing_is_an_error_and_no_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
