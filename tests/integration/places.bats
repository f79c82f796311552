#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Where every container has something mounted (/proc, /sys, /dev, three files in /etc), whatever its image
# has there, and whatever an earlier run has left.

load helpers

# twice SCRIPT NAME CHANGE: an image that is changed like that gives the same at two runs of one container,
# which sees what Docker mounts, and then runs the script
twice()
{
	local first
	# shellcheck disable=SC2016 # for the container's shell
	local look='readlink /etc; stat -c "%n %F %a %u:%g" -L / /etc /etc/hosts /proc /sys /dev
		cat /etc/hostname; grep -c localhost /etc/hosts; [ -e /etc/resolv.conf ] && echo resolver
		[ -e /proc/self/exe ] && [ -e /sys/class ] && [ -c /dev/null ] && echo mounted'

	load_image "$2" '{"Cmd":["/bin/sh"]}' 1 "$3"
	kvbox create --name "$2" -h box --cap-add SYS_ADMIN "$2" sh -c "$look; $1" > /dev/null
	try kvbox start -a "$2"
	[ "$code" -eq 0 ] || fail "first run"
	[ -z "$err" ] || fail "first run"
	first=$out
	try kvbox start -a "$2"
	expect 0 "$first"
}

@test "an image without places has them, also behind a link, and again when they were deleted" {
	# shellcheck disable=SC2016
	twice 'umount /etc/hosts && rm /etc/hosts && ls -A /usr/etc | sort' \
		bare 'mkdir usr; mv etc usr/etc; chmod 751 usr/etc; ln -s usr/etc etc; rmdir proc sys dev; chmod 711 .'
	[ "$out" = "usr/etc
/ directory 711 0:0
/etc directory 751 0:0
/etc/hosts regular file 644 0:0
/proc directory 555 0:0
/sys directory 555 0:0
/dev directory 755 0:0
box
2
resolver
mounted
group
hostname
passwd
resolv.conf" ] || fail "what is there"
}

@test "what an image has is left as it is, and made again when it was deleted" {
	twice 'readlink /etc/resolv.conf; umount /etc/hosts && rm /etc/hosts && ls -A /etc | sort' \
		full 'chmod 1711 etc; echo below > etc/hosts; ln -s ../run/resolv.conf etc/resolv.conf'
	[ "$out" = "/ directory 755 0:0
/etc directory 1711 0:0
/etc/hosts regular file 644 0:0
/proc directory 555 0:0
/sys directory 555 0:0
/dev directory 755 0:0
box
2
resolver
mounted
../run/resolv.conf
group
hostname
passwd
resolv.conf" ] || fail "what is there"
}
