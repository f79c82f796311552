#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Layers and chains as the kernel sees them: each case is converted, checked by fsck.erofs, merged,
# mounted, and compared with what GNU tar unpacks and overlayfs puts together. See layers.py.

load helpers

layers()
{
	[ "$(id -u)" -eq 0 ] || skip "mounts need root"
	mkdir -p "$BATS_TEST_TMPDIR/work"
	try timeout -k 5 "$LIMIT" unshare -m python3 "$REPO/tests/integration/layers.py" "$1" "$BINARY" \
		"$BATS_TEST_TMPDIR/work" "${@:2}"
	[ "$code" -eq 0 ] || fail "layers.py $*"
}

# convert FILE: into $BATS_TEST_TMPDIR/image; sets $out, or $err and $code.
convert()
{
	try timeout -k 5 "$LIMIT" python3 "$REPO/tests/integration/layers.py" convert "$BINARY" "$1" \
		"$BATS_TEST_TMPDIR/image"
}

@test "every kind of file, with attributes, links and devices" {
	layers compare kinds
}

@test "folders of thousands of names" {
	layers compare large_folder
}

@test "whiteouts remove files and folders" {
	layers compare whiteouts
}

@test "opaque folders hide what is below" {
	layers compare opaque
}

@test "a folder that is removed and made anew in one layer is empty" {
	layers compare whiteout_and_folder
}

@test "a file becomes a folder and a file again" {
	layers compare file_folder_file
}

@test "later entries of one tar replace earlier ones" {
	layers compare replaced
}

@test "folders that only names imply have the lower folder's attributes" {
	layers compare implied
}

@test "an implied folder hides a lower symbolic link" {
	layers compare implied_over_link
}

@test "hard links are one file, and their number is that of the visible names" {
	layers compare hardlinks
}

@test "hard links into lower layers are resolved" {
	layers expect lower_links
}

@test "sparse files in each of GNU tar's forms" {
	layers compare sparse
}

@test "long names of pax, GNU and ustar" {
	layers compare formats
}

@test "empty layers" {
	layers compare empty
}

@test "127 layers, joined into one disk" {
	layers compare many_layers
}

@test "127 layers, each a device" {
	layers devices many_layers
}

@test "a chain mounts with one device per layer" {
	layers devices whiteouts
	[[ $out == *"files are equal"* ]]
}

@test "a real tree" {
	tar -C / -cf "$BATS_TEST_TMPDIR/tree.tar" --no-recursion usr usr/share --recursion etc usr/share/zoneinfo
	layers tar "$BATS_TEST_TMPDIR/tree.tar"
}

@test "gzip, zstd and no compression give the same image" {
	tar -C / -cf "$BATS_TEST_TMPDIR/tree.tar" usr/share/zoneinfo
	gzip -k "$BATS_TEST_TMPDIR/tree.tar"
	zstd -q "$BATS_TEST_TMPDIR/tree.tar"
	convert "$BATS_TEST_TMPDIR/tree.tar"
	expect 0
	local plain=$out

	[[ $plain == *"$(sha256sum < "$BATS_TEST_TMPDIR/tree.tar" | cut -d' ' -f1)"* ]]
	mv "$BATS_TEST_TMPDIR/image" "$BATS_TEST_TMPDIR/plain"
	for suffix in gz zst; do
		convert "$BATS_TEST_TMPDIR/tree.tar.$suffix"
		expect 0 "$plain"
		cmp "$BATS_TEST_TMPDIR/image" "$BATS_TEST_TMPDIR/plain"
	done
}

@test "a layer that is cut, damaged or no tar is refused in one line" {
	tar -C / -czf "$BATS_TEST_TMPDIR/good" usr/share/zoneinfo
	head -c 10000 "$BATS_TEST_TMPDIR/good" > "$BATS_TEST_TMPDIR/cut"
	convert "$BATS_TEST_TMPDIR/cut"
	expect 1
	[ "$err" = "error: truncated gzip data" ] || fail "words"
	{ cat "$BATS_TEST_TMPDIR/good"; echo more; } > "$BATS_TEST_TMPDIR/longer"
	convert "$BATS_TEST_TMPDIR/longer"
	[ "$err" = "error: garbage behind the gzip data" ] || fail "words"
	echo '<html>not a layer</html>' | gzip > "$BATS_TEST_TMPDIR/html"
	convert "$BATS_TEST_TMPDIR/html"
	[ "$err" = "error: bad tar: truncated" ] || fail "words"
	tar -C / -cJf "$BATS_TEST_TMPDIR/xz" usr/share/zoneinfo
	convert "$BATS_TEST_TMPDIR/xz"
	[ "$err" = "error: compressed with xz, which is not supported" ] || fail "words"
}
