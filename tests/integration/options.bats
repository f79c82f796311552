#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The options of run and create: what they refuse and how, and what inspect shows of them. Few containers
# are started here; what the settings do inside is in settings.bats.
load helpers

# Nothing of a container is there.
expect_none()
{
	[ -z "$(kvbox ps -aq)" ] || fail "a container is left"
	[ -z "$(ls "$STORE/root/containers" 2> /dev/null)" ] || fail "a folder is left"
}

# shows PATH JSON: what inspect has of the container "one"
shows()
{
	local got

	got=$(kvbox inspect -f "{{json .$1}}" one)
	[ "$got" = "$2" ] || fail "$1 is $got instead of $2"
}

@test "what Docker's client refuses has its words, exit code 125, and leaves nothing" {
	local cid=$BATS_TEST_TMPDIR/cid args words verb

	while IFS='|' read -r args words; do
		[ -n "$args" ] || continue
		for verb in create run; do
			# shellcheck disable=SC2086
			try kvbox $verb --cidfile "$cid" $args hello
			expect_error 125 "$words"
			[ ! -e "$cid" ] || fail "$args: the file of the ID is left"
		done
	done <<- 'EOF'
		--bad|unknown flag: --bad
		--memory x|invalid argument "x" for "-m, --memory" flag: invalid size: 'x'
		--memory -1|invalid argument "-1" for "-m, --memory" flag: invalid size: '-1'
		--memory-swap -2|invalid argument "-2" for "--memory-swap" flag: invalid size: '-2'
		--pids-limit 99999999999999999999|strconv.ParseInt: parsing "99999999999999999999": value out of range
		--ulimit nofile=2:1|ulimit soft limit must be less than or equal to hard limit: 2 > 1
		--sysctl a|invalid argument "a" for "--sysctl" flag: sysctl 'a' is not allowed
		--add-host foo:bar|invalid argument "foo:bar" for "--add-host" flag: invalid IP address in add-host: "bar"
		--dns x|invalid argument "x" for "--dns" flag: IP address is not correctly formatted: x
		--dns-search x.-y|x.-y is not a valid domain
		--device-cgroup-rule x|invalid device cgroup format 'x'
		--health-interval 1|invalid argument "1" for "--health-interval" flag: time: missing unit in duration "1"
		--health-interval -1s|--health-interval cannot be negative
		--no-healthcheck --health-cmd x|--no-healthcheck conflicts with --health-* options
		--memory-swappiness 101|invalid value: 101. Valid memory swappiness range is 0-100
		--restart on-failure:x|invalid restart policy format: maximum retry count must be an integer
		--restart always --rm|conflicting options: cannot specify both --restart and --rm
		--security-opt foo|Invalid --security-opt: "foo"
		--security-opt seccomp=/nonexist|opening seccomp profile (/nonexist) failed: open /nonexist: no such file or directory
		--log-driver none --log-opt a=b|invalid logging opts for driver none
		--storage-opt x|invalid storage option
		--expose 90-80|invalid range specified for port: 90-80
		--pid foo|--pid: invalid PID mode
		--pid host|--pid=host cannot be had
		--ipc container:x|--ipc=container:x cannot be had
		--device /dev/sda|devices of the host cannot be passed on
		--label-file /nonexist|open /nonexist: no such file or directory
		--blkio-weight 70000|strconv.ParseUint: parsing "70000": value out of range
	EOF
	expect_none
}

@test "what Docker's engine refuses is 1 for create and 125 for run, and leaves nothing" {
	local cid=$BATS_TEST_TMPDIR/cid args words

	while IFS='|' read -r args words; do
		[ -n "$args" ] || continue
		# shellcheck disable=SC2086
		try kvbox create --cidfile "$cid" $args hello
		expect_error 1 "Error response from daemon: $words"
		# shellcheck disable=SC2086
		try kvbox run --cidfile "$cid" $args hello
		expect_error 125 "kvbox: Error response from daemon: $words"
		[ ! -e "$cid" ] || fail "$args: the file of the ID is left"
	done <<- 'EOF'
		--memory 1m|Minimum memory limit allowed is 6MB
		--memory-swap 7m|You should always set the Memory limit
		--cpus 99999|range of CPUs is from 0.01 to
		--cpus 0.5 --cpu-quota 1000|Conflicting options: Nano CPUs and CPU Quota cannot both be set
		--cpuset-cpus x|Invalid value x for cpuset cpus
		--oom-score-adj 2000|Invalid value 2000, range for oom score adj is [-1000, 1000]
		--cap-add FOO|invalid CapAdd: unknown capability: "CAP_FOO"
		--cap-drop FOO|invalid CapDrop: unknown capability: "CAP_FOO"
		--security-opt foo=bar|invalid --security-opt
		--restart foo|invalid restart policy: unknown policy 'foo'
		--restart on-failure:-1|invalid restart policy: maximum retry count cannot be negative
		--health-interval 10us|Interval in Healthcheck cannot be less than 1ms
		--tmpfs foo|invalid mount path: 'foo' mount path must be absolute
		--tmpfs /x:foo|invalid tmpfs option "foo"
		--log-driver foo|logger: no log driver named 'foo' is registered
		--log-opt foo=1|unknown log opt 'foo' for json-file log driver
		--storage-opt size=1m|the size of a container's disk is from
		--ipc foo|invalid IPC mode: foo
		--uts host -h x|conflicting options: hostname and the UTS mode
		--stop-signal NOPE|invalid signal: NOPE
		-w rel|the working directory 'rel' is invalid
	EOF
	expect_none
}

@test "inspect shows what was given" {
	printf 'FROM_FILE=1\n' > "$BATS_TEST_TMPDIR/labels"
	printf '{ "defaultAction": "SCMP_ACT_ALLOW" }' > "$BATS_TEST_TMPDIR/profile"
	try kvbox create --name one --cap-add net_admin --cap-drop ALL --security-opt no-new-privileges \
		--security-opt seccomp="$BATS_TEST_TMPDIR/profile" --ulimit nofile=5:10 --read-only \
		--tmpfs /run:size=5m --shm-size 1g --sysctl vm.max_map_count=262144 --pids-limit 7 \
		-m 64m --memory-swap -1 --memory-reservation 32m -c 512 \
		--cpu-period 50000 --cpu-quota 10000 --cpuset-cpus 0 --oom-score-adj -5 --group-add 5 \
		--init --stop-signal INT --stop-timeout 3 -h box --domainname dom --add-host a=1.2.3.4 \
		--dns 8.8.8.8 --dns-search example.org --dns-opt ndots:2 --device /dev/fuse:rw \
		--device-cgroup-rule 'c 1:3 r' --annotation k=v --ipc shareable --storage-opt size=1G \
		--log-opt max-size=10m --restart on-failure:3 --health-cmd true --health-interval 1m30s \
		--label-file "$BATS_TEST_TMPDIR/labels" --expose 80-81 --privileged hello
	expect 0
	[ -z "$err" ] || fail "warnings"
	shows HostConfig.CapAdd '["CAP_NET_ADMIN"]'
	shows HostConfig.CapDrop '["ALL"]'
	shows HostConfig.SecurityOpt \
		'["no-new-privileges","seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}","label=disable"]'
	shows HostConfig.Privileged true
	shows HostConfig.MaskedPaths null
	shows HostConfig.Ulimits '[{"Name":"nofile","Hard":10,"Soft":5}]'
	shows HostConfig.ReadonlyRootfs true
	shows HostConfig.Tmpfs '{"/run":"size=5m"}'
	shows HostConfig.ShmSize 1073741824
	shows HostConfig.Sysctls '{"vm.max_map_count":"262144"}'
	shows HostConfig.PidsLimit 7
	shows HostConfig.Memory 67108864
	shows HostConfig.MemorySwap -1
	shows HostConfig.MemoryReservation 33554432
	shows HostConfig.CpuShares 512
	shows HostConfig.CpuPeriod 50000
	shows HostConfig.CpuQuota 10000
	shows HostConfig.CpusetCpus '"0"'
	shows HostConfig.OomScoreAdj -5
	shows HostConfig.GroupAdd '["5"]'
	shows HostConfig.Init true
	shows HostConfig.ExtraHosts '["a:1.2.3.4"]'
	shows HostConfig.Dns '["8.8.8.8"]'
	shows HostConfig.DnsSearch '["example.org"]'
	shows HostConfig.DnsOptions '["ndots:2"]'
	shows HostConfig.Devices \
		'[{"PathOnHost":"/dev/fuse","PathInContainer":"/dev/fuse","CgroupPermissions":"rw"}]'
	shows HostConfig.DeviceCgroupRules '["c 1:3 r"]'
	shows HostConfig.Annotations '{"k":"v"}'
	shows HostConfig.IpcMode '"shareable"'
	shows HostConfig.StorageOpt '{"size":"1G"}'
	shows HostConfig.LogConfig '{"Type":"json-file","Config":{"max-size":"10m"}}'
	shows HostConfig.RestartPolicy '{"Name":"on-failure","MaximumRetryCount":3}'
	shows Config.Hostname '"box"'
	shows Config.Domainname '"dom"'
	shows Config.StopSignal '"INT"'
	shows Config.StopTimeout 3
	shows Config.Labels.FROM_FILE '"1"'
	shows Config.ExposedPorts '{"80/tcp":{},"81/tcp":{}}'
	shows Config.Healthcheck '{"Test":["CMD-SHELL","true"],"Interval":90000000000}'
	[ "$(stat -c %s "$STORE"/root/containers/*/upper.img)" -eq $((1 << 30)) ]
}

@test "what has no effect in a virtual machine is accepted with a warning" {
	try kvbox create --name one --runtime runc --cgroup-parent p --blkio-weight 500 --userns host \
		--cgroupns host --security-opt apparmor=unconfined --security-opt label=disable \
		--device-read-bps /dev/sda:1m --cpu-rt-period 1000 --oom-kill-disable --memory-swappiness 3 hello
	expect 0 "$(kvbox ps -aq --no-trunc)"
	[ "$(grep -c '^WARNING: ' <<< "$err")" -eq 11 ] || fail "not 11 warnings"
	[ "$(grep -cv '^WARNING: ' <<< "$err")" -eq 0 ] || fail "other lines"
	shows HostConfig.Runtime '"runc"'
	shows HostConfig.CgroupParent '"p"'
	shows HostConfig.BlkioWeight 0
	shows HostConfig.MemorySwappiness null
}

@test "an image's health check, ports, volumes and signals are inherited" {
	load_image checked '{"Healthcheck": {"Test": ["CMD", "true"], "Interval": 5000000000},
		"ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "StopSignal": "SIGQUIT",
		"Env": ["=x", "A=1"]}'
	kvbox create --name one --expose 90/udp --health-retries 2 checked sh
	shows Config.Healthcheck '{"Test":["CMD","true"],"Interval":5000000000,"Retries":2}'
	shows Config.ExposedPorts '{"80/tcp":{},"90/udp":{}}'
	shows Config.Volumes '{"/data":{}}'
	shows Config.StopSignal '"SIGQUIT"'
	[[ $(kvbox inspect -f '{{.Config.Env}}' one) == *"A=1]" ]]
	[[ $(kvbox inspect -f '{{.Config.Env}}' one) != *"=x"* ]]
	kvbox rm one
	kvbox create --name one --no-healthcheck checked sh
	shows Config.Healthcheck.Test '["NONE"]'
}

@test "the file of the ID is there before the container and gone with a failure" {
	local cid=$BATS_TEST_TMPDIR/cid

	try kvbox create --cidfile /nonexist/cid hello
	expect_error 1 "failed to create the container ID file: open /nonexist/cid: no such file or directory"
	try kvbox run --cidfile /nonexist/cid hello true
	expect_error 125 "failed to create the container ID file: open /nonexist/cid: no such file or directory"
	try kvbox create --cidfile "$cid" --pull never nothere
	expect 1
	[ ! -e "$cid" ] || fail "the file is left"
	expect_none
	try kvbox create --cidfile "$cid" hello
	expect 0 "$(cat "$cid")"
	try kvbox create --cidfile "$cid" hello
	expect_error 1 "container ID file found, make sure the other container isn't running or delete $cid"
	[ "$(kvbox ps -aq --no-trunc)" = "$(cat "$cid")" ]
}

@test "inspect finds several objects of both kinds and tells those that are missing" {
	kvbox create --name one hello
	try kvbox inspect one hello nothere
	expect 1
	[ "$err" = "Error: No such object: nothere" ] || fail "stderr"
	[ "$(grep -c '^        "Id": ' <<< "$out")" -eq 2 ] || fail "not two objects"
	try kvbox inspect nothere
	expect 1 '[]'
	try kvbox inspect --type image one
	expect 1 '[]'
	[ "$err" = "Error response from daemon: No such image: one:latest" ] || fail "stderr"
	try kvbox inspect --type container hello
	expect 1 '[]'
	[ "$err" = "Error response from daemon: No such container: hello" ] || fail "stderr"
	try kvbox inspect --type foo x
	expect_error 1 'unknown type: "foo": must be one of "config", "container", "image",'
	try kvbox inspect -s -f '{{.SizeRw}} {{gt .SizeRootFs 0}}' one
	expect 0 '0 true'
	try kvbox inspect -f '{{.SizeRw}}' one
	expect 0 '<nil>'
}

@test "templates find what JSON leaves out, as in Docker" {
	kvbox create --name one hello
	try kvbox inspect -f '{{if .Config.Healthcheck}}{{print .State.Health.Status}}{{end}}' one
	expect 0 ''
	try kvbox inspect -f '{{.State.Health}} {{.HostConfig.Tmpfs}} {{.HostConfig.PidsLimit}} [{{.Config.StopSignal}}]' one
	expect 0 '<nil> map[] <nil> []'
	try kvbox inspect -f '{{.State.Health.Status}}' one
	expect_error 1 'template parsing error: template: :1:8: executing "" at <.State.Health.Status>: map has no entry for key "Health"'
	try kvbox inspect -f '{{.Nope}}' one
	expect_error 1 'map has no entry for key "Nope"'
	try kvbox inspect -f '{{json .HostConfig.CapAdd}} {{.HostConfig.CapAdd}} {{json .Config.Volumes}}' one
	expect 0 'null [] null'
}

@test "a container without a log has none, one with a limit rotates it" {
	kvbox run --name one --log-driver none hello echo hi > "$BATS_TEST_TMPDIR/hi"
	[ "$(cat "$BATS_TEST_TMPDIR/hi")" = hi ]
	try kvbox logs one
	expect_error 1 "Error response from daemon: configured logging driver does not support reading"
	[ ! -e "$(echo "$STORE"/root/containers/*)/log.json" ] || fail "there is a log"
	kvbox rm one
	kvbox run --name one --log-opt max-size=200k --log-opt max-file=2 hello \
		sh -c 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i + 1)); done' > "$BATS_TEST_TMPDIR/lines"
	[ "$(wc -l < "$BATS_TEST_TMPDIR/lines")" -eq 3000 ]
	[ -e "$(echo "$STORE"/root/containers/*)/log.json.1" ] || fail "the log was not rotated"
	[ "$(stat -c %s "$STORE"/root/containers/*/log.json)" -le 200000 ]
	[ "$(kvbox logs -n 1 one)" = "line 2999" ]
}
