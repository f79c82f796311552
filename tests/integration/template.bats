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

# booted CONTAINER: its VM did
booted()
{
	! from_template "$1" > /dev/null || fail "$1 goes on from a saved VM"
}

# ram_of CONTAINER: which memory file its VM has as RAM
ram_of()
{
	awk '$6 ~ /memfd:ram/ { print $4, $5; exit }' "/proc/$(state_of "$1" vmm_pid)/maps"
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
	# the pages that neither has changed are there once
	[ -n "$(ram_of one)" ]
	[ "$(ram_of one)" = "$(ram_of two)" ] || fail "'$(ram_of one)' and '$(ram_of two)'"
	for name in one two; do
		kvbox exec $name sh -c 'cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid
			head -c 16 /dev/urandom | od -An -tx1'
	done > "$BATS_TEST_TMPDIR/random"
	[ "$(wc -l < "$BATS_TEST_TMPDIR/random")" -eq 6 ]
	[ -z "$(sort "$BATS_TEST_TMPDIR/random" | uniq -d)" ] || fail "$(cat "$BATS_TEST_TMPDIR/random")"
	kvbox exec one sh -c 'dd if=/dev/urandom of=/dev/shm/x bs=1M count=16 && md5sum /dev/shm/x > /sum'
	# the other uses all its memory and gives it back, several times; so does a new copy
	kvbox exec two sh -c 'for i in 1 2; do dd if=/dev/zero of=/dev/shm/y bs=1M count=86; rm /dev/shm/y; done; sleep 3'
	kvbox run --rm -m 192m --shm-size 128m hello sh -c 'dd if=/dev/zero of=/dev/shm/y bs=1M count=86'
	try kvbox exec one md5sum -c /sum
	expect 0 '/dev/shm/x: OK'
	# what no copy has touched since is as it was saved: every binary of the image still runs in a third
	# whoever is left hands the RAM on
	kvbox rm -f one
	kvbox run -d -m 192m --name three hello sleep 1000 > /dev/null
	[ "$(ram_of two)" = "$(ram_of three)" ] || fail "'$(ram_of two)' and '$(ram_of three)'"
	try kvbox exec three sh -c 'ls / > /dev/null && ps > /dev/null && echo fine'
	expect 0 fine
	kvbox rm -f two three
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

# damaged TEXT: a container boots, and only the monitor's log tells why, in one line that has TEXT
damaged()
{
	try env KVBOX_DEBUG=1 KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" timeout -k 5 "$LIMIT" \
		"$BINARY" run -d -m 192m --name hurt hello sleep 1000
	expect 0
	booted hurt
	[ "$(kvbox exec hurt echo up)" = up ]
	[ "$(grep -c -- "$1" "$STORE"/root/containers/*/monitor.log)" -eq 1 ] ||
		fail "the log: $(cat "$STORE"/root/containers/*/monitor.log)"
	kvbox rm -f hurt
}

@test "a container boots when the template is damaged" {
	local folder size

	setup_template
	folder=$(echo "$STORE"/root/templates/vm-*)
	cp -r --sparse=always "$folder" "$BATS_TEST_TMPDIR/good"
	size=$(stat -c %s "$folder/ram")

	truncate -s $((size / 2)) "$folder/ram"
	damaged "memory is not all there"
	cp --sparse=always "$BATS_TEST_TMPDIR/good/ram" "$folder/ram"

	truncate -s 100000 "$folder/state"
	damaged "the saved virtual machine is of no use"
	rm "$folder/state"
	damaged "state"
	cp "$BATS_TEST_TMPDIR/good/state" "$folder/state"

	kvbox run -d -m 192m --name well hello sleep 1000 > /dev/null
	from_template well
	kvbox rm -f well
	expect_nothing_left
}

# what a failed making may not leave
nothing_made()
{
	[ "$(find "$STORE/root/templates" -name 'vm-*' | wc -l)" -eq 0 ] && [ -z "$(leaks)" ]
}

@test "a template that cannot be finished leaves nothing" {
	local pid

	kvbox system template --rm > /dev/null
	with_store "$BINARY" system template -m 192m > "$BATS_TEST_TMPDIR/out" 2>&1 &
	pid=$!
	wait_for eval "ls $STORE/root/tmp/template-*/kept/state"
	kill -KILL "$pid"
	wait "$pid" || true
	# whoever comes next tidies up
	wait_for eval "kvbox images > /dev/null && nothing_made"

	# two at once: both are made, one is kept
	with_store "$BINARY" system template -m 192m > "$BATS_TEST_TMPDIR/out" 2>&1 &
	pid=$!
	try kvbox system template -m 192m
	expect 0
	wait "$pid" || fail "$(cat "$BATS_TEST_TMPDIR/out")"
	[ "$(find "$STORE/root/templates" -name 'vm-*' | wc -l)" -eq 1 ]
	export KVBOX_TEMPLATE=on
	kvbox run -d -m 192m --name one hello sleep 1000 > /dev/null
	from_template one
	kvbox rm -f one
	expect_nothing_left
}

@test "a template for which the disk has no room is not made" {
	local full=$BATS_TEST_TMPDIR/full

	[ "$(id -u)" -eq 0 ] || skip "mounts need root"
	mkdir "$full"
	mount -t tmpfs -o size=24m none "$full"
	try env KVBOX_ROOT="$full/root" KVBOX_RUNROOT="$full/run" timeout -k 5 "$LIMIT" \
		"$BINARY" system template -m 192m
	find "$full"/root/templates/vm-* "$full"/root/tmp/* > "$BATS_TEST_TMPDIR/left" 2> /dev/null || true
	umount "$full"
	expect_error 1 'No space left on device'
	[ ! -s "$BATS_TEST_TMPDIR/left" ] || fail "left: $(cat "$BATS_TEST_TMPDIR/left")"
}
