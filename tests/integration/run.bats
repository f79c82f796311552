#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load helpers

@test "run prints exactly what the command prints and leaves nothing behind" {
	try kvbox run --rm hello echo hi
	expect 0 hi
	[ "$(wc -c < "$BATS_TEST_TMPDIR/out")" -eq 3 ]
	[ -z "$err" ] || fail "stderr"
	[ -z "$(kvbox ps -aq)" ]
	expect_nothing_left
}

@test "exit codes are the command's, 126 and 127 are kvbox's" {
	try kvbox run --rm hello sh -c 'echo out; echo err >&2; exit 7'
	expect 7 out
	[ "$err" = err ] || fail "stderr"
	try kvbox run --rm hello /nonexistent
	expect_error 127 'kvbox: Error response from daemon: '
	[[ $err == *"/nonexistent"*"no such file or directory"* ]] || fail "words"
	try kvbox run --rm hello nope
	expect_error 127 'exec: "nope": executable file not found in $PATH'
	try kvbox run --rm hello /etc
	expect_error 126 'is a directory'
	try kvbox run --rm hello /etc/passwd
	expect_error 126 'permission denied'
	[ -z "$(kvbox ps -aq)" ]
}

@test "standard input arrives whole, and so does its end" {
	echo data > "$BATS_TEST_TMPDIR/data"
	try kvbox run --rm -i hello cat < "$BATS_TEST_TMPDIR/data"
	expect 0 data
	# Without -i it is not read.
	try kvbox run --rm hello cat < "$BATS_TEST_TMPDIR/data"
	expect 0 ''
}

@test "a stream of 100 MB is byte-exact in both directions" {
	local want

	openssl enc -aes-128-ctr -K 0 -iv 0 -nosalt < /dev/zero 2> /dev/null | head -c 100000000 \
		> "$BATS_TEST_TMPDIR/big"
	want=$(sha256sum < "$BATS_TEST_TMPDIR/big")
	[ "$(kvbox run --rm -i hello cat < "$BATS_TEST_TMPDIR/big" | sha256sum)" = "$want" ]
}

@test "what the options say is what the process finds" {
	FROM=caller try kvbox run --rm --name box -e A=1 -e FROM -e GONE -w /tmp/new -u 1000:2000 -h myhost \
		-m 64m --cpus 1 --entrypoint /bin/sh hello -c \
		'pwd; id -u; id -g; hostname; echo $A $FROM ${GONE-unset} $HOSTNAME; echo $PATH; cat /etc/hostname; grep eth /proc/net/dev; cat /sys/fs/cgroup/memory.max'
	expect 0 "/tmp/new
1000
2000
myhost
1 caller unset myhost
/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
myhost
67108864"
}

@test "what the image says holds until an option says otherwise" {
	load_image app '{"Entrypoint":["/bin/echo","entry"],"Cmd":["cmd"],"Env":["A=image"],"User":"user","WorkingDir":"/var"}'
	try kvbox run --rm app
	expect 0 "entry cmd"
	try kvbox run --rm app other
	expect 0 "entry other"
	try kvbox run --rm -e B=2 --entrypoint sh app -c 'id -un; id -gn; id -G; pwd; echo $A $B $HOME'
	expect 0 "user
user
1000 2000
/var
image 2 /home/user"
	try kvbox run --rm -u nosuch app
	[ "$code" -ne 0 ] || fail "a user that is not there"
	[[ $err == *"unable to find user nosuch: no matching entries in passwd file"* ]] || fail "words"
}

@test "a detached run prints the ID alone and goes on" {
	local id

	try kvbox run -d --name bg hello sh -c 'echo started; exec sleep 1000'
	expect 0
	[[ $out =~ ^[0-9a-f]{64}$ ]] || fail "ID"
	[ -z "$err" ] || fail "stderr"
	id=$out
	[ "$(kvbox ps -q --no-trunc)" = "$id" ]
	[[ $(kvbox ps) == *"${id:0:12}   hello     \"sh -c 'echo started…\""*"Up "*" bg"* ]] || fail "ps"
	try kvbox rm bg
	expect_error 1 'bg": container is running: stop the container before removing or force remove'
	[ "$(kvbox rm -f bg)" = bg ]
	[ -z "$(kvbox ps -aq)" ]
}

@test "the command that waits for the end brings it into the store, and no other program is started for that" {
	local log

	mkfifo "$BATS_TEST_TMPDIR/in"
	KVBOX_DEBUG=1 KVBOX_FINISH_TIMEOUT=100 with_store "$BINARY" run --rm -i hello cat \
		< "$BATS_TEST_TMPDIR/in" > "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" &
	exec 5> "$BATS_TEST_TMPDIR/in"
	echo whole >&5
	wait_for grep -q whole "$BATS_TEST_TMPDIR/out"
	# it goes with the container, so it is held
	log=$(echo "$STORE"/root/containers/*/monitor.log)
	exec 6< "$log" 5>&-
	code=0
	wait $! || code=$?
	[ "$code" -eq 0 ] || fail "exit code"
	[ ! -e "$log" ]
	[ -z "$(kvbox ps -aq)" ]
	log=$(cat <&6)
	exec 6<&-
	[[ $log == *"a client is asked to finish"* ]] || fail "$log"
	[[ $log != *"a program is started to finish"* ]] || fail "$log"
	expect_nothing_left
}

@test "a terminal has the user's size and kvbox gives it back as it was" {
	try on_terminal "stty rows 33 cols 99; $BINARY run --rm -it hello sh -c 'stty size; tty; echo \$TERM'; stty size; stty -a | grep -o ' -*icanon\| -*echo '"
	expect 0
	[ "$out" = "33 99
/dev/pts/0
xterm
33 99
 icanon
 echo " ] || fail "terminal"
}

@test "the detach keys leave the container running" {
	mkfifo "$BATS_TEST_TMPDIR/keys"
	with_store script -qec "$BINARY run -it --name tty hello sh; echo code \$?" /dev/null \
		< "$BATS_TEST_TMPDIR/keys" > "$BATS_TEST_TMPDIR/screen" &
	exec 5> "$BATS_TEST_TMPDIR/keys"
	wait_for grep -q '#' "$BATS_TEST_TMPDIR/screen"
	printf 'echo x$((40 + 2))\n' >&5
	wait_for grep -q x42 "$BATS_TEST_TMPDIR/screen"
	printf '\020\021' >&5
	wait $!
	exec 5>&-
	grep -q 'code 0' "$BATS_TEST_TMPDIR/screen"
	[ "$(kvbox ps -q | wc -l)" -eq 1 ]
}

@test "signals reach the process, and the third Ctrl-C ends kvbox in any case" {
	with_store "$BINARY" run --name sig hello \
		sh -c 'trap "echo int; exit 3" INT; trap "echo usr" USR1; echo ready; while :; do sleep 0.1; done' \
		> "$BATS_TEST_TMPDIR/sig" &
	wait_for grep -q ready "$BATS_TEST_TMPDIR/sig"
	kill -USR1 $!
	wait_for grep -q usr "$BATS_TEST_TMPDIR/sig"
	kill -INT $!
	code=0
	wait $! || code=$?
	[ "$code" -eq 3 ] || fail "exit code"
	grep -q int "$BATS_TEST_TMPDIR/sig"
	kvbox rm sig
	with_store "$BINARY" run --name deaf hello \
		sh -c 'trap "echo int" INT; echo ready; while :; do sleep 0.1; done' \
		> "$BATS_TEST_TMPDIR/deaf" 2> "$BATS_TEST_TMPDIR/err" &
	wait_for grep -q ready "$BATS_TEST_TMPDIR/deaf"
	kill -INT $!
	# two at a time would be one
	wait_for eval '[ "$(grep -c int "$BATS_TEST_TMPDIR/deaf")" -eq 1 ]'
	kill -INT $!
	wait_for eval '[ "$(grep -c int "$BATS_TEST_TMPDIR/deaf")" -eq 2 ]'
	kill -0 $!
	kill -TERM $!
	code=0
	wait $! || code=$?
	[ "$code" -eq 1 ] || fail "exit code"
	grep -q 'forcefully exiting' "$BATS_TEST_TMPDIR/err"
	[ "$(kvbox ps -q | wc -l)" -eq 1 ]
}

@test "a trace tells the phases of a start" {
	try kvbox run --rm --trace "$BATS_TEST_TMPDIR/trace.json" hello true
	expect 0 ''
	local name

	for name in store create start run kernel agent; do
		grep -q "\"name\": *\"$name\"" "$BATS_TEST_TMPDIR/trace.json" || fail "no phase '$name'"
	done
}

@test "a reader that goes away ends run and exec without a word, and nothing else" {
	kvbox run --name pipe hello yes 2> "$BATS_TEST_TMPDIR/err" | head -1 > "$BATS_TEST_TMPDIR/out"
	[ "${PIPESTATUS[0]}" -eq 141 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = y ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	kvbox exec pipe yes 2> "$BATS_TEST_TMPDIR/err" | head -1 > "$BATS_TEST_TMPDIR/out"
	[ "${PIPESTATUS[0]}" -eq 141 ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	[ -n "$(kvbox ps -q -f name=pipe)" ]
	kvbox rm -f pipe
}
