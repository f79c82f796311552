#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What must not break it: whatever fails or is killed, there is one clear line, Docker's exit code, and
# nothing left behind.

load helpers

# one_line TEXT: the last try said so in its first line, and only added the hint at --help
one_line()
{
	[[ $(head -1 <<< "$err") == "kvbox: "*"$1"* ]] || fail "first line lacks '$1'"
}

# initramfs_of NAME SCRIPT: one whose /init is that shell script; /bin/busybox is the shell's only program
initramfs_of()
{
	local tree=$BATS_TEST_TMPDIR/$1

	mkdir -p "$tree/bin" "$tree/dev"
	cp "$(command -v busybox)" "$tree/bin/sh"
	ln "$tree/bin/sh" "$tree/bin/busybox"
	printf '#!/bin/sh\n%s\n' "$2" > "$tree/init"
	chmod +x "$tree/init"
	(cd "$tree" && find . | cpio -o -H newc --quiet) > "$BATS_TEST_TMPDIR/$1.img"
	echo "$BATS_TEST_TMPDIR/$1.img"
}

# One that does nothing, for ever.
mute_initramfs()
{
	initramfs_of mute 'while :; do read -t 1000 x < /bin/sh; done'
}

# program_file SCRIPT: the name of a program
program_file()
{
	printf '#!/bin/sh\n%s\n' "$1" > "$BATS_TEST_TMPDIR/program"
	chmod +x "$BATS_TEST_TMPDIR/program"
	echo "$BATS_TEST_TMPDIR/program"
}

@test "without VMM, kernel or initramfs a start fails at once and says what is missing" {
	KVBOX_QEMU=/nonexistent try kvbox run --rm hello true
	expect 125 ''
	one_line /nonexistent
	KVBOX_KERNEL=/nonexistent try kvbox run --rm hello true
	expect 125 ''
	one_line /nonexistent
	KVBOX_INITRAMFS=/nonexistent try kvbox run --rm hello true
	expect 125 ''
	one_line /nonexistent
	[ -z "$(kvbox ps -aq)" ]
	kvbox create --name kept hello true
	KVBOX_KERNEL=/nonexistent try kvbox start kept
	expect_error 1 'Error: failed to start containers: kept'
	[ "$(kvbox ps -aq -f status=created | wc -l)" -eq 1 ]
	try kvbox start -a kept
	expect 0
}

@test "a VMM that is too old, broken, or of another architecture is named with what is wrong" {
	KVBOX_QEMU=$(program_file 'echo QEMU emulator version 5.2.0') try kvbox run --rm hello true
	expect 125 ''
	one_line "$BATS_TEST_TMPDIR/program' cannot be used: QEMU 5.2.0 is too old"
	KVBOX_QEMU=$(program_file 'exit 3') try kvbox run --rm hello true
	expect 125 ''
	one_line "$BATS_TEST_TMPDIR/program --version' ended with code 3"
	# an ELF file's head, of no machine there is
	printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\377\376\1\0\0\0' > "$BATS_TEST_TMPDIR/alien"
	chmod +x "$BATS_TEST_TMPDIR/alien"
	KVBOX_QEMU=$BATS_TEST_TMPDIR/alien try kvbox run --rm hello true
	expect 125 ''
	one_line "$BATS_TEST_TMPDIR/alien': Exec format error"
	[ -z "$(kvbox ps -aq)" ]
	expect_nothing_left
}

@test "a guest that resets or switches itself off while it boots is told, and not started again" {
	local what

	for what in 'reboot:the guest reset itself' 'poweroff:the virtual machine ended unexpectedly'; do
		KVBOX_INITRAMFS=$(initramfs_of "${what%%:*}" "exec busybox ${what%%:*} -f") \
			try kvbox run --name loop --restart always hello true
		expect 125 ''
		one_line "${what#*:}"
		[ "$(kvbox ps -aq -f status=created | wc -l)" -eq 1 ] || fail "it is not as it was before"
		kvbox rm loop
	done
	expect_nothing_left
}

@test "kill -9 of the VMM while it boots is told" {
	local i vmm

	with_store KVBOX_INITRAMFS="$(mute_initramfs)" "$BINARY" run --rm --name boots hello true \
		> "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" &
	wait_for eval '[ "$(state_of boots vmm_pid)" -gt 0 ]'
	vmm=$(state_of boots vmm_pid)
	kill -KILL "$vmm"
	code=0
	wait $! || code=$?
	out=$(cat "$BATS_TEST_TMPDIR/out") err=$(cat "$BATS_TEST_TMPDIR/err")
	expect 125 ''
	one_line 'the virtual machine ended unexpectedly (signal 9)'
	[ -z "$(kvbox ps -aq)" ]
	expect_nothing_left
}

@test "a VMM that stands still is killed when its container is stopped" {
	kvbox run -d --name stuck hello sleep 1000
	kill -STOP "$(state_of stuck vmm_pid)"
	try kvbox stop -t 0 stuck
	expect 0 stuck
	[ "$(kvbox ps -a --format '{{.State}}')" = exited ]
	kvbox rm stuck
	expect_nothing_left
}

@test "a run root whose path is too long for a socket, and what a crash has left in it, do not matter" {
	local deep id name

	deep=$STORE/$(printf '%0150d' 0)
	mkdir "$deep"
	mkfifo "$deep/fifo"
	STORE=$deep
	load_image hello
	id=$(kvbox create --name deep hello echo up)
	kvbox start -a deep
	for name in c a v v_1024; do
		cp -a "$deep/fifo" "$deep/run/${id:0:12}/$name"
	done
	try kvbox start -a deep
	expect 0 up
	kvbox rm -f deep
	expect_nothing_left
	STORE=${deep%/*}
}

@test "a guest that panics is told with its last words" {
	: > "$BATS_TEST_TMPDIR/empty"
	KVBOX_INITRAMFS=$BATS_TEST_TMPDIR/empty try kvbox run --rm hello true
	expect 125 ''
	one_line ''
	[[ $err == *panic* ]] || fail "no word of the panic"
	[ -z "$(kvbox ps -aq)" ]
	expect_nothing_left
}

@test "a guest that never answers is given up" {
	KVBOX_INITRAMFS=$(mute_initramfs) KVBOX_BOOT_TIMEOUT=4 try kvbox run --rm hello true
	expect 125 ''
	one_line 'did not answer within 4 seconds'
	[ -z "$(kvbox ps -aq)" ]
	expect_nothing_left
}

# interrupt PID: until it has ended, as somebody at a keyboard does. A signal that hits process 1 between its
# exec and its trap is lost, as with every PID 1; one that hits any other moment has to do.
interrupt()
{
	local i

	for ((i = 0; i < 10; i++)); do
		kill -INT "$1" 2> /dev/null || return 0
		# The first may have been lost. The next is not, and a third too soon would end kvbox alone.
		timeout $((i ? 60 : 3)) tail --pid "$1" -s 0.05 -f /dev/null || true
	done
}

@test "Ctrl-C at every step of run leaves nothing behind" {
	local delay

	for delay in 0.005 0.02 0.05 0.1 0.3 0.6 1 1.5; do
		with_store "$BINARY" run --rm hello sh -c 'trap "exit 130" INT; echo up; while :; do sleep 0.1; done' \
			> "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" &
		sleep "$delay"
		interrupt $!
		code=0
		wait $! || code=$?
		out=$(cat "$BATS_TEST_TMPDIR/out") err=$(cat "$BATS_TEST_TMPDIR/err")
		[ "$code" -eq 130 ] || fail "after $delay s"
		[ -n "$out" ] || [ -z "$err" ] || [ "$err" = "kvbox: interrupted" ] || fail "after $delay s"
		[ -z "$(kvbox ps -aq)" ] || fail "a container is left after $delay s"
	done
	expect_nothing_left
}

@test "kill -9 of the command at every step leaves nothing behind" {
	local delay

	for delay in 0.005 0.02 0.05 0.1 0.3 0.6 1; do
		with_store "$BINARY" run --rm hello true > /dev/null 2>&1 &
		sleep "$delay"
		kill -KILL $! || true
		wait $! || true
	done
	wait_for eval '[ -z "$(kvbox ps -aq)" ]'
	expect_nothing_left
}

# asked_to_finish TIMEOUT: a command that is stopped before its container ends with 7, and the monitor has come to
# asking it; $! is the command, descriptor 6 the monitor's log
asked_to_finish()
{
	local log

	# the last one's would be taken for this one's
	rm -f "$BATS_TEST_TMPDIR/out"
	KVBOX_DEBUG=1 KVBOX_FINISH_TIMEOUT=$1 with_store "$BINARY" run --rm --name asked hello \
		sh -c 'trap "exit 7" TERM; echo up; while :; do sleep 0.1; done' \
		> "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" &
	wait_for grep -q up "$BATS_TEST_TMPDIR/out"
	log=$(echo "$STORE"/root/containers/*/monitor.log)
	exec 6< "$log"
	kill -STOP $!
	kvbox kill -s TERM asked
	wait_for grep -q 'a client is asked to finish' /dev/fd/6
}

@test "a command that is killed or stopped when it is to bring the end into the store is done without" {
	asked_to_finish 100
	kill -KILL $!
	wait $! || true
	wait_for eval '[ -z "$(kvbox ps -aq)" ]'
	grep -q 'a program is started to finish' /dev/fd/6
	asked_to_finish 1
	wait_for eval '[ -z "$(kvbox ps -aq)" ]'
	# it comes late, and hears the exit code all the same
	kill -CONT $!
	code=0
	wait $! || code=$?
	[ "$code" -eq 7 ] || fail "exit code"
	exec 6<&-
	expect_nothing_left
}

@test "a container outlives the command that started it" {
	with_store "$BINARY" run --name on hello sh -c 'echo up; sleep 1000' > "$BATS_TEST_TMPDIR/out" &
	wait_for grep -q up "$BATS_TEST_TMPDIR/out"
	kill -KILL $!
	wait $! || true
	[ "$(kvbox exec on echo still)" = still ]
	[[ $(kvbox ps) == *"Up "* ]] || fail "ps"
}

@test "kill -9 of the monitor ends the container, and everybody sees it" {
	local monitor vmm

	with_store "$BINARY" run --name mon hello sh -c '[ -e /kept ] || echo up > /kept; sync; echo up; sleep 1000' \
		> "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" &
	wait_for grep -q up "$BATS_TEST_TMPDIR/out"
	monitor=$(state_of mon pid) vmm=$(state_of mon vmm_pid)
	kill -KILL "$monitor"
	code=0
	wait $! || code=$?
	[ "$code" -eq 125 ] || [ "$code" -eq 137 ] || fail "code $code"
	[ -s "$BATS_TEST_TMPDIR/err" ]
	wait_for eval "! kill -0 $vmm"
	[[ $(kvbox ps -a) == *"Exited (137)"* ]] || fail "ps"
	[ "$(kvbox wait mon)" = 137 ]
	try kvbox exec mon true
	expect_error 1 "is not running"
	kvbox start mon
	[ "$(kvbox exec mon cat /kept)" = up ]
	kvbox rm -f mon
	expect_nothing_left
}

@test "kill -9 of the VMM ends the container, and everybody sees it" {
	with_store "$BINARY" run --name vmm hello sh -c 'echo up; sleep 1000' \
		> "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" &
	wait_for grep -q up "$BATS_TEST_TMPDIR/out"
	kill -KILL "$(state_of vmm vmm_pid)"
	code=0
	wait $! || code=$?
	[ "$code" -ne 0 ] || fail "code $code"
	[ -s "$BATS_TEST_TMPDIR/err" ]
	[[ $(kvbox ps -a) == *"Exited ("* ]] || fail "ps"
	kvbox start vmm
	[ "$(kvbox exec vmm echo again)" = again ]
	kvbox rm -f vmm
	expect_nothing_left
}

@test "a monitor that was stopped is told, and rm -f removes it all the same" {
	local monitor

	kvbox run -d --name stuck hello sleep 1000
	monitor=$(state_of stuck pid)
	kill -STOP "$monitor"
	try kvbox exec stuck true
	expect_error 1 'does not answer'
	try kvbox rm -f stuck
	expect 0 stuck
	[ -z "$(kvbox ps -aq)" ]
	expect_nothing_left
}

@test "stop of a container that is being started waits for the start, and then stops" {
	local starter alive

	kvbox create --name slow hello sh -c 'while :; do sleep 0.1; done'
	alive=$STORE/run/$(kvbox ps -aqf name=slow)/alive
	# the monitor is alive, and for a second nobody can talk to it
	with_store strace -f -qq --seccomp-bpf -o /dev/null -e trace=bind -e inject=bind:delay_enter=1000000 \
		"$BINARY" start slow > /dev/null &
	starter=$!
	wait_for test -e "$alive"
	try kvbox stop -t 1 slow
	expect 0 slow
	[ -z "$(kvbox ps -q)" ] || fail "it runs still"
	wait "$starter" || true
}

@test "of two that remove a container at a time one does, and the other is told so" {
	local first second pid=$BATS_TEST_TMPDIR/pid

	kvbox create --name twice hello true
	# the first one has decided, and is stopped at its first file
	# shellcheck disable=SC2016 # for the other shell
	with_store strace -qq -o /dev/null -e trace=unlinkat -e inject=unlinkat:signal=STOP:when=1 \
		sh -c 'echo $$ > "$1"; exec "$2" rm twice' sh "$pid" "$BINARY" > /dev/null &
	first=$!
	wait_for eval '[ "$(kvbox ps -a --format "{{.State}}")" = removing ]'
	# the second has found it, and waits for the first one's lock
	with_store "$BINARY" rm twice > "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" &
	second=$!
	wait_for eval '[ -n "$(find "/proc/$second/fd" -lname "$STORE/run/*/op")" ]'
	kill -CONT "$(cat "$pid")"
	code=0
	wait "$second" || code=$?
	out=$(cat "$BATS_TEST_TMPDIR/out") err=$(cat "$BATS_TEST_TMPDIR/err")
	expect_error 1 'Error response from daemon: removal of container twice is already in progress'
	wait "$first"
	[ -z "$(kvbox ps -aq)" ]
}

# Runs on a file system of its own, which its arguments fill: ROOT KVBOX ARCHIVE.
full_disk()
{
	set -e
	mount -t tmpfs -o size=160m none "$1"
	export KVBOX_ROOT=$1/root KVBOX_RUNROOT=$1/run
	"$2" load -q -i "$3"
	"$2" run -d --name runs hello sh -c 'trap "exit 3" TERM; echo up; while :; do echo x >> /x; sleep 0.1; done'
	until [ "$("$2" logs runs)" = up ]; do sleep 0.1; done
	cat /dev/zero > "$KVBOX_ROOT/filler" 2> /dev/null || true
	"$2" stop -t 60 runs
	"$2" inspect -f '{{.State.Status}} {{.State.ExitCode}}' runs
	cat /dev/zero > "$KVBOX_ROOT/filler2" 2> /dev/null || true
	"$2" rm runs
	cat /dev/zero > "$KVBOX_ROOT/filler3" 2> /dev/null || true
	"$2" rmi hello > /dev/null
	rm "$KVBOX_ROOT"/filler*
	[ -z "$("$2" ps -aq)$("$2" images -q)" ]
	"$2" load -q -i "$3"
}

@test "on a full disk containers end, and they and images are removed" {
	[ "$(id -u)" -eq 0 ] || skip "mounts need root"
	mkdir "$BATS_TEST_TMPDIR/disk"
	try timeout -k 5 "$LIMIT" unshare -m bash -c "$(declare -f full_disk); full_disk \"\$@\"" full_disk \
		"$BATS_TEST_TMPDIR/disk" "$BINARY" "$(image_file hello)"
	expect 0
	[ "$(sed -n 3,5p "$BATS_TEST_TMPDIR/out")" = $'runs\nexited 3\nruns' ] || fail "what they said"
}
