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
	env -u KVBOX_KERNEL -u KVBOX_INITRAMFS -u KVBOX_LIBEXEC KVBOX_ROOT="$STORE/root" \
		KVBOX_RUNROOT="$STORE/run" timeout -k 5 "$LIMIT" "$BATS_TEST_TMPDIR/alone/kvbox" "$@"
}

@test "one file, copied elsewhere, runs containers" {
	local libexec folder

	libexec=$(dirname -- "$(dirname -- "$BINARY")")/libexec/kvbox
	[ -e "$libexec/vmlinux" ] || skip "no guest beside $BINARY"
	mkdir "$BATS_TEST_TMPDIR/alone"
	"$REPO/scripts/bundle" "$libexec" --single "$BINARY" "$BATS_TEST_TMPDIR/alone/kvbox"
	try alone run --rm hello echo well
	expect 0 well
	folder=$(echo "$STORE"/root/bundle/*)
	cmp "$libexec/vmlinux" "$folder/vmlinux"
	cmp "$libexec/initramfs" "$folder/initramfs"
	[[ $(alone info) == *"Guest Kernel: $folder/vmlinux"* ]]
	# unpacked once, and complete or not there
	touch -d @1 "$folder/vmlinux"
	try alone run --rm hello echo again
	expect 0 again
	[ "$(stat -c %Y "$folder/vmlinux")" -eq 1 ]
	# a byte of the kernel is changed: said, not booted
	rm -rf "$STORE/root/bundle"
	printf '\0' | dd of="$BATS_TEST_TMPDIR/alone/kvbox" bs=1 conv=notrunc status=none \
		seek=$(($(stat -c %s "$BINARY") + 1))
	try alone run --rm hello true
	expect_error 125 'damaged: vmlinux'
}
