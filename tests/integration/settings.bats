#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What a container's process finds: one container for a group of settings, asked from inside.

load helpers

# inside SCRIPT [OPTION...]: runs the script in a container, which has to end well
inside()
{
	try kvbox run --rm "${@:2}" hello sh -c "$1"
	expect 0
}

# shows TEXT...: each is a whole line of what the last try printed
shows()
{
	local line

	for line; do
		grep -qxF -- "$line" <<< "$out" || fail "no line '$line'"
	done
}

# status: the lines of /proc/self/status that tell the rights, blanks as one
STATUS='sed -n "s/^\(Cap...\|NoNewPrivs\|Seccomp\):[[:blank:]]*/\1 /p" /proc/self/status'
# refused COMMAND: says so when it fails
REFUSED='refused() { "$@" > /dev/null 2>&1 || echo "refused $*"; }'

@test "a container has Docker's rights, devices and mounts" {
	inside "$STATUS; $REFUSED"'
		umask; ulimit -n; ulimit -u; cat /proc/self/oom_score_adj
		# what the filter refuses: only unconfined may root do it
		refused unshare -U true
		refused mount -t tmpfs none /tmp
		# the kernel as others see it
		for f in keys interrupts timer_list; do echo $f $(wc -c < /proc/$f); done
		echo firmware $(ls -A /sys/firmware | wc -l)
		refused touch /sys/firmware/x
		for p in /sys/kernel/mm/ksm/run /proc/sys/kernel/shmmax /sys/fs/cgroup/cgroup.procs; do
			refused dd if=/dev/null of=$p conv=notrunc
		done
		refused mkdir /sys/fs/cgroup/x
		cd /dev; for n in *; do [ -c $n ] && [ ! -h $n ] && echo "device $n $(stat -c "%t:%T %a" $n)"; done
		for n in core fd ptmx stderr stdin stdout; do echo "link $n $(readlink $n)"; done
		echo pts $(stat -c %a pts/ptmx)
		mount | sed -n "s/^[^ ]* on \([^ ]*\) type \([^ ]*\) (\(..\).*/mount \1 \2 \3/p"
		df -k /dev/shm | tail -n 1 | { read -r _ size _; echo shm $size; }
		mount | grep " /dev/shm " | grep -o nosuid,nodev,noexec
		cat /etc/hosts; env'
	shows 'CapInh 0000000000000000' 'CapPrm 00000000a80425fb' 'CapEff 00000000a80425fb' \
		'CapBnd 00000000a80425fb' 'CapAmb 0000000000000000' 'NoNewPrivs 0' 'Seccomp 2'
	shows 0022 1048576 unlimited 0
	shows 'refused unshare -U true' 'refused mount -t tmpfs none /tmp' 'refused mkdir /sys/fs/cgroup/x'
	shows 'keys 0' 'interrupts 0' 'timer_list 0' 'firmware 0' 'refused touch /sys/firmware/x'
	shows 'refused dd if=/dev/null of=/proc/sys/kernel/shmmax conv=notrunc' \
		'refused dd if=/dev/null of=/sys/fs/cgroup/cgroup.procs conv=notrunc'
	shows 'device null 1:3 666' 'device zero 1:5 666' 'device full 1:7 666' 'device random 1:8 666' \
		'device urandom 1:9 666' 'device tty 5:0 666'
	[ "$(grep -c '^device ' <<< "$out")" -eq 6 ] || fail "other devices"
	shows 'link core /proc/kcore' 'link fd /proc/self/fd' 'link ptmx pts/ptmx' 'link stdin /proc/self/fd/0' \
		'link stdout /proc/self/fd/1' 'link stderr /proc/self/fd/2' 'pts 666'
	shows 'mount / overlay rw' 'mount /dev tmpfs rw' 'mount /dev/pts devpts rw' 'mount /dev/shm tmpfs rw' \
		'mount /dev/mqueue mqueue rw' 'mount /proc proc rw' 'mount /sys sysfs ro' \
		'mount /sys/fs/cgroup cgroup2 ro' 'mount /proc/sys proc ro' 'mount /proc/irq proc ro' \
		'shm 65536' 'nosuid,nodev,noexec'
	shows $'127.0.0.1\tlocalhost' $'::1\tlocalhost ip6-localhost ip6-loopback' HOME=/root \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	[[ $out != *TERM=* ]] || fail "TERM without a terminal"
}

@test "capabilities, filter and no-new-privileges are what is asked for" {
	inside "$STATUS" --cap-drop ALL --cap-add NET_ADMIN --security-opt no-new-privileges
	shows 'CapPrm 0000000000001000' 'CapEff 0000000000001000' 'CapBnd 0000000000001000' \
		'CapInh 0000000000000000' 'NoNewPrivs 1' 'Seccomp 2'
	# who is not root has none, but could get them by a program that is root's
	inside "$STATUS" -u 1000 --cap-add SYS_ADMIN
	shows 'CapPrm 0000000000000000' 'CapEff 0000000000000000' 'CapBnd 00000000a82425fb' 'Seccomp 2'
	# a capability opens the profile, too
	inside 'mount -t tmpfs none /tmp && unshare -U id -u' --cap-add SYS_ADMIN
	inside "$STATUS; unshare -U true && echo unshared" --security-opt seccomp=unconfined
	shows 'Seccomp 0' 'CapEff 00000000a80425fb' unshared
	# a profile of one's own: mkdir is what it says it is
	cat > "$BATS_TEST_TMPDIR/profile.json" <<- 'END'
	{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
	END
	inside "$STATUS; mkdir /x 2>&1; touch /y && echo touched" \
		--security-opt "seccomp=$BATS_TEST_TMPDIR/profile.json" -u 0
	shows 'Seccomp 2' "mkdir: can't create directory '/x': No space left on device" touched
	# one that allows nothing that is needed: an error, or the end by a signal, but no success
	echo '{"defaultAction": "SCMP_ACT_ERRNO"}' > "$BATS_TEST_TMPDIR/profile.json"
	try kvbox run --rm --security-opt "seccomp=$BATS_TEST_TMPDIR/profile.json" hello true
	[ "$code" -ne 0 ] || fail "ran without a system call"
}

@test "a privileged container may do all, and exec can be privileged in one that is not" {
	inside "$STATUS"'
		ls -d /dev/kmsg /dev/fuse /dev/vda /dev/loop-control
		ls /dev/vport* 2> /dev/null
		[ $(wc -c < /proc/interrupts) -gt 0 ] && echo interrupts
		mkdir /sys/fs/cgroup/below && echo cgroup
		mkdir /tmp/m && mount -t tmpfs none /tmp/m && unshare -U true && echo mounted
		mount | sed -n "s/^[^ ]* on \([^ ]*\) type \([^ ]*\) (\(..\).*/mount \1 \2 \3/p"' --privileged
	shows 'CapEff 000001ffffffffff' 'CapBnd 000001ffffffffff' 'CapInh 0000000000000000' 'Seccomp 0' \
		interrupts cgroup mounted /dev/kmsg /dev/fuse /dev/vda 'mount /sys sysfs rw' \
		'mount /sys/fs/cgroup cgroup2 rw'
	[[ $out != *vport* ]] || fail "the agent's own port"

	kvbox run -d --name web hello sleep 1000
	try kvbox exec web sh -c "$STATUS; umask"
	shows 'CapEff 00000000a80425fb' 'Seccomp 2' 0022
	try kvbox exec --privileged web sh -c "$STATUS"
	shows 'CapEff 000001ffffffffff' 'Seccomp 0'
	try kvbox exec -u user web sh -c "$STATUS; id -G"
	shows 'CapEff 0000000000000000' 'CapBnd 00000000a80425fb' 'Seccomp 2' '1000 2000'

	# one that has cgroups of its own, as a Docker in it makes them
	kvbox run -d --name nested --privileged hello sh -c 'cd /sys/fs/cgroup; mkdir own below
		echo 1 > own/cgroup.procs; echo +pids > cgroup.subtree_control; touch /ready; exec sleep 1000'
	wait_for kvbox exec nested test -e /ready
	[ "$(kvbox exec nested cat /proc/self/cgroup)" = 0::/own ]
	[ "$(kvbox top nested | wc -l)" -eq 2 ]
}

@test "a read-only root, tmpfs and the size of /dev/shm" {
	inside "$REFUSED"'
		refused touch /x; refused touch /etc/hosts; refused touch /new/x
		touch /dev/x /dev/shm/x /run/x /deep/er/x && echo written
		for d in / /dev /run /deep/er /etc/hosts; do
			mount | grep " on $d type" | sed "s|^[^(]*(|$d |; s|).*||; s|,inode64||"
		done
		stat -c "%a %u" /deep/er /run
		df -k /dev/shm | tail -n 1 | { read -r _ size _; echo shm $size; }
		refused dd if=/dev/zero of=/dev/shm/big bs=64k count=40
		cp /bin/busybox /deep/er/sh; refused /deep/er/sh true
		cp /bin/busybox /run/true && /run/true && echo executed
		pwd' --read-only --tmpfs /deep/er:size=4m,mode=0750,uid=7 --tmpfs /run:exec --shm-size 2m -w /new
	shows 'refused touch /x' 'refused touch /etc/hosts' 'refused touch /new/x' written 'shm 2048' \
		'/dev rw,nosuid,size=65536k,mode=755' '/etc/hosts ro,relatime,mode=755' \
		'/deep/er rw,nosuid,nodev,noexec,relatime,size=4096k,mode=750,uid=7' \
		'/run rw,nosuid,nodev,relatime,mode=755' \
		'refused dd if=/dev/zero of=/dev/shm/big bs=64k count=40' 'refused /deep/er/sh true' executed /new
	[[ $out == *$'\n'"/ ro,"* ]] || fail "the root"
	shows '750 7' '755 0'
}

@test "limits are the kernel's own" {
	inside 'cd /sys/fs/cgroup
		grep . memory.max memory.low memory.swap.max cpu.max cpu.weight pids.max cpuset.cpus memory.oom.group
		echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -c); cat /proc/self/oom_score_adj
		i=0; while [ $i -lt 20 ]; do sleep 2 & i=$((i + 1)); done' \
		-m 200m --memory-reservation 100m --cpus 0.5 -c 512 --pids-limit 60 --cpuset-cpus 0 \
		--ulimit nofile=100:200 --ulimit core=-1 --oom-score-adj 300
	shows memory.max:209715200 memory.low:104857600 memory.swap.max:209715200 'cpu.max:50000 100000' \
		cpu.weight:20 pids.max:60 cpuset.cpus:0 memory.oom.group:0 '100 200 unlimited' 300
	# cut to what the kernel takes, and a quota in the other form
	inside 'cat /sys/fs/cgroup/cpu.max; ulimit -Hn' --cpu-period 20000 --cpu-quota 10000 \
		--ulimit nofile=1024:99999999999
	shows '10000 20000' 1048576
	try kvbox run --rm --pids-limit 4 hello sh -c 'for i in 1 2 3 4 5 6; do sleep 100 & done'
	[ "$code" -ne 0 ] || fail "more processes than allowed"
	[[ $err == *"can't fork"* ]] || fail "not by the limit"
	try kvbox run --rm --cpuset-cpus 999 hello true
	expect_error 125 'Requested CPUs are not available - requested 999, available: 0'
}

@test "a container that runs out of memory is killed and says so" {
	try kvbox run --name oom -m 24m hello sh -c 'exec tail /dev/zero'
	expect 137
	[ "$(kvbox inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oom)" = 'true 137' ]
	# a child only: the container goes on
	try kvbox run --name child -m 24m hello sh -c 'sh -c "tail /dev/zero; :"; echo on'
	expect 0 on
	[ "$(kvbox inspect -f '{{.State.OOMKilled}}' child)" = true ]
	try kvbox run --name well -m 24m hello sh -c 'sh -c "kill -9 \$\$"; exit 137'
	expect 137
	[ "$(kvbox inspect -f '{{.State.OOMKilled}}' well)" = false ]
}

@test "names, hosts, resolver, sysctls, groups and users" {
	inside 'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf
		cat /proc/sys/kernel/domainname /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_forward
		id -u; id -G; echo home $HOME' \
		--hostname box --domainname example.com --add-host one:1.2.3.4 --add-host six:::6 --dns 9.9.9.9 \
		--dns-search s.t --dns-option ndots:3 --sysctl kernel.shmmax=123456 --sysctl net.ipv4.ip_forward=1 \
		--group-add 77 --group-add extra -u 1000:1000
	shows box example.com 123456 1 1000 '1000 77 2000' 'home /home/user' $'1.2.3.4\tone' $'::6\tsix' \
		'nameserver 9.9.9.9' 'search s.t' 'options ndots:3'
	try kvbox run --rm --group-add nope hello true
	expect_error 125 'Unable to find group nope: no matching entries in group file'
	try kvbox run --rm -u nope hello true
	expect_error 125 'unable to find user nope: no matching entries in passwd file'
	try kvbox run --rm --sysctl net.no_such=1 hello true
	expect_error 125 'open /proc/sys/net/no_such: no such file or directory'
	try on_terminal "$BINARY run --rm -t hello sh -c 'echo \$TERM; tty; ls /dev/console; ps -o tty,args | tail -n 1'"
	expect 0
	shows xterm /dev/pts/0 /dev/console
}

@test "devices of the guest under the names that are asked for" {
	inside 'stat -c "%n %t:%T" /dev/fuse /etc/other/one' --device /dev/fuse --device /dev/fuse:/etc/other/one:r
	shows '/dev/fuse a:e5' '/etc/other/one a:e5'
}

@test "an init of ours reaps, passes signals on and ends as the command does" {
	# its kill -9 is of a process that is not process 1
	try kvbox run --rm --init hello sh -c 'kill -9 $$'
	expect 137
	try kvbox run --rm --init hello nope
	[ "$code" -eq 127 ] || fail "exit code"
	[[ $err == *nope* ]] || fail "does not say what"
	try kvbox run --rm --init hello sh -c '
		tr "\0" " " < /proc/1/cmdline; echo
		(sleep 0.2 & exec true) & sleep 1; cat /proc/[0-9]*/status | grep -c "^State:.Z"; exit 9'
	expect 9
	[[ $out == '/sbin/docker-init -- sh -c '*$'\n'0 ]] || fail "zombies"
	kvbox run -d --name web --init hello sh -c 'trap "exit 55" TERM; touch /ready; while :; do sleep 0.1; done'
	wait_for kvbox exec web test -e /ready
	kvbox stop web
	[ "$(kvbox inspect -f '{{.State.ExitCode}}' web)" = 55 ]
	# without one, process 1 cannot be killed by itself
	try kvbox run --rm hello sh -c 'kill -9 $$; echo alive'
	expect 0 alive
}
