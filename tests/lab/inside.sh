#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
#
# PID 1 of the lab's outer machine: prepares it like a small Linux host, runs the cases, reports and
# powers off. Each case is a shell script that reads lib.sh and prints TAP lines without numbers and
# without a plan; whatever else it prints on standard error appears as a comment.
/bin/busybox --install -s /bin
# busybox last: it has applets with the names of real programs
export PATH=/kvbox/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
# what takes seconds on hardware takes a minute here
export KVBOX_BOOT_TIMEOUT=100

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

words=$(sed -n 's/.*lab\.cases=\([^ ]*\).*/\1/p' /proc/cmdline)
(
	IFS=,
	for name in $words; do
		echo "# $name ($(cut -d ' ' -f 1 /proc/uptime) s)"
		# standard output is the report, standard error comes back line by line as comments
		{ timeout 900 sh "/lab/cases/$name.sh" 2>&1 >&3 | sed 's/^/# /'; } 3>&1
		[ -f "/tmp/finished.$name" ] || echo "not ok - $name did not reach its end"
		rm -f "/tmp/finished.$name"
	done
) | tee /tmp/report > "$report"
echo "# end ($(cut -d ' ' -f 1 /proc/uptime) s)" > "$report"
echo "1..$(grep -cE '^(not )?ok ' /tmp/report)" > "$report"
sync
poweroff -f
