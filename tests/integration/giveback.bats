#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What a container frees goes back to the host: memory and disk space while it runs, the latter also when it stops.

load helpers

MIB=$((1 << 20))

# memory_of PID: the bytes of memory that a process costs, its share of what it has together with others
memory_of()
{
	awk '$1 == "Pss:" { print $2 * 1024 }' "/proc/$1/smaps_rollup"
}

uses_at_most()
{
	[ "$(memory_of "$1")" -le "$2" ]
}

# blocks_of FILE: the bytes that a sparse file takes on the host's disk
blocks_of()
{
	du --block-size=1 -- "$1" | cut -f 1
}

# runs_for CONTAINER SECONDS: it was started that long ago
runs_for()
{
	local started

	started=$(kvbox inspect -f '{{.State.StartedAt}}' "$1")
	[ $(($(date +%s) - $(date -d "$started" +%s))) -gt "$2" ]
}

@test "memory and disk space that a container frees go back to the host" {
	local disk pid before full

	kvbox run -d --name web -m 512m --tmpfs /memory hello sleep 1000
	pid=$(state_of web vmm_pid)
	disk=$(echo "$STORE"/root/containers/*/upper.img)
	kvbox exec web sh -c 'echo kept > /kept'

	before=$(memory_of "$pid")
	kvbox exec web dd if=/dev/zero of=/memory/file bs=1M count=150
	full=$(memory_of "$pid")
	[ $((full - before)) -ge $((100 * MIB)) ] ||
		fail "the VMM's memory went from $before to $full bytes only"
	kvbox exec web rm /memory/file
	# the rest is what the guest got to know meanwhile
	wait_for uses_at_most "$pid" $((before + (full - before) / 3))

	# A file takes both, the memory as a copy in the guest's cache.
	before=$(blocks_of "$disk")
	kvbox exec web sh -c 'dd if=/dev/zero of=/file bs=1M count=150 && sync'
	full=$(memory_of "$pid")
	[ $(($(blocks_of "$disk") - before)) -ge $((100 * MIB)) ] ||
		fail "the disk went from $before to $(blocks_of "$disk") bytes only"
	kvbox exec web rm /file
	wait_for uses_at_most "$pid" $((full - 100 * MIB))

	# The disk's free blocks are not given back after a short run.
	wait_for runs_for web 10
	kvbox stop -t 1 web
	[ "$(blocks_of "$disk")" -le $((before + 15 * MIB)) ] ||
		fail "of a disk of $before bytes, $(blocks_of "$disk") are left after file and container"
	kvbox start web
	[ "$(kvbox exec web cat /kept)" = kept ]
}

blocks_at_most()
{
	[ "$(blocks_of "$1")" -le "$2" ]
}

@test "disk space that a container frees goes back to the host while it runs" {
	local disk before

	export KVBOX_TRIM_SECONDS=1
	kvbox run -d --name web hello sleep 1000
	disk=$(echo "$STORE"/root/containers/*/upper.img)
	kvbox exec web sh -c 'echo kept > /kept && sync'
	before=$(blocks_of "$disk")
	kvbox exec web sh -c 'dd if=/dev/urandom of=/file bs=1M count=60 && md5sum /file > /sum && sync'
	[ $(($(blocks_of "$disk") - before)) -ge $((50 * MIB)) ] ||
		fail "the disk went from $before to $(blocks_of "$disk") bytes only"
	# once more with the file there: what is in use stays
	sleep 3
	kvbox exec web md5sum -c /sum
	kvbox exec web sh -c 'rm /file && sync'
	wait_for blocks_at_most "$disk" $((before + 15 * MIB))
	[ "$(kvbox exec web cat /kept)" = kept ]
	# the file system is as it should be for the next one, too
	kvbox stop -t 1 web
	kvbox start web
	[ "$(kvbox exec web cat /kept)" = kept ]
	kvbox rm -f web
	expect_nothing_left
}
