# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts of this folder share. Sourced, never run.

# Where depmod and modprobe are, and a plain user's PATH does not look.
PATH=$PATH:/usr/sbin:/sbin

# fail TEXT: one line on stderr, and the end.
fail()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# need TOOL PACKAGE: the tool is there, or the error names the Debian package that has it.
need()
{
	command -v "$1" > /dev/null 2>&1 ||
		fail "'$1' not found: install the package '$2' (scripts/deps does)"
}

# The cache lives outside the tree, so that no 'make clean' and no second clone pays again.
cache_dir()
{
	if [ -n "${KVBOX_CACHE:-}" ]; then
		printf '%s\n' "$KVBOX_CACHE"
	elif [ -n "${XDG_CACHE_HOME:-}" ]; then
		printf '%s/kvbox\n' "$XDG_CACHE_HOME"
	elif [ -n "${HOME:-}" ]; then
		printf '%s/.cache/kvbox\n' "$HOME"
	else
		fail "no place for the cache: set KVBOX_CACHE or HOME"
	fi
}

# work_in FOLDER: a new temporary folder in it, for publish. What a build that was killed has left there
# is removed after a day.
work_in()
{
	mkdir -p -- "$1"
	find "$1" -mindepth 1 -maxdepth 1 -name '.new.*' -mmin +1440 -exec rm -rf -- {} +
	mktemp -d -- "$1/.new.XXXXXX"
}

# publish TEMP FINAL: what was built in TEMP appears under FINAL at once, or not at all. When another
# build was quicker its result stays, and ours is dropped: both were made from the same inputs.
publish()
{
	sync -f "$1"
	if ! mv -T -- "$1" "$2" 2> /dev/null; then
		[ -d "$2" ] || fail "cannot rename '$1' to '$2'"
		rm -rf -- "$1"
	fi
}

# is_kernel FILE: an ELF file for this machine that can be entered the PVH way (Xen's note 18 names
# the 32-bit entry point), which is what QEMU and Cloud Hypervisor boot directly.
is_kernel()
{
	readelf -h -- "$1" 2> /dev/null | grep -q 'Machine: .*X86-64' &&
		readelf -n -- "$1" 2> /dev/null | grep -q '^ *Xen .*0x00000012'
}
