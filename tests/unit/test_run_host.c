/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/run_line.h"

#include <unistd.h>

static void namespaces_are_had_where_they_mean_the_same(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.IpcMode=\"private\"" },
		{ "--ipc|none", LINE_OK, "HostConfig.IpcMode=\"none\"" },
		{ "--ipc|shareable", LINE_OK, "HostConfig.IpcMode=\"shareable\"" },
		{ "--ipc|host", LINE_CLIENT, "--ipc=host cannot be had" },
		{ "--ipc|container:x", LINE_CLIENT, "--ipc=container:x cannot be had" },
		{ "--ipc|foo", LINE_ENGINE, "invalid IPC mode: foo" },
		{ "", LINE_OK, "HostConfig.PidMode=\"\"" },
		{ "--pid|", LINE_OK, "HostConfig.PidMode=\"\"" },
		{ "--pid|host", LINE_CLIENT, "--pid=host cannot be had" },
		{ "--pid|container:x", LINE_CLIENT, "--pid=container:x cannot be had" },
		{ "--pid|container:", LINE_CLIENT, "--pid: invalid PID mode" },
		{ "--pid|private", LINE_CLIENT, "--pid: invalid PID mode" },
		{ "--uts|foo", LINE_CLIENT, "--uts: invalid UTS mode" },
		{ "--uts|host", LINE_OK, "HostConfig.UTSMode=\"host\"" },
		{ "--uts|host|-h|x", LINE_ENGINE,
		  "conflicting options: hostname and the UTS mode" },
		{ "--userns|host", LINE_WARNING, "--userns=host has no effect" },
		{ "--userns|private", LINE_CLIENT, "--userns: invalid USER mode" },
		{ "--cgroupns|private", LINE_OK, "HostConfig.CgroupnsMode=\"private\"" },
		{ "--cgroupns|host", LINE_WARNING, "--cgroupns=host shows" },
		{ "--cgroupns|foo", LINE_CLIENT, "--cgroupns: invalid CGROUP mode" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void the_hosts_name_is_taken_with_its_uts_namespace(void **state)
{
	auto_strv struct strv warnings = STRV_INIT;
	auto_spec struct container_spec spec;
	struct err e = ERR_INIT;
	char name[256] = "";

	(void)state;
	spec_init(&spec);
	gethostname(name, sizeof(name) - 1);
	assert_int_equal(line_run("--uts|host", &spec, &warnings, &e), LINE_OK);
	assert_string_equal(spec.hostname, name);
}

static void what_belongs_to_the_hosts_schedulers_is_accepted_with_a_warning(void **state)
{
	static const struct line_case cases[] = {
		{ "--blkio-weight|0", LINE_OK, "HostConfig.BlkioWeight=0" },
		{ "--blkio-weight|500", LINE_WARNING, "Weight discarded" },
		{ "--blkio-weight|5", LINE_ENGINE, "Range of blkio weight is from 10 to 1000" },
		{ "--blkio-weight|x", LINE_FLAG,
		  "strconv.ParseUint: parsing \"x\": invalid syntax" },
		{ "--blkio-weight|-1", LINE_FLAG,
		  "strconv.ParseUint: parsing \"-1\": invalid syntax" },
		{ "--blkio-weight|70000", LINE_FLAG,
		  "strconv.ParseUint: parsing \"70000\": value out of range" },
		{ "--blkio-weight-device|/dev/sda:500", LINE_WARNING, "Weight discarded" },
		{ "--blkio-weight-device|x", LINE_FLAG, "bad format: x" },
		{ "--blkio-weight-device|:5", LINE_FLAG, "bad format: :5" },
		{ "--blkio-weight-device|sda:50", LINE_FLAG, "bad format for device path: sda:50" },
		{ "--blkio-weight-device|/dev/sda:5", LINE_FLAG,
		  "invalid weight for device: /dev/sda:5" },
		{ "--device-read-bps|/dev/sda:1mb", LINE_WARNING, "Block I/O limits discarded" },
		{ "--device-write-bps|/dev/sda:x", LINE_FLAG,
		  "invalid rate for device: /dev/sda:x. The correct format is "
		  "<device-path>:<number>[<unit>]" },
		{ "--device-read-iops|/dev/sda:100", LINE_WARNING, "Block I/O limits discarded" },
		{ "--device-write-iops|/dev/sda:1k", LINE_FLAG,
		  "The correct format is <device-path>:<number>. Number must be a positive "
		  "integer" },
		{ "--cgroup-parent|x.slice", LINE_WARNING,
		  "--cgroup-parent x.slice has no effect" },
		{ "--cgroup-parent|", LINE_OK, "HostConfig.CgroupParent=\"\"" },
		{ "--runtime|io.kata", LINE_WARNING, "--runtime io.kata has no effect" },
		{ "--runtime|", LINE_OK, "HostConfig.Runtime=\"kvbox\"" },
		{ "--disable-content-trust=false", LINE_OK, "" },
		{ "--init", LINE_OK, "HostConfig.Init=true" },
		{ "", LINE_OK, "HostConfig.Init=-" },
		{ "--init=x", LINE_FLAG, "strconv.ParseBool: parsing \"x\": invalid syntax" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void every_parameter_of_the_kernel_can_be_set(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.Sysctls=-" },
		{ "--sysctl|net.ipv4.ip_forward=1", LINE_OK,
		  "HostConfig.Sysctls={\"net.ipv4.ip_forward\":\"1\"}" },
		{ "--sysctl|vm.max_map_count=262144", LINE_OK, "" },
		{ "--sysctl|net.ipv4.conf.eth0/1.rp_filter=1", LINE_OK, "" },
		{ "--sysctl|net.x=", LINE_OK, "HostConfig.Sysctls={\"net.x\":\"\"}" },
		{ "--sysctl|kernel.sem=1=2", LINE_OK,
		  "HostConfig.Sysctls={\"kernel.sem\":\"1=2\"}" },
		{ "--sysctl|", LINE_FLAG,
		  "invalid argument \"\" for \"--sysctl\" flag: sysctl '' is "
		  "not allowed" },
		{ "--sysctl|a", LINE_FLAG, "sysctl 'a' is not allowed" },
		{ "--sysctl|=b", LINE_FLAG, "sysctl '=b' is not allowed" },
		{ "--sysctl|a=b=c", LINE_FLAG, "sysctl 'a=b=c' is not allowed" },
		{ "--sysctl|net.x", LINE_FLAG, "sysctl 'net.x' is not allowed" },
		{ "--sysctl|net..x=1", LINE_FLAG, "is not allowed" },
		{ "--sysctl|../x=1", LINE_FLAG, "is not allowed" },
		{ "--sysctl|/etc/passwd=1", LINE_FLAG, "is not allowed" },
		{ "--sysctl|net.x y=1", LINE_FLAG, "is not allowed" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespaces_are_had_where_they_mean_the_same),
		cmocka_unit_test(the_hosts_name_is_taken_with_its_uts_namespace),
		cmocka_unit_test(what_belongs_to_the_hosts_schedulers_is_accepted_with_a_warning),
		cmocka_unit_test(every_parameter_of_the_kernel_can_be_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
