/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/capability.h"
#include "engine/monitor_priv.h"

static int make_monitor(void **state)
{
	struct monitor *m = xcalloc(1, sizeof(*m));

	spec_init(&m->spec);
	strv_add(&m->spec.args, "true");
	*state = m;
	return 0;
}

static int free_monitor(void **state)
{
	struct monitor *m = *state;

	settings_release(m);
	spec_release(&m->spec);
	free(m);
	return 0;
}

/* What the agent would get: the JSON of one of the two messages. */
static char *told(struct monitor *m, bool process, bool privileged)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct err e = ERR_INIT;

	assert_ok(settings_prepare(m, &e));
	message_out_request(&out, "x", 1);
	if (process)
		settings_tell_process(m, privileged, &out);
	else
		settings_tell_container(m, &out.json);
	return xstrdup(out.text.buf);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' lacks '%s'", text, part);
}

static void lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' has '%s'", text, part);
}

static void a_container_without_options_has_dockers_defaults(void **state)
{
	auto_free char *process = told(*state, true, false), *setup = told(*state, false, false);
	const struct monitor *m = *state;

	has(process, "\"capabilities\":2818844155");
	has(process, "\"seccomp\":0");
	has(process, "\"no_new_privs\":false");
	has(process, "\"rlimits\":[]");
	has(setup, "\"masked\":[\"/proc/asound\"");
	has(setup, "\"readonly_paths\":[\"/proc/bus\"");
	has(setup, "\"privileged\":false");
	has(setup, "\"memory\":0,\"memory_swap\":0");
	assert_true(m->settings.filter.len > 0 && m->settings.filter.len % 8 == 0);
}

static void a_privileged_container_and_exec_have_no_filter(void **state)
{
	struct monitor *m = *state;
	auto_free char *exec = told(m, true, true);
	auto_free char *process = NULL, *setup = NULL;

	/* The exec of a container that is not. */
	lacks(exec, "capabilities");
	lacks(exec, "seccomp");
	settings_release(m);
	m->spec.privileged = true;
	process = told(m, true, false);
	setup = told(m, false, false);
	lacks(process, "seccomp");
	assert_int_equal(m->settings.capabilities, CAPABILITY_ALL);
	has(setup, "\"masked\":[],\"readonly_paths\":[]");
	has(setup, "\"privileged\":true");
}

static void ulimits_are_told_by_the_kernels_numbers(void **state)
{
	struct monitor *m = *state;
	auto_free char *process = NULL;

	strv_add(&m->spec.ulimits, "nofile=1024:2048");
	strv_add(&m->spec.ulimits, "core=-1");
	strv_add(&m->spec.ulimits, "memlock=5");
	process = told(m, true, false);
	has(process, "\"rlimits\":[[7,1024,2048],[4,-1,-1],[8,5,5]]");
}

static void hosts_resolver_and_swap_are_as_docker_makes_them(void **state)
{
	struct monitor *m = *state;
	auto_free char *setup = NULL;

	strv_add(&m->spec.extra_hosts, "one:1.2.3.4");
	strv_add(&m->spec.extra_hosts, "six:::6");
	strv_add(&m->spec.dns, "9.9.9.9");
	strv_add(&m->spec.dns_search, ".");
	strv_add(&m->spec.dns_options, "ndots:3");
	m->spec.memory = 1000;
	setup = told(m, false, false);
	has(setup, "\"hosts\":[\"1.2.3.4\\tone\",\"::6\\tsix\"]");
	has(setup, "\"resolv_conf\":[\"nameserver 9.9.9.9\",\"options ndots:3\"]");
	has(setup, "\"memory\":1000,\"memory_swap\":2000");
}

static void with_an_init_the_command_is_its_argument(void **state)
{
	struct monitor *m = *state;
	auto_strv struct strv plain = STRV_INIT, init = STRV_INIT;

	settings_main_args(m, &plain);
	m->spec.init = true;
	settings_main_args(m, &init);
	assert_int_equal(plain.n, 1);
	assert_string_equal(plain.v[0], "true");
	assert_int_equal(init.n, 3);
	assert_string_equal(init.v[0], "/sbin/docker-init");
	assert_string_equal(init.v[1], "--");
	assert_string_equal(init.v[2], "true");
}

static void the_vm_is_as_wide_as_the_largest_processor_that_is_named(void **state)
{
	static const struct {
		const char *cpus;
		int64_t nano, want;
	} cases[] = {
		{ "", 0, 0 },
		{ "", 1500000000, 1500000000 },
		{ "0", 0, 1000000000 },
		{ "0-3", 0, 4000000000 },
		{ "3,1", 1500000000, 4000000000 },
		{ "0", 1500000000, 1500000000 },
	};
	struct monitor *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		free(m->spec.cpuset_cpus);
		m->spec.cpuset_cpus = xstrdup(cases[i].cpus);
		m->spec.nano_cpus = cases[i].nano;
		assert_int_equal(settings_nano_cpus(&m->spec), cases[i].want);
	}
}

static void a_profile_that_cannot_be_compiled_is_an_error_that_says_so(void **state)
{
	struct monitor *m = *state;
	struct err e = ERR_INIT;

	free(m->spec.seccomp);
	m->spec.seccomp = xstrdup("{\"defaultAction\":\"SCMP_ACT_NOPE\"}");
	assert_fails(settings_prepare(m, &e), "cannot make the seccomp filter");
}

int main(void)
{
#define WITH_MONITOR(test) cmocka_unit_test_setup_teardown(test, make_monitor, free_monitor)
	const struct CMUnitTest tests[] = {
		WITH_MONITOR(a_container_without_options_has_dockers_defaults),
		WITH_MONITOR(a_privileged_container_and_exec_have_no_filter),
		WITH_MONITOR(ulimits_are_told_by_the_kernels_numbers),
		WITH_MONITOR(hosts_resolver_and_swap_are_as_docker_makes_them),
		WITH_MONITOR(with_an_init_the_command_is_its_argument),
		WITH_MONITOR(the_vm_is_as_wide_as_the_largest_processor_that_is_named),
		WITH_MONITOR(a_profile_that_cannot_be_compiled_is_an_error_that_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
