/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/run_line.h"

static void file_systems_in_memory_have_dockers_options(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.Tmpfs=-" },
		{ "--tmpfs|/run", LINE_OK, "HostConfig.Tmpfs={\"/run\":\"\"}" },
		{ "--tmpfs|/run/../x//y/.|--tmpfs|/z:size=1m,mode=1777,exec,uid=5", LINE_OK,
		  "HostConfig.Tmpfs={\"/x/y\":\"\",\"/z\":\"size=1m,mode=1777,exec,uid=5\"}" },
		{ "--tmpfs|/a:rw,noexec,nosuid,nodev,size=50%,nr_inodes=1k", LINE_OK, "" },
		{ "--tmpfs|", LINE_ENGINE, "invalid mount path: '' mount path must be absolute" },
		{ "--tmpfs|foo", LINE_ENGINE,
		  "invalid mount path: 'foo' mount path must be absolute" },
		{ "--tmpfs|/", LINE_ENGINE, "invalid specification: destination can't be '/'" },
		{ "--tmpfs|/x/..", LINE_ENGINE, "destination can't be '/'" },
		{ "--tmpfs|/x:foo", LINE_ENGINE, "invalid tmpfs option \"foo\"" },
		{ "--tmpfs|/x:size", LINE_ENGINE, "invalid tmpfs option \"size\"" },
		{ "--tmpfs|/x:size=x", LINE_ENGINE, "invalid tmpfs option \"size=x\"" },
		{ "--tmpfs|/x:size=-1", LINE_ENGINE, "invalid tmpfs option \"size=-1\"" },
		{ "--tmpfs|/x:mode=8", LINE_ENGINE, "invalid tmpfs option \"mode=8\"" },
		{ "--tmpfs|/x:rw,,ro", LINE_ENGINE, "invalid tmpfs option \"\"" },
		{ "--tmpfs|/a=b", LINE_ENGINE, "has a \"=\"" },
		{ "--tmpfs", LINE_FLAG, "flag needs an argument: --tmpfs" },
		{ "--read-only", LINE_OK, "HostConfig.ReadonlyRootfs=true" },
		{ "", LINE_OK, "HostConfig.ShmSize=67108864" },
		{ "--shm-size|0", LINE_OK, "HostConfig.ShmSize=67108864" },
		{ "--shm-size|2g", LINE_OK, "HostConfig.ShmSize=2147483648" },
		{ "--shm-size|x", LINE_FLAG, "invalid size: 'x'" },
		{ "--shm-size|-1", LINE_FLAG, "invalid size: '-1'" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void devices_are_the_guests_own(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.Devices=[]" },
		{ "--device|/dev/net/tun", LINE_OK,
		  "HostConfig.Devices=[{\"PathOnHost\":\"/dev/net/tun\",\"PathInContainer\":"
		  "\"/dev/net/tun\",\"CgroupPermissions\":\"rwm\"}]" },
		{ "--device|/dev/fuse:r", LINE_OK,
		  "HostConfig.Devices=[{\"PathOnHost\":\"/dev/fuse\",\"PathInContainer\":"
		  "\"/dev/fuse\",\"CgroupPermissions\":\"r\"}]" },
		{ "--device|/dev/loop7:/dev/x/../y:rw", LINE_OK,
		  "HostConfig.Devices=[{\"PathOnHost\":\"/dev/loop7\",\"PathInContainer\":"
		  "\"/dev/y\",\"CgroupPermissions\":\"rw\"}]" },
		{ "--device|/dev/kvm", LINE_OK, "" },
		{ "--device|", LINE_CLIENT, "bad format for path: " },
		{ "--device|:x", LINE_CLIENT, "bad format for path: :x" },
		{ "--device|a:b:c:d", LINE_CLIENT, "bad format for path: a:b:c:d" },
		{ "--device|x", LINE_CLIENT, "x is not an absolute path" },
		{ "--device|/dev/fuse:a", LINE_CLIENT, "a is not an absolute path" },
		{ "--device|/dev/fuse:/dev/fuse:z", LINE_CLIENT, "bad mode specified: z" },
		{ "--device|/dev/fuse:/dev/fuse:rr", LINE_CLIENT, "bad mode specified: rr" },
		{ "--device|/dev/sda", LINE_CLIENT,
		  "error gathering device information while adding custom device \"/dev/sda\": "
		  "devices of the host cannot be passed on" },
		{ "--device|/dev/loop", LINE_CLIENT, "devices of the host cannot be passed on" },
		{ "--device|/dev/loop*", LINE_CLIENT, "devices of the host cannot be passed on" },
		{ "--device|/etc/passwd", LINE_CLIENT, "devices of the host cannot be passed on" },
		{ "", LINE_OK, "HostConfig.DeviceCgroupRules=null" },
		{ "--device-cgroup-rule|c 1:3 rwm|--device-cgroup-rule|a *:* r", LINE_OK,
		  "HostConfig.DeviceCgroupRules=[\"c 1:3 rwm\",\"a *:* r\"]" },
		{ "--device-cgroup-rule|", LINE_FLAG, "invalid device cgroup format ''" },
		{ "--device-cgroup-rule|x", LINE_FLAG, "invalid device cgroup format 'x'" },
		{ "--device-cgroup-rule|d 1:3 rwm", LINE_FLAG, "invalid device cgroup format" },
		{ "--device-cgroup-rule|c 1:3", LINE_FLAG, "invalid device cgroup format" },
		{ "--device-cgroup-rule|c 1:3 ", LINE_FLAG, "invalid device cgroup format" },
		{ "--device-cgroup-rule|c 1: r", LINE_FLAG, "invalid device cgroup format" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void the_disk_has_the_size_that_was_asked_for(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.StorageOpt=-" },
		{ "--storage-opt|size=1G", LINE_OK, "HostConfig.StorageOpt={\"size\":\"1G\"}" },
		{ "--storage-opt|x", LINE_CLIENT, "invalid storage option" },
		{ "--storage-opt|foo=1", LINE_ENGINE, "unknown option foo" },
		{ "--storage-opt|size=", LINE_ENGINE, "invalid size: ''" },
		{ "--storage-opt|size=x", LINE_ENGINE, "invalid size: 'x'" },
		{ "--storage-opt|size=1m", LINE_ENGINE, "is from 64MB to 16TB: 1m" },
		{ "--storage-opt|size=17t", LINE_ENGINE, "is from 64MB to 16TB: 17t" },
		{ "--storage-opt|size=0", LINE_ENGINE, "is from 64MB" },
	};
	auto_strv struct strv warnings = STRV_INIT;
	auto_spec struct container_spec spec;
	struct err e = ERR_INIT;

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
	spec_init(&spec);
	assert_int_equal(line_run("--storage-opt|size=1G", &spec, &warnings, &e), LINE_OK);
	assert_int_equal(spec.disk_size, INT64_C(1) << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_systems_in_memory_have_dockers_options),
		cmocka_unit_test(devices_are_the_guests_own),
		cmocka_unit_test(the_disk_has_the_size_that_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
