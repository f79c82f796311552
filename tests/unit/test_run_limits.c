/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/run_line.h"

static void memory_is_limited_as_docker_does(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.Memory=0" },
		{ "-m|6m", LINE_OK, "HostConfig.Memory=6291456" },
		{ "-m|6m", LINE_OK, "HostConfig.MemorySwap=12582912" },
		{ "--memory=1.5g", LINE_OK, "HostConfig.Memory=1610612736" },
		{ "-m|", LINE_FLAG,
		  "invalid argument \"\" for \"-m, --memory\" flag: invalid size: ''" },
		{ "-m|x", LINE_FLAG, "invalid size: 'x'" },
		{ "-m|-1", LINE_FLAG, "invalid size: '-1'" },
		{ "-m|1x", LINE_FLAG, "invalid suffix: 'x'" },
		{ "-m|99999999999999999999g", LINE_FLAG, "is too large" },
		{ "-m", LINE_FLAG, "flag needs an argument: 'm' in -m" },
		{ "-m|1", LINE_ENGINE, "Minimum memory limit allowed is 6MB" },
		{ "-m|6m|--memory-swap|-1", LINE_OK, "HostConfig.MemorySwap=-1" },
		{ "-m|6m|--memory-swap|7m", LINE_OK, "HostConfig.MemorySwap=7340032" },
		{ "--memory-swap|-1", LINE_OK, "HostConfig.MemorySwap=-1" },
		{ "--memory-swap|", LINE_FLAG, "invalid size: ''" },
		{ "--memory-swap|-2", LINE_FLAG, "invalid size: '-2'" },
		{ "-m|8m|--memory-swap|7m", LINE_ENGINE,
		  "Minimum memoryswap limit should be larger" },
		{ "--memory-swap|7m", LINE_ENGINE, "You should always set the Memory limit" },
		{ "--memory-reservation|6m", LINE_OK, "HostConfig.MemoryReservation=6291456" },
		{ "--memory-reservation|x", LINE_FLAG, "invalid size: 'x'" },
		{ "--memory-reservation|1m", LINE_ENGINE,
		  "Minimum memory reservation allowed is 6MB" },
		{ "-m|6m|--memory-reservation|7m", LINE_ENGINE,
		  "Minimum memory limit can not be less than memory reservation limit" },
		{ "", LINE_OK, "HostConfig.MemorySwappiness=null" },
		{ "--memory-swappiness|-1", LINE_OK, "HostConfig.MemorySwappiness=null" },
		{ "--memory-swappiness|0", LINE_WARNING, "Memory swappiness discarded." },
		{ "--memory-swappiness|100", LINE_WARNING, "Memory swappiness discarded." },
		{ "--memory-swappiness|101", LINE_CLIENT,
		  "invalid value: 101. Valid memory swappiness range is 0-100" },
		{ "--memory-swappiness|-2", LINE_CLIENT, "invalid value: -2." },
		{ "--memory-swappiness|x", LINE_FLAG,
		  "strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ "--kernel-memory|50m", LINE_OK, "" },
		{ "--kernel-memory|x", LINE_FLAG, "invalid size: 'x'" },
		{ "--oom-kill-disable", LINE_WARNING, "OomKillDisable discarded." },
		{ "--oom-kill-disable=false", LINE_OK, "HostConfig.OomKillDisable=null" },
		{ "--oom-kill-disable=x", LINE_FLAG, "strconv.ParseBool" },
		{ "--oom-score-adj|-1000", LINE_OK, "HostConfig.OomScoreAdj=-1000" },
		{ "--oom-score-adj|1001", LINE_ENGINE,
		  "Invalid value 1001, range for oom score adj is [-1000, 1000]" },
		{ "--oom-score-adj|99999999999", LINE_ENGINE, "Invalid value 99999999999" },
		{ "--oom-score-adj|", LINE_FLAG, "strconv.ParseInt: parsing \"\": invalid syntax" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void processors_are_limited_as_docker_does(void **state)
{
	static const struct line_case cases[] = {
		{ "--cpus|0.5", LINE_OK, "HostConfig.NanoCpus=500000000" },
		{ "--cpus|", LINE_FLAG, "failed to parse  as a rational number" },
		{ "--cpus|x", LINE_FLAG, "failed to parse x as a rational number" },
		{ "--cpus|1.0000000001", LINE_FLAG, "value is too precise" },
		{ "--cpus|-1", LINE_ENGINE, "range of CPUs is from 0.01 to" },
		{ "--cpus|0.001", LINE_ENGINE, "range of CPUs is from 0.01 to" },
		{ "--cpus|99999", LINE_ENGINE, "CPUs available" },
		{ "--cpus|0.5|--cpu-period|1000", LINE_ENGINE,
		  "Conflicting options: Nano CPUs and CPU Period cannot both be set" },
		{ "--cpus|0.5|--cpu-quota|1000", LINE_ENGINE,
		  "Conflicting options: Nano CPUs and CPU Quota cannot both be set" },
		{ "--cpu-period|1000", LINE_OK, "HostConfig.CpuPeriod=1000" },
		{ "--cpu-period|x", LINE_FLAG, "strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ "--cpu-period|999", LINE_ENGINE, "CPU cfs period can not be less than 1ms" },
		{ "--cpu-period|1000001", LINE_ENGINE, "larger than 1s (i.e. 1000000)" },
		{ "--cpu-period|-1", LINE_ENGINE, "CPU cfs period can not be less than 1ms" },
		{ "--cpu-quota|1000", LINE_OK, "HostConfig.CpuQuota=1000" },
		{ "--cpu-quota|-1", LINE_OK, "HostConfig.CpuQuota=-1" },
		{ "--cpu-quota|999", LINE_ENGINE, "CPU cfs quota can not be less than 1ms" },
		{ "-c|512", LINE_OK, "HostConfig.CpuShares=512" },
		{ "--cpu-shares|-1", LINE_ENGINE, "the minimum allowed cpu-shares is 2" },
		{ "--cpu-shares|262145", LINE_ENGINE, "the maximum allowed cpu-shares is 262144" },
		{ "--cpu-shares|99999999999999999999", LINE_FLAG, "value out of range" },
		{ "--cpuset-cpus|0", LINE_OK, "HostConfig.CpusetCpus=\"0\"" },
		{ "--cpuset-cpus|", LINE_OK, "HostConfig.CpusetCpus=\"\"" },
		{ "--cpuset-cpus|x", LINE_ENGINE, "Invalid value x for cpuset cpus" },
		{ "--cpuset-cpus|0-", LINE_ENGINE, "Invalid value 0- for cpuset cpus" },
		{ "--cpuset-cpus|-0", LINE_ENGINE, "Invalid value -0 for cpuset cpus" },
		{ "--cpuset-cpus|3-1", LINE_ENGINE, "Invalid value 3-1 for cpuset cpus" },
		{ "--cpuset-cpus|0,", LINE_ENGINE, "Invalid value 0, for cpuset cpus" },
		{ "--cpuset-cpus|99999999999999999999", LINE_ENGINE, "Invalid value 9999" },
		{ "--cpuset-cpus|0-8000", LINE_ENGINE,
		  "Requested CPUs are not available - requested 0-8000, available: 0" },
		{ "--cpuset-mems|0", LINE_OK, "HostConfig.CpusetMems=\"0\"" },
		{ "--cpuset-mems|1", LINE_ENGINE,
		  "Requested memory nodes are not available - requested 1, available: 0" },
		{ "--cpuset-mems|x", LINE_ENGINE, "Invalid value x for cpuset mems" },
		{ "--cpu-rt-period|1000", LINE_WARNING, "real-time" },
		{ "--cpu-rt-runtime|x", LINE_FLAG, "invalid syntax" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void processes_and_their_resources_are_limited(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.PidsLimit=null" },
		{ "--pids-limit|5", LINE_OK, "HostConfig.PidsLimit=5" },
		{ "--pids-limit|0x10", LINE_OK, "HostConfig.PidsLimit=16" },
		{ "--pids-limit|-1", LINE_OK, "HostConfig.PidsLimit=null" },
		{ "--pids-limit|0", LINE_OK, "HostConfig.PidsLimit=null" },
		{ "--pids-limit|x", LINE_FLAG, "strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ "--pids-limit|99999999999999999999", LINE_FLAG, "value out of range" },
		{ "--ulimit|nofile=1:2", LINE_OK,
		  "HostConfig.Ulimits=[{\"Name\":\"nofile\",\"Hard\":2,\"Soft\":1}]" },
		{ "--ulimit|core=-1", LINE_OK,
		  "HostConfig.Ulimits=[{\"Name\":\"core\",\"Hard\":-1,\"Soft\":-1}]" },
		{ "", LINE_OK, "HostConfig.Ulimits=[]" },
		{ "--ulimit|foo=1", LINE_FLAG,
		  "invalid argument \"foo=1\" for \"--ulimit\" flag: invalid ulimit type: foo" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_limited_as_docker_does),
		cmocka_unit_test(processors_are_limited_as_docker_does),
		cmocka_unit_test(processes_and_their_resources_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
