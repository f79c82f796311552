#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Saved VMs: containers that start from one are like any other, and like no other copy.

load helpers

setup_template()
{
	load_image hello
	kvbox system template -m 192m > "$BATS_TEST_TMPDIR/made"
	export KVBOX_TEMPLATE=on
}

# from_template CONTAINER: its VM did not boot
from_template()
{
	tr '\0' ' ' < "/proc/$(state_of "$1" vmm_pid)/cmdline" | grep -q -- '-incoming' || fail "$1 was booted"
}

@test "a container that starts from a saved VM has its own disks, limits, name and exit code" {
	setup_template
	grep -q '^vm-[0-9a-f]*: qemu ' "$BATS_TEST_TMPDIR/made" || fail "no report"
	try kvbox run -m 192m --name one hello sh -c 'echo kept > /file; cat /sys/fs/cgroup/memory.max; hostname; exit 7'
	expect 7 "201326592
$(kvbox ps -aq)"
	kvbox start one > /dev/null
	kvbox wait one
	kvbox rm one
	try kvbox run --rm -m 192m -i hello sh -c 'cat; test ! -e /file' <<< typed
	expect 0 typed
	# a size that was not saved boots
	try kvbox run --rm -m 200m hello cat /sys/fs/cgroup/memory.max
	expect 0 209715200
	expect_nothing_left
}

@test "copies share no random numbers, and memory that one frees stays another's" {
	local name

	setup_template
	for name in one two; do
		kvbox run -d -m 192m --shm-size 128m --name $name hello sleep 1000 > /dev/null
		from_template $name
	done
	for name in one two; do
		kvbox exec $name sh -c 'cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid
			head -c 16 /dev/urandom | od -An -tx1'
	done > "$BATS_TEST_TMPDIR/random"
	[ "$(wc -l < "$BATS_TEST_TMPDIR/random")" -eq 6 ]
	[ -z "$(sort "$BATS_TEST_TMPDIR/random" | uniq -d)" ] || fail "$(cat "$BATS_TEST_TMPDIR/random")"
	kvbox exec one sh -c 'head -c 60000000 /dev/urandom > /dev/shm/x; md5sum /dev/shm/x > /sum'
	# the other uses all its memory and gives it back, several times; so does a new copy
	kvbox exec two sh -c 'for i in 1 2 3; do head -c 90000000 /dev/zero > /dev/shm/y; rm /dev/shm/y; done; sleep 3'
	kvbox run --rm -m 192m --shm-size 128m hello sh -c 'head -c 90000000 /dev/zero > /dev/shm/y'
	try kvbox exec one md5sum -c /sum
	expect 0 '/dev/shm/x: OK'
	# what no copy has touched since is as it was saved: every binary of the image still runs in a third
	try kvbox run --rm -m 192m hello sh -c 'ls / > /dev/null && ps > /dev/null && echo fine'
	expect 0 fine
	kvbox rm -f one two
	expect_nothing_left
}

@test "a template is for one VMM, kernel and size, and goes with system template --rm" {
	setup_template
	[ "$(find "$STORE/root/templates" -name 'vm-*' | wc -l)" -eq 1 ]
	kvbox system template -m 192m > /dev/null
	[ "$(find "$STORE/root/templates" -name 'vm-*' | wc -l)" -eq 1 ]
	# damaged: the text that it was made of is not what is wanted
	echo x >> "$(echo "$STORE"/root/templates/vm-*/key)"
	kvbox run -d -m 192m --name booted hello sleep 1000 > /dev/null
	! from_template booted > /dev/null || fail "the template was taken"
	kvbox rm -f booted
	try kvbox system template --rm
	expect 0 'Templates removed: 1'
	[ "$(find "$STORE/root/templates" -name 'vm-*' | wc -l)" -eq 0 ]
	try kvbox system template --vmm none
	expect_error 1 none
	[ -z "$(find "$STORE/root/tmp" -name 'template-*')" ] || fail "left in tmp"
	expect_nothing_left
}
