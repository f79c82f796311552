#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The VMM is locked up: a program in its place tries to get out, as root's and as a plain user's.

load helpers

PROBE=$(dirname -- "$BINARY")/probe
NOBODY=65534

# Runs a command as a plain user, with a store of its own.
as_user()
{
	setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups --inh-caps=-all env \
		HOME="$USER_STORE" KVBOX_ROOT="$USER_STORE/root" KVBOX_RUNROOT="$USER_STORE/run" "$@"
}

user_store()
{
	USER_STORE=$(mktemp -d /tmp/kvbox-user.XXXXXX)
	cp -- "$(image_file hello)" "$USER_STORE/hello.tar"
	chown -R $NOBODY:$NOBODY "$USER_STORE"
	as_user "$BINARY" load -q -i "$USER_STORE/hello.tar"
}

teardown_user()
{
	[ -n "${USER_STORE:-}" ] || return 0
	as_user "$BINARY" ps -aq | xargs -r setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups env \
		KVBOX_ROOT="$USER_STORE/root" KVBOX_RUNROOT="$USER_STORE/run" "$BINARY" rm -f
	rm -rf -- "$USER_STORE"
}

# said WHAT HOW: the probe has a line that says so
said()
{
	grep -qE -- "^$1 $2" "$report" || {
		cat "$report"
		echo "the probe did not say: $1 $2"
		return 1
	}
}

# What holds for every user.
expect_confined()
{
	local what

	[ "$(grep -c ' is done$' "$report")" = 1 ]
	# nothing but its own files, and of these only its disk for writing
	[ "$(sed -n 's/ reached .*//p' "$report" | sort | tr '\n' ' ')" = "read:/vm/initramfs \
read:/vm/kernel read:/vm/kvb-layers.0 read:/vm/kvb-layers.1 read:/vm/pad write:/vm/kvb-upper " ] || {
		grep ' reached ' "$report"
		return 1
	}
	for what in /etc/passwd /etc/shadow /root /home /var /run /tmp /sys /usr/bin/su \
		/proc/1/root/etc/passwd /proc/sys/kernel/core_pattern; do
		# there is no such thing, or only an empty folder on the way to the VMM's binary
		said "read:$what" refused
	done
	# neither the store, whose name it knows from its log, nor the log itself
	said store:name is
	said "read:$(sed -n 's/^store:name is \(.*\)\/vmm.log$/\1/p' "$report")" refused
	said store:reopen refused
	said write:/vm/v/new refused
	for what in mem kvm vda net/tun; do
		said "write:/dev/$what" 'refused No such file'
	done
	for what in inet inet6 netlink packet vsock; do
		said "socket:$what" refused
	done
	for what in tipc inet; do
		said "pair:$what" 'refused Address family not supported'
	done
	said pid 'is 1$'
	said parent 'is 0$'
	said processes 'is 0$'
	for what in kill:all ptrace setuid mknod mount remount unshare:user clone:user bpf io_uring \
		keyring sysv exec:/bin/sh exec:/usr/lib/x86_64-linux-gnu/libc.so.6; do
		said "$what" refused
	done
	said capabilities 'is 0 0$'
	said bounding 'is 0$'
	said nonewprivs 'is 1$'
	said core 'is [01]$'
}

# confinement CONTAINER: as a line of JSON
confinement()
{
	kvbox inspect -f '{{json .Kvbox.Confinement}}' "$1"
}

# What info says of this machine is what became of the container.
expect_info() # CONTAINER KVBOX...
{
	local container=$1 told

	shift
	told=$("$@" info -f '{{json .VmmConfinement.Applied}} {{.VmmConfinement.LandlockAbi}}')
	[ "$told" = "$("$@" inspect -f \
		'{{json .Kvbox.Confinement.Applied}} {{.Kvbox.Confinement.LandlockAbi}}' "$container")" ] ||
		fail "info says: $told"
}

@test "a program in the VMM's place reaches nothing but the files of its VM" {
	local neighbour

	report=$BATS_TEST_TMPDIR/report
	kvbox run -d --name c0 hello sleep 1000
	neighbour=$(state_of c0 vmm_pid)
	try env KVBOX_QEMU="$PROBE" KVBOX_ACCEL=tcg KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" \
		"$BINARY" run --name c1 hello true
	expect_error 125 'ended unexpectedly'
	cat "$STORE/root/containers/$(kvbox ps -aq --no-trunc -f name=^c1\$)/vmm.log" > "$report"
	# its neighbour was not hit, nor are any of its files to be seen
	[ "$(kvbox exec c0 echo well)" = well ]
	[ "$(state_of c0 vmm_pid)" = "$neighbour" ]
	expect_confined
	said user 'is 20[0-9]{8}$'
	said groups 'is 0$'
	said priority refused
}

@test "nor does it when a plain user runs it" {
	report=$BATS_TEST_TMPDIR/report
	as_user test -x "$BINARY" -a -r "$PROBE" || skip "a plain user cannot execute $BINARY"
	user_store
	try as_user env KVBOX_QEMU="$PROBE" KVBOX_ACCEL=tcg "$BINARY" run --name c1 hello true
	cat "$USER_STORE"/root/containers/*/vmm.log > "$report"
	try as_user "$BINARY" run --rm hello echo well
	teardown_user
	expect 0 well
	expect_confined
}

@test "each VM has a user of its own, and inspect tells what was applied" {
	local one two id

	kvbox run -d --name c1 hello sleep 1000
	kvbox run -d --name c2 hello sleep 1000
	one=$(kvbox inspect -f '{{.Kvbox.Confinement.User}}' c1)
	two=$(kvbox inspect -f '{{.Kvbox.Confinement.User}}' c2)
	[ "$one" -ge 2000000000 ] && [ "$two" -ge 2000000000 ] && [ "$one" != "$two" ]
	try confinement c1
	for step in namespaces root user no-core-dumps no-new-privileges no-capabilities seccomp; do
		[[ $out == *"\"$step\""* ]] || fail "lacks $step"
	done
	expect_info c1 kvbox
	[[ $(kvbox info) == *$'\n VMM Confinement: namespaces, root, '* ]]
	# and the kernel agrees
	[ "$(sed -n 's/^Uid:\t\([0-9]*\)\t.*/\1/p' "/proc/$(state_of c1 vmm_pid)/status")" = "$one" ]
	grep -qx $'CapEff:\t0*' "/proc/$(state_of c1 vmm_pid)/status"
	grep -qx $'NoNewPrivs:\t1' "/proc/$(state_of c1 vmm_pid)/status"
	[ "$(readlink "/proc/$(state_of c1 vmm_pid)/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	id=$(kvbox ps -aq --no-trunc -f name=^c1\$)
	[ "$(stat -c %u "$STORE/root/containers/$id/upper.img")" = "$one" ]
	# the next start has another user, and the disk goes with it
	kvbox exec c1 sh -c 'echo kept > /file; sync'
	kvbox stop -t 1 c1
	kvbox start c1
	[ "$(kvbox exec c1 cat /file)" = kept ]
	[ "$(kvbox inspect -f '{{.Kvbox.Confinement.User}}' c1)" != "$one" ]
}

@test "a VMM that takes more memory than it may is killed, and that is told" {
	kvbox run -d --name c1 hello sleep 1000
	[ -n "$(kvbox inspect -f '{{.Kvbox.Confinement.Limits}}' c1)" ] || skip "no cgroups to limit memory"
	kvbox rm -f c1
	cp -- "$PROBE" "$BATS_TEST_TMPDIR/probe-hungry"
	try env KVBOX_QEMU="$BATS_TEST_TMPDIR/probe-hungry" KVBOX_ACCEL=tcg KVBOX_ROOT="$STORE/root" \
		KVBOX_RUNROOT="$STORE/run" "$BINARY" run --name c1 -m 64m hello true
	expect_error 125 'it took more memory than it may'
	[ "$(kvbox inspect -f '{{.State.OOMKilled}}' c1)" = true ]
}

# in a user namespace in which no more can be made
without_namespaces()
{
	unshare -r sh -c 'echo 0 > /proc/sys/user/max_user_namespaces &&
		exec setpriv --bounding-set=-all --inh-caps=-all "$@"' sh "$@"
}

@test "where the host refuses namespaces a container runs all the same, and inspect says so" {
	without_namespaces true || skip "no user namespace to try it in"
	try without_namespaces env KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" "$BINARY" \
		run -d --name c1 hello sleep 1000
	expect 0
	try confinement c1
	[[ $out == *'"Missing":{'*'"namespaces":"'* ]] || fail "namespaces are not missing"
	[[ $out == *'"Applied":['*'"no-new-privileges"'*'"seccomp"'*']'* ]] || fail "lacks the rest"
	expect_info c1 without_namespaces env KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" "$BINARY"
	[ "$(kvbox exec c1 echo well)" = well ]
}

@test "root without the right to make namespaces gets them as a plain user would" {
	try setpriv --bounding-set=-sys_admin --inh-caps=-all env KVBOX_ROOT="$STORE/root" \
		KVBOX_RUNROOT="$STORE/run" "$BINARY" run -d --name c1 hello sleep 1000
	expect 0
	try confinement c1
	[[ $out == *'"Applied":["user-namespace","namespaces","root"'* ]] || fail "lacks namespaces"
	[[ $out == *'"Missing":{"user":"root may not make namespaces here"'* ]] || fail "no reason"
	expect_info c1 setpriv --bounding-set=-sys_admin --inh-caps=-all env KVBOX_ROOT="$STORE/root" \
		KVBOX_RUNROOT="$STORE/run" "$BINARY"
}
