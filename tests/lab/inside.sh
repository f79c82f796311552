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

# each with QEMU and with the other VMMs that were taken along; a case that says "once" is not about them
vmms="qemu cloud-hypervisor"

# one NAME: runs the case with the VMM that LAB_VMM names. Standard output is the report, standard error comes
# back line by line as comments.
one()
{
	echo "# $1 $LAB_VMM ($(cut -d ' ' -f 1 /proc/uptime) s)"
	{ timeout 900 sh "/lab/cases/$1.sh" 2>&1 >&3 | sed 's/^/# /'; } 3>&1
	[ -f /tmp/finished ] || echo "not ok - $1 $LAB_VMM did not reach its end"
	rm -f /tmp/finished
}

words=$(sed -n 's/.*lab\.cases=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
for name in $words; do
	for vmm in $vmms; do
		export LAB_VMM=$vmm KVBOX_VMM=$vmm
		if grep -q '^# lab: once$' "/lab/cases/$name.sh"; then
			[ "$vmm" = qemu ] || continue
			LAB_VMM='' one "$name"
		elif [ "$vmm" = qemu ] || [ -x "/kvbox/libexec/kvbox/$vmm" ]; then
			one "$name"
		else
			echo "ok - $name $vmm # SKIP no binary is named"
		fi
	done
done | tee /tmp/report > "$report"
echo "# end ($(cut -d ' ' -f 1 /proc/uptime) s)" > "$report"
echo "1..$(grep -cE '^(not )?ok ' /tmp/report)" > "$report"
sync
poweroff -f
