#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load helpers

@test "logs splits the streams, cuts, stamps, and works when the container has ended" {
	# The order of two streams is certain only when there is time between them.
	kvbox run -d --name talk hello \
		sh -c 'echo one; echo two >&2; until [ -e /go ]; do sleep 0.1; done; echo three; printf four'
	wait_for eval '[ "$(kvbox logs talk 2>&1 | wc -l)" -eq 2 ]'
	kvbox exec -d talk touch /go
	[ "$(kvbox wait talk)" = 0 ]
	try kvbox logs talk
	expect 0 "one
three
four"
	[ "$err" = two ] || fail "stderr"
	[ "$(kvbox logs --tail 2 talk 2>&1)" = "three
four" ]
	[ "$(kvbox logs -n 0 talk 2>&1)" = '' ]
	[[ $(kvbox logs -t -n 1 talk) =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z\ four$ ]] || fail "stamp"
	[ "$(kvbox logs --since 10m talk 2> /dev/null | head -1)" = one ]
	[ -z "$(kvbox logs --until 10m talk 2>&1)" ]
	[ -z "$(kvbox logs --since 2100-01-01 talk 2>&1)" ]
	try kvbox logs --since yesterday talk
	expect_error 1 'invalid value for "since"'
}

@test "logs -f shows what comes and ends with the container" {
	local follower

	kvbox run -d --name slow hello sh -c 'echo first; while ! [ -e /go ]; do sleep 0.1; done; echo last >&2; exit 2'
	kvbox logs -f slow > "$BATS_TEST_TMPDIR/follow" 2>&1 &
	follower=$!
	wait_for grep -q first "$BATS_TEST_TMPDIR/follow"
	kill -0 "$follower"
	kvbox exec -d slow touch /go
	wait "$follower"
	[ "$(cat "$BATS_TEST_TMPDIR/follow")" = "first
last" ]
	[ "$(kvbox logs -f --tail 1 slow 2>&1)" = last ]
	# Another run adds to the same log.
	try kvbox start -a slow
	expect 2 first
	[ "$(kvbox logs slow 2>&1 | wc -l)" -eq 4 ]
}

@test "with a terminal both streams are one, with CRLF" {
	kvbox run -t --name tty hello sh -c 'echo a; echo b >&2' > "$BATS_TEST_TMPDIR/out"
	[ "$(od -An -c "$BATS_TEST_TMPDIR/out" | tr -d ' ')" = 'a\r\nb\r\n' ]
	[ "$(kvbox logs tty 2> /dev/null | od -An -c | tr -d ' ')" = 'a\r\nb\r\n' ]
}

@test "long lines and many lines come out as they went in" {
	kvbox run --name long hello sh -c 'head -c 100000 /dev/zero | tr "\\0" x; echo; i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i + 1)); done' \
		> "$BATS_TEST_TMPDIR/direct"
	kvbox logs long > "$BATS_TEST_TMPDIR/logged"
	cmp "$BATS_TEST_TMPDIR/direct" "$BATS_TEST_TMPDIR/logged"
	[ "$(wc -c < "$BATS_TEST_TMPDIR/direct")" -gt 100000 ]
	[ "$(kvbox logs --tail 3 long)" = "line 1997
line 1998
line 1999" ]
}
