#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# make bundle: digests are looked at, and one file has everything.

load helpers

bundle()
{
	"$REPO/scripts/bundle" "$BATS_TEST_TMPDIR/libexec" --list "$BATS_TEST_TMPDIR/list" "$@"
}

# A program of this machine stands for the hypervisor.
standin()
{
	cp -- "$(command -v busybox)" "$BATS_TEST_TMPDIR/ch"
	: > "$BATS_TEST_TMPDIR/list"
}

@test "without a file bundle says where to get one and what to check" {
	try "$REPO/scripts/bundle" "$BATS_TEST_TMPDIR/libexec"
	expect 0
	[[ $out == *cloud-hypervisor-static* && $out == *package* && $out == *SHA-256* ]] || fail "lacks it"
	[ ! -e "$BATS_TEST_TMPDIR/libexec" ]
}

@test "a hypervisor that is not known is refused, and taken once it was trusted" {
	local sum file=$BATS_TEST_TMPDIR/ch target=$BATS_TEST_TMPDIR/libexec/cloud-hypervisor

	standin
	sum=$(sha256sum < "$file" | cut -d ' ' -f 1)
	try bundle cloud-hypervisor="$file"
	expect_error 1 "$sum"
	[ ! -e "$target" ]
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/libexec")" ]
	try bundle --trust cloud-hypervisor="$file"
	expect 0
	cmp "$file" "$target"
	[ -x "$target" ]
	# from now on it is known, and another one is not
	try bundle cloud-hypervisor="$file"
	expect 0
	[ "$(grep -c "$sum" "$BATS_TEST_TMPDIR/list")" -eq 1 ]
	printf x >> "$file"
	try bundle cloud-hypervisor="$file"
	expect_error 1 'none that is known'
	# a known digest counts for its own name only
	try bundle vmlinux="$target"
	expect_error 1 'none that is known as vmlinux'
}

@test "what is no program of this machine is refused whoever trusts it" {
	standin
	echo text > "$BATS_TEST_TMPDIR/ch"
	try bundle --trust cloud-hypervisor="$BATS_TEST_TMPDIR/ch"
	expect_error 1 'is not a program'
	try bundle --trust vmlinux="$BATS_TEST_TMPDIR/ch"
	expect_error 1 'not an uncompressed vmlinux'
	try bundle --trust cloud-hypervisor=/nonexistent
	expect_error 1 "no file '/nonexistent'"
	cp -- "$(command -v busybox)" "$BATS_TEST_TMPDIR/ch"
	printf '\1' | dd of="$BATS_TEST_TMPDIR/ch" bs=1 seek=18 conv=notrunc status=none
	try bundle --trust cloud-hypervisor="$BATS_TEST_TMPDIR/ch"
	expect_error 1 'another machine'
	[ ! -s "$BATS_TEST_TMPDIR/list" ]
}

# alone COMMAND...: the copied file, without a guest in the environment
alone()
{
	by alone "$@"
}

# by NAME COMMAND...: the same of another copy
by()
{
	env -u KVBOX_KERNEL -u KVBOX_INITRAMFS -u KVBOX_LIBEXEC KVBOX_ROOT="$STORE/root" \
		KVBOX_RUNROOT="$STORE/run" timeout -k 5 "$LIMIT" "$BATS_TEST_TMPDIR/$1/kvbox" "${@:2}"
}

# single NAME [LIBEXEC]: makes it, in a folder of that name
single()
{
	local libexec=${2:-$LIBEXEC}

	mkdir -p "$BATS_TEST_TMPDIR/$1"
	"$REPO/scripts/bundle" "$libexec" --single "$BINARY" "$BATS_TEST_TMPDIR/$1/kvbox"
}

guest()
{
	LIBEXEC=$(dirname -- "$(dirname -- "$BINARY")")/libexec/kvbox
	[ -e "$LIBEXEC/vmlinux" ] || skip "no guest beside $BINARY"
}

# folders: how many are unpacked; nothing else but the lock is there
folders()
{
	[ -z "$(find "$STORE/root/bundle" -mindepth 1 -maxdepth 1 ! -name lock ! -name '????????????????*')" ]
	find "$STORE/root/bundle" -mindepth 1 -maxdepth 1 -name '????????????????*' | wc -l
}

@test "one file, copied elsewhere, runs containers" {
	local folder

	guest
	single alone
	try alone run --rm hello echo well
	expect 0 well
	folder=$(echo "$STORE"/root/bundle/[0-9a-f]*)
	cmp "$LIBEXEC/vmlinux" "$folder/vmlinux"
	cmp "$LIBEXEC/initramfs" "$folder/initramfs"
	[[ $(alone info) == *"Guest Kernel: $folder/vmlinux"* ]]
	# unpacked once, and complete or not there
	touch -d @1 "$folder/vmlinux"
	try alone info
	expect 0
	[ "$(stat -c %Y "$folder/vmlinux")" -eq 1 ]
	# a byte of the kernel is changed: said, not booted
	rm -rf "$STORE/root/bundle"
	printf '\0' | dd of="$BATS_TEST_TMPDIR/alone/kvbox" bs=1 conv=notrunc status=none \
		seek=$(($(stat -c %s "$BINARY") + 23)) # behind the first line
	try alone run --rm hello true
	expect_error 125 'damaged: vmlinux'
	[ "$(folders)" -eq 0 ]
	# and when its end is missing
	truncate -s -100 "$BATS_TEST_TMPDIR/alone/kvbox"
	try alone run --rm hello true
	expect_error 125 'damaged: its end is missing'
	try alone info
	expect_error 1 'damaged: its end is missing'
	[ "$(wc -l <<< "$err")" -eq 1 ]
}

@test "what another single file has unpacked goes when nobody uses it" {
	guest
	single alone
	alone run -d --name c1 hello sleep 1000
	[ "$(folders)" -eq 1 ]
	# the next version has another kernel.txt
	cp -r -- "$LIBEXEC" "$BATS_TEST_TMPDIR/libexec"
	echo another > "$BATS_TEST_TMPDIR/libexec/kernel.txt"
	single next "$BATS_TEST_TMPDIR/libexec"
	try by next info
	expect 0
	[[ $out == *'About: another'* ]] || fail "it is not its own guest"
	[ "$(folders)" -eq 2 ]
	alone rm -f c1
	# whoever collects garbage takes it along; the one without a bundle leaves it
	kvbox load -q -i "$(image_file hello)" > "$BATS_TEST_TMPDIR/load.out"
	[ "$(folders)" -eq 2 ]
	by next load -q -i "$(image_file hello)" > "$BATS_TEST_TMPDIR/load.out"
	[ "$(folders)" -eq 1 ]
	[[ $(by next info) == *'About: another'* ]]
	# and so does the one that unpacks
	alone info > "$BATS_TEST_TMPDIR/info.out"
	[ "$(folders)" -eq 1 ]
}

# In a mount namespace of its own: ROOT KVBOX OPTIONS, with a file system for the unpacked files
bundle_on()
{
	set -e
	export KVBOX_ROOT=$1/root KVBOX_RUNROOT=$1/run
	unset KVBOX_KERNEL KVBOX_INITRAMFS KVBOX_LIBEXEC
	mkdir -p "$1/root/bundle"
	mount -t tmpfs -o "$3" none "$1/root/bundle"
	"$2" info || echo "code $?"
	find "$1/root/bundle" -mindepth 1 -printf '%P\n'
}

@test "without room, or where nothing can be written, that is one line and nothing is left" {
	[ "$(id -u)" -eq 0 ] || skip "mounts need root"
	guest
	single alone
	mkdir "$BATS_TEST_TMPDIR/disk"
	try timeout -k 5 "$LIMIT" unshare -m bash -c "$(declare -f bundle_on); bundle_on \"\$@\"" bundle_on \
		"$BATS_TEST_TMPDIR/disk" "$BATS_TEST_TMPDIR/alone/kvbox" size=4m
	expect 0 $'code 1\nlock'
	[[ $err == *"cannot unpack what this program carries: "*"No space left on device" ]] || fail "other words"
	[ "$(wc -l <<< "$err")" -eq 1 ]
	try timeout -k 5 "$LIMIT" unshare -m bash -c "$(declare -f bundle_on); bundle_on \"\$@\"" bundle_on \
		"$BATS_TEST_TMPDIR/disk" "$BATS_TEST_TMPDIR/alone/kvbox" ro
	expect 0 'code 1'
	[[ $err == *"cannot unpack what this program carries: "*"Read-only file system" ]] || fail "other words"
	[ "$(wc -l <<< "$err")" -eq 1 ]
}
