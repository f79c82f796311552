/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <linux/filter.h>

#include "agent/setup.h"
#include "base/mem.h"

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A request with these members, byte strings behind it. */
static void make(const char *json, const char *const *blobs, size_t n, struct str *payload,
		 struct message *ret)
{
	struct err e = ERR_INIT;
	uint32_t len = (uint32_t)strlen(json);

	str_clear(payload);
	str_addn(payload, &len, 4);
	str_add(payload, json);
	for (size_t i = 0; i < n; i++) {
		len = (uint32_t)strlen(blobs[i]);
		str_addn(payload, &len, 4);
		str_add(payload, blobs[i]);
	}
	assert_ok(message_parse(FRAME_REQUEST, payload->buf, payload->len, ret, &e));
}

static int read_setup(const char *more, struct container_setup *s, struct err *e)
{
	auto_str struct str payload = STR_INIT(65536);
	auto_message struct message m = { 0 };
	auto_free char *json = xasprintf("{\"container\":\"%s\",\"hostname\":\"h\",\"upper\":\"u\","
					 "\"root\":{\"joined\":\"j\"}%s}",
					 ID, more);

	make(json, NULL, 0, &payload, &m);
	*s = (struct container_setup){ 0 };
	return setup_read(&m, s, e);
}

static void a_setup_with_nothing_more_has_no_limits(void **state)
{
	struct container_setup s;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(read_setup("", &s, &e));
	assert_string_equal(s.id, ID);
	assert_false(s.privileged || s.read_only || s.init || s.is_volatile);
	assert_int_equal(s.limits.memory + s.limits.pids + s.limits.nano_cpus + s.shm_size, 0);
	assert_int_equal(s.tmpfs.n + s.masked.n + s.sysctls.n + s.devices.n, 0);
	container_setup_release(&s);
}

static void every_member_of_a_setup_arrives(void **state)
{
	struct container_setup s;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(read_setup(
		",\"domainname\":\"d\",\"privileged\":true,\"read_only\":true,\"init\":true,"
		"\"shm_size\":1,\"tmpfs\":{\"/t\":\"size=1\"},\"devices\":[\"/dev/a:/b:r\"],"
		"\"masked\":[\"/m\"],\"readonly_paths\":[\"/r\"],\"sysctls\":{\"net.x\":\"1\"},"
		"\"memory\":2,\"memory_swap\":-1,\"memory_reservation\":3,\"cpus\":4,"
		"\"cpu_period\":5,\"cpu_quota\":6,\"cpu_shares\":7,\"cpuset_cpus\":\"0\","
		"\"cpuset_mems\":\"1\",\"pids\":8",
		&s, &e));
	assert_string_equal(s.domainname, "d");
	assert_true(s.privileged && s.read_only && s.init);
	assert_string_equal(s.tmpfs.v[0], "/t=size=1");
	assert_string_equal(s.devices.v[0], "/dev/a:/b:r");
	assert_string_equal(s.masked.v[0], "/m");
	assert_string_equal(s.readonly_paths.v[0], "/r");
	assert_string_equal(s.sysctls.v[0], "net.x=1");
	assert_int_equal(s.shm_size, 1);
	assert_int_equal(s.limits.memory, 2);
	assert_int_equal(s.limits.memory_swap, -1);
	assert_int_equal(s.limits.memory_reservation, 3);
	assert_int_equal(s.limits.nano_cpus, 4);
	assert_int_equal(s.limits.cpu_period, 5);
	assert_int_equal(s.limits.cpu_quota, 6);
	assert_int_equal(s.limits.cpu_shares, 7);
	assert_int_equal(s.limits.pids, 8);
	assert_string_equal(s.limits.cpuset_cpus, "0");
	assert_string_equal(s.limits.cpuset_mems, "1");
	container_setup_release(&s);
}

static void a_setup_that_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *more, *why;
	} cases[] = {
		{ ",\"masked\":[\"proc\"]", "path 'proc' is not absolute" },
		{ ",\"readonly_paths\":[\"\"]", "is not absolute" },
		{ ",\"tmpfs\":{\"t\":\"\"}", "is not absolute" },
		{ ",\"shm_size\":-1", "'shm_size' is -1" },
		{ ",\"memory\":-5", "'memory' is -5" },
		{ ",\"pids\":\"x\"", "pids" },
		{ ",\"sysctls\":[]", "sysctls" },
		{ ",\"domainname\":"
		  "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
		  "longer than 64" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container_setup s;
		struct err e = ERR_INIT;

		assert_fails(read_setup(cases[i].more, &s, &e), cases[i].why);
		container_setup_release(&s);
	}
}

/* ---- process.start --------------------------------------------------------------------------- */

static int read_process(const char *more, const char *filter, struct process_spec *s, struct err *e)
{
	auto_str struct str payload = STR_INIT(65536);
	auto_message struct message m = { 0 };
	const char *const blobs[] = { "true", filter };
	auto_free char *json = xasprintf("{\"container\":\"%s\",\"process\":1,\"args\":[0,1]%s}",
					 ID, more);
	auto_free char *container = NULL;
	int r;

	make(json, blobs, filter ? 2 : 1, &payload, &m);
	*s = (struct process_spec){ 0 };
	r = setup_read_process(&m, s, &container, e);
	if (r == 0)
		assert_string_equal(container, ID);
	return r;
}

static void a_process_has_all_rights_unless_it_is_said(void **state)
{
	struct process_spec s;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(read_process("", NULL, &s, &e));
	assert_true(s.child.privileges.capabilities == UINT64_MAX);
	assert_null(s.child.privileges.filter);
	assert_int_equal(s.child.privileges.nrlimits, 0);
	assert_string_equal(s.child.args.v[0], "true");
	assert_string_equal(s.child.user, "");
	process_spec_release(&s);
}

static void every_member_of_a_process_arrives(void **state)
{
	static const char filter[] = "eightbytsixteen!";
	const struct privileges *p;
	struct process_spec s;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(sizeof(filter) - 1, 2 * sizeof(struct sock_filter));
	assert_ok(read_process(",\"capabilities\":5,\"no_new_privs\":true,\"oom_score_adj\":-7,"
			       "\"rlimits\":[[7,1,2],[6,-1,-1]],\"groups\":[\"a\",\"5\"],"
			       "\"user\":\"u\",\"seccomp\":1",
			       filter, &s, &e));
	p = &s.child.privileges;
	assert_int_equal(p->capabilities, 5);
	assert_true(p->no_new_privs);
	assert_int_equal(p->oom_score_adj, -7);
	assert_int_equal(p->nrlimits, 2);
	assert_int_equal(p->rlimits[0].resource, 7);
	assert_int_equal(p->rlimits[0].soft, 1);
	assert_int_equal(p->rlimits[0].hard, 2);
	assert_int_equal(p->rlimits[1].hard, -1);
	assert_int_equal(p->filter_size, 16);
	assert_memory_equal(p->filter, filter, 16);
	assert_string_equal(s.child.groups.v[1], "5");
	assert_string_equal(s.child.user, "u");
	process_spec_release(&s);
}

static void a_process_that_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *more, *filter, *why;
	} cases[] = {
		{ ",\"seccomp\":1", NULL, "'seccomp' is not one of the byte strings" },
		{ ",\"seccomp\":-1", NULL, "'seccomp' is not one of the byte strings" },
		{ ",\"seccomp\":\"x\"", NULL, "'seccomp' is not one of the byte strings" },
		{ ",\"seccomp\":1", "", "'seccomp' is not a filter" },
		{ ",\"seccomp\":1", "sevenby", "'seccomp' is not a filter" },
		{ ",\"rlimits\":[[1,2]]", NULL, "not a limit" },
		{ ",\"rlimits\":[5]", NULL, "not a limit" },
		{ ",\"rlimits\":[[-1,2,3]]", NULL, "'rlimits' is -1" },
		{ ",\"rlimits\":[[\"nofile\",2,3]]", NULL, "'rlimits' is -1" },
		{ ",\"oom_score_adj\":1001", NULL, "'oom_score_adj' is 1001" },
		{ ",\"groups\":5", NULL, "groups" },
		{ ",\"rows\":70000", NULL, "'rows' is 70000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct process_spec s;
		struct err e = ERR_INIT;

		assert_fails(read_process(cases[i].more, cases[i].filter, &s, &e), cases[i].why);
		process_spec_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setup_with_nothing_more_has_no_limits),
		cmocka_unit_test(every_member_of_a_setup_arrives),
		cmocka_unit_test(a_setup_that_cannot_be_is_refused),
		cmocka_unit_test(a_process_has_all_rights_unless_it_is_said),
		cmocka_unit_test(every_member_of_a_process_arrives),
		cmocka_unit_test(a_process_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
