#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
#
# PID 1 of the lab's outer machine: prepares it like a small Linux host, runs the cases that the kernel's
# command line names, reports and powers off. Each case is a shell script that reads lib.sh and prints TAP
# lines without numbers and without a plan; whatever else it prints on standard error appears as a comment.
#
# What it reports besides, for the script `run`: "# beat" every 10 seconds, "# done CASE/VMM" behind a case's
# last line, "# end" at the end.
/bin/busybox --install -s /bin
# busybox last: it has applets with the names of real programs
export PATH=/kvbox/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
# what takes seconds on hardware takes a minute here
export KVBOX_BOOT_TIMEOUT=200
# seconds for a case: the longest takes eight minutes
readonly CASE_LIMIT=1500

mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sf /proc/self/fd /dev/fd
ip link set lo up
hostname lab

report=
for port in /sys/class/virtio-ports/*; do
	[ "$(cat "$port/name")" = lab.report ] && report=/dev/${port##*/}
done
if [ -z "$report" ]; then
	echo "inside: no port to report to"
	poweroff -f
fi
# the port can be opened once
exec 3> "$report"

uptime() { cut -d ' ' -f 1 /proc/uptime; }

while :; do
	sleep 10
	echo "# beat $(uptime)" >&3
done &
beat=$!

# left: the processes besides this one and the heart; kernel threads have no command line
left()
{
	for folder in /proc/[0-9]*; do
		pid=${folder#/proc/}
		[ "$pid" = 1 ] || [ "$pid" = $beat ] || [ -z "$(tr '\0' ' ' 2> /dev/null < "$folder/cmdline")" ] ||
			[ "$(sed -n 's/^PPid:[^0-9]*//p' "$folder/status" 2> /dev/null)" = $beat ] || echo "$pid"
	done 2> /dev/null
}

# one CASE VMM. Standard output is the report, standard error comes back line by line as comments.
one()
{
	echo "# $1${LAB_VMM:+ $LAB_VMM} ($(uptime) s)" >&3
	mkfifo /tmp/comments
	sed 's/^/# /' < /tmp/comments >&3 &
	sed=$!
	timeout -k 10 "$CASE_LIMIT" sh "/lab/cases/$1.sh" 2> /tmp/comments >&3
	[ -f /tmp/finished ] || echo "not ok - $1${LAB_VMM:+ $LAB_VMM} did not reach its end" >&3
	rm -f /tmp/finished /tmp/comments
	# what a case leaves behind may hold its standard error, for which nobody waits
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -d /proc/$sed ] || break
		sleep 0.2
	done
	for pid in $(left); do
		command=$(tr '\0' ' ' < "/proc/$pid/cmdline" | cut -c 1-100)
		[ "$pid" = $sed ] || [ -z "$command" ] || echo "# $1 left $command" >&3
		kill -9 "$pid"
	done 2> /dev/null
	wait $sed
}

for word in $(sed -n 's/.*lab\.cases=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' '); do
	export LAB_VMM="${word#*/}"
	if [ "$LAB_VMM" ]; then
		export KVBOX_VMM="$LAB_VMM"
	else
		unset KVBOX_VMM
	fi
	one "${word%/*}"
	echo "# done $word" >&3
done
echo "# end ($(uptime) s)" >&3
kill $beat
sync
poweroff -f
