/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/run_line.h"

#include <unistd.h>

/* A file with the text, for one test; the path is the caller's to remove and free. */
static char *make_file(const char *text)
{
	char *path = xstrdup("/tmp/kvbox-run-security.XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static void capabilities_are_told_as_docker_tells_them(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.CapAdd=null" },
		{ "", LINE_OK, "HostConfig.CapDrop=null" },
		{ "--cap-add|sys_time|--cap-add|CAP_NET_ADMIN|--cap-add|net_admin", LINE_OK,
		  "HostConfig.CapAdd=[\"CAP_NET_ADMIN\",\"CAP_SYS_TIME\"]" },
		{ "--cap-add|all|--cap-add|chown", LINE_OK, "HostConfig.CapAdd=[\"ALL\"]" },
		{ "--cap-drop|ALL|--cap-add|chown", LINE_OK, "HostConfig.CapDrop=[\"ALL\"]" },
		{ "--cap-add|FOO", LINE_ENGINE, "invalid CapAdd: unknown capability: \"CAP_FOO\"" },
		{ "--cap-drop|cap_foo", LINE_ENGINE,
		  "invalid CapDrop: unknown capability: \"CAP_FOO\"" },
		{ "--cap-add|", LINE_ENGINE, "invalid CapAdd" },
		{ "--cap-add", LINE_FLAG, "flag needs an argument: --cap-add" },
		{ "--privileged", LINE_OK, "HostConfig.Privileged=true" },
		{ "--privileged", LINE_OK, "HostConfig.MaskedPaths=null" },
		{ "--privileged", LINE_OK, "HostConfig.SecurityOpt=[\"label=disable\"]" },
		{ "--privileged=x", LINE_FLAG, "strconv.ParseBool: parsing \"x\": invalid syntax" },
		{ "--privileged|--cap-add|FOO", LINE_ENGINE, "unknown capability" },
		{ "--group-add|audio|--group-add|7", LINE_OK,
		  "HostConfig.GroupAdd=[\"audio\",\"7\"]" },
		{ "", LINE_OK, "HostConfig.GroupAdd=null" },
		{ "--annotation|a=b|--annotation|c", LINE_OK,
		  "HostConfig.Annotations={\"a\":\"b\",\"c\":\"\"}" },
		{ "", LINE_OK, "HostConfig.Annotations=-" },
		{ "--annotation|=x", LINE_ENGINE, "the empty string is not permitted" },
		{ "--annotation|", LINE_ENGINE, "the empty string is not permitted" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void security_options_are_read_as_docker_reads_them(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.SecurityOpt=null" },
		{ "--security-opt|seccomp=unconfined", LINE_OK,
		  "HostConfig.SecurityOpt=[\"seccomp=unconfined\"]" },
		{ "--security-opt|seccomp:unconfined", LINE_OK,
		  "HostConfig.SecurityOpt=[\"seccomp=unconfined\"]" },
		{ "--security-opt|seccomp=builtin", LINE_OK,
		  "HostConfig.SecurityOpt=[\"seccomp=builtin\"]" },
		{ "--security-opt|no-new-privileges", LINE_OK,
		  "HostConfig.SecurityOpt=[\"no-new-privileges\"]" },
		{ "--security-opt|no-new-privileges:true", LINE_OK, "" },
		{ "--security-opt|systempaths=unconfined", LINE_OK, "HostConfig.MaskedPaths=[]" },
		{ "--security-opt|systempaths=unconfined", LINE_OK, "HostConfig.SecurityOpt=null" },
		{ "--security-opt|apparmor=unconfined", LINE_WARNING, "without AppArmor" },
		{ "--security-opt|label=disable", LINE_WARNING, "without SELinux" },
		{ "--security-opt|label:disable", LINE_WARNING, "without SELinux" },
		{ "--security-opt|", LINE_CLIENT, "Invalid --security-opt: \"\"" },
		{ "--security-opt|foo", LINE_CLIENT, "Invalid --security-opt: \"foo\"" },
		{ "--security-opt|seccomp", LINE_CLIENT, "Invalid --security-opt: \"seccomp\"" },
		{ "--security-opt|seccomp=", LINE_CLIENT, "Invalid --security-opt: \"seccomp=\"" },
		{ "--security-opt|systempaths", LINE_CLIENT, "Invalid --security-opt" },
		{ "--security-opt|seccomp=/nonexist", LINE_CLIENT,
		  "opening seccomp profile (/nonexist) failed: open /nonexist: no such file or "
		  "directory" },
		{ "--security-opt|seccomp=/", LINE_CLIENT, "opening seccomp profile (/) failed" },
		{ "--security-opt|foo=bar", LINE_ENGINE, "invalid --security-opt" },
		{ "--security-opt|systempaths=x", LINE_ENGINE, "invalid --security-opt" },
		{ "--security-opt|no-new-privileges=x", LINE_ENGINE, "invalid --security-opt" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void no_new_privileges_takes_a_truth_value(void **state)
{
	static const struct {
		const char *line;
		bool want;
	} cases[] = {
		{ "", false },
		{ "--security-opt|no-new-privileges", true },
		{ "--security-opt|no-new-privileges=false", false },
		{ "--security-opt|no-new-privileges:true", true },
		{ "--security-opt|no-new-privileges|--security-opt|no-new-privileges=0", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strv struct strv warnings = STRV_INIT;
		auto_spec struct container_spec spec;
		struct err e = ERR_INIT;

		spec_init(&spec);
		assert_int_equal(line_run(cases[i].line, &spec, &warnings, &e), LINE_OK);
		assert_int_equal(spec.no_new_privileges, cases[i].want);
	}
}

static void a_profile_is_read_once_and_kept_as_compact_text(void **state)
{
	static const char profile[] =
		"{\n \"defaultAction\": \"SCMP_ACT_ALLOW\",\n \"syscalls\": []\n}\n";
	auto_free char *path = make_file(profile);
	auto_free char *line = xasprintf("--security-opt|seccomp=%s", path);
	auto_strv struct strv warnings = STRV_INIT;
	auto_spec struct container_spec spec;
	struct err e = ERR_INIT;

	(void)state;
	spec_init(&spec);
	assert_int_equal(line_run(line, &spec, &warnings, &e), LINE_OK);
	unlink(path);
	assert_string_equal(spec.seccomp, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[]}");
	assert_string_equal(spec.security_opts.v[0],
			    "seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[]}");
}

static void a_profile_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum line_result result;
		const char *want;
	} cases[] = {
		{ "{", LINE_CLIENT, "compacting json for seccomp profile (" },
		{ "", LINE_CLIENT, "compacting json for seccomp profile (" },
		{ "[]", LINE_ENGINE, "Decoding seccomp profile failed: " },
		{ "{\"defaultAction\":\"NOPE\"}", LINE_ENGINE,
		  "Decoding seccomp profile failed: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *path = make_file(cases[i].text);
		auto_free char *line = xasprintf("--security-opt|seccomp=%s", path);
		const struct line_case c = { line, cases[i].result, cases[i].want };

		line_check(&c);
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_are_told_as_docker_tells_them),
		cmocka_unit_test(security_options_are_read_as_docker_reads_them),
		cmocka_unit_test(no_new_privileges_takes_a_truth_value),
		cmocka_unit_test(a_profile_is_read_once_and_kept_as_compact_text),
		cmocka_unit_test(a_profile_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
