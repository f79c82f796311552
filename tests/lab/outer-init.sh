#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# First program of the lab's outer machine, in its initramfs.
B=/bin/busybox
$B mount -t devtmpfs dev /dev
$B mount -t proc proc /proc
for module in $($B cat /modules/load); do
	$B insmod "/modules/$module" || $B echo "outer: cannot load $module"
done
# the disk is there as soon as its driver is, but nobody promises it
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 50 ]; do
	$B sleep 0.1
	tries=$((tries + 1))
done
if $B mount -t ext4 /dev/vda /disk; then
	$B mount --move /dev /disk/dev
	$B mount --move /proc /disk/proc
	exec $B switch_root /disk /bin/busybox sh /lab/inside.sh
fi
$B echo "outer: no disk"
$B poweroff -f
