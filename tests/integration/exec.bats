#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load helpers

@test "exec runs commands beside the container's own" {
	local i pids=() id

	id=$(kvbox run -d --name web -e FROM=run -w /var hello sleep 1000)
	try kvbox exec web sh -c 'echo out; echo err >&2; exit 5'
	expect 5 out
	[ "$err" = err ] || fail "stderr"
	try kvbox exec -u 1000 -w /tmp -e A=b web sh -c 'id -u; pwd; echo $A $FROM'
	expect 0 "1000
/tmp
b run"
	[ "$(kvbox exec web pwd)" = /var ]
	[ "$(echo data | kvbox exec -i web cat)" = data ]
	[ -z "$(echo data | kvbox exec web cat)" ]
	try kvbox exec web nope
	expect_error 127 'exec: "nope": executable file not found in $PATH'
	try kvbox exec web /etc
	expect_error 126 'is a directory'
	try kvbox exec -it web sh < /dev/null
	expect_error 1 'the input device is not a TTY'
	# --privileged is the command's alone
	try kvbox exec --privileged web sh -c 'grep -c "CapEff:.*0001ffffffffff" /proc/self/status; grep Seccomp: /proc/self/status'
	expect 0 "1
Seccomp:	0"
	try kvbox exec web grep CapEff: /proc/self/status
	expect 0 "CapEff:	00000000a80425fb"
	# -d does not wait
	try kvbox exec -d web sh -c 'echo hidden > /tmp/made'
	expect 0 ''
	wait_for kvbox exec web grep -q hidden /tmp/made
	# a killed command
	try kvbox exec web sh -c 'kill -9 $$'
	expect 137
	# many at a time, each with its own output
	for i in {1..12}; do
		kvbox exec web sh -c "sleep 0.3; echo $i; exit $i" > "$BATS_TEST_TMPDIR/exec.$i" &
		pids+=($!)
	done
	for i in {1..12}; do
		code=0
		wait "${pids[i - 1]}" || code=$?
		[ "$code" -eq "$i" ]
		[ "$(cat "$BATS_TEST_TMPDIR/exec.$i")" = "$i" ]
	done
	# a terminal
	try on_terminal "stty rows 22 cols 77; $BINARY exec -it web sh -c 'stty size; echo \$TERM'"
	expect 0 "22 77
xterm"
	kvbox kill web
	try kvbox exec web true
	expect_error 1 "container $id is not running"
}

@test "a big exec stream is byte-exact and does not stop the others" {
	local big

	kvbox run -d --name web hello sleep 1000
	kvbox exec web sh -c 'dd if=/dev/zero bs=1M count=30 2> /dev/null' | sha256sum > "$BATS_TEST_TMPDIR/sum" &
	big=$!
	# one that nobody reads
	mkfifo "$BATS_TEST_TMPDIR/stalled"
	kvbox exec web yes > "$BATS_TEST_TMPDIR/stalled" &
	exec 6< "$BATS_TEST_TMPDIR/stalled"
	[ "$(kvbox exec web echo beside)" = beside ]
	wait $big
	exec 6<&-
	[ "$(cat "$BATS_TEST_TMPDIR/sum")" = "$(head -c $((30 << 20)) /dev/zero | sha256sum)" ]
}

@test "what exec leaves behind keeps no container from its end" {
	local other state

	kvbox run -d --name web hello sh -c 'until [ -e /end ]; do sleep 0.1; done; exit 3'
	kvbox exec -i web sh -c 'cat > /sibling; chmod 755 /sibling' < "$(dirname -- "$BINARY")/sibling"
	other=$(kvbox exec web /sibling)
	# nobody in the container is its parent, and yet it goes
	[ "$(kvbox exec web awk '{ print $4 }' "/proc/$other/stat")" = 0 ]
	kvbox exec web kill -9 "$other"
	for state in {1..100}; do
		kvbox exec web test -e "/proc/$other" || break
		sleep 0.1
	done
	try kvbox exec web test -e "/proc/$other"
	expect 1 ""
	# no signal is kept from a process, of whichever kind
	[ "$(kvbox exec web grep SigBlk: /proc/1/status)" = $'SigBlk:\t0000000000000000' ]
	[ "$(kvbox exec web grep SigBlk: /proc/self/status)" = $'SigBlk:\t0000000000000000' ]
	kvbox exec web /sibling > /dev/null
	kvbox exec web touch /end
	[ "$(kvbox wait web)" = 3 ]
}
