#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load helpers

@test "a container is renamed, paused, unpaused and restarted" {
	local id

	id=$(kvbox run -d --name web hello sh -c 'echo run; trap "exit 5" TERM; while :; do sleep 0.1; done')
	kvbox create --name other hello true > "$BATS_TEST_TMPDIR/other"
	try kvbox rename web other
	expect_error 1 "Error response from daemon: Error when allocating new name: Conflict. The container name \"/other\" is already in use by container \"$(cat "$BATS_TEST_TMPDIR/other")\". You have to remove (or rename) that container to be able to reuse that name."
	[[ $err == *"
Error: failed to rename container named web" ]] || fail "second line"
	try kvbox rename web ' '
	expect_error 1 "Error: Neither old nor new names may be empty"
	try kvbox rename web web
	expect_error 1 "Renaming a container with the same name as its current name"
	try kvbox container rename "${id:0:8}" app
	expect 0 ''
	[ "$(kvbox ps --format '{{.Names}}')" = app ]
	try kvbox pause web app
	expect 1 app
	[ "$err" = "Error response from daemon: No such container: web" ] || fail "stderr"
	[[ $(kvbox ps) == *"(Paused)"* ]] || fail "status"
	try kvbox pause app
	expect_error 1 "Container $id is already paused"
	try kvbox exec app true
	expect_error 1 "is paused, unpause the container before exec"
	try kvbox attach app
	expect_error 1 "You cannot attach to a paused container, unpause it first"
	try kvbox start app
	expect_error 1 "cannot start a paused container, try unpause instead"
	[[ $(kvbox top app) == *"sleep 0.1"* ]] || fail "top"
	try kvbox container unpause app
	expect 0 app
	try kvbox unpause app
	expect_error 1 "Container $id is not paused"
	[ "$(kvbox exec app echo alive)" = alive ]
	try kvbox pause other
	expect_error 1 "container $(cat "$BATS_TEST_TMPDIR/other") is not running"
	# stopped ones are started
	kvbox exec app touch /kept
	try kvbox restart -t 20 app nosuch other
	expect 1 "app
other"
	[ "$err" = "Error response from daemon: No such container: nosuch" ] || fail "stderr"
	kvbox exec app test -e /kept
	[ "$(kvbox wait other)" = 0 ]
	wait_for eval '[ "$(kvbox logs app)" = "run
run" ]'
	[ "$(kvbox inspect -f '{{.RestartCount}} {{.State.Running}} {{.Name}}' app)" = "0 true /app" ]
	[[ $(kvbox events --since 10m --until 0s -f container=app --format '{{.Action}}') == *"pause
unpause"*"die
stop
start
restart"* ]] || fail "events"
	# what is paused can be killed
	kvbox pause app
	try kvbox kill app
	expect 0 app
	[ "$(kvbox wait app)" = 137 ]
	kvbox start app
	try kvbox container stop --time=0 app nosuch other
	expect 1 "app
other"
	[ "$(kvbox inspect -f '{{.State.ExitCode}}' app)" = 137 ]
	try kvbox rm -fv app /other
	expect 0 "app
/other"
}

@test "attach: several clients, one that stalls, signals, and the container's exit code" {
	local tmp=$BATS_TEST_TMPDIR pids=() i

	kvbox run -d -i --name echo hello \
		sh -c 'trap "echo hup >&2" HUP; while :; do read -r line || continue; echo "got $line"; [ "$line" != end ] || exit 6; done'
	for i in 1 2; do
		mkfifo "$tmp/in$i"
		with_store "$BINARY" attach echo < "$tmp/in$i" > "$tmp/out$i" 2> "$tmp/err$i" &
		pids+=($!)
	done
	exec 5> "$tmp/in1" 6> "$tmp/in2"
	with_store "$BINARY" attach --no-stdin --sig-proxy=false echo > "$tmp/out3" &
	pids+=($!)
	wait_for eval '[ "$(grep -c "\"action\":\"attach\"" "$STORE/root/events.log")" -eq 3 ]'
	echo one >&5
	wait_for grep -q 'got one' "$tmp/out2"
	wait_for grep -q 'got one' "$tmp/out3"
	# this one does not read any more, which is nobody else's trouble
	kill -STOP "${pids[1]}"
	echo two >&5
	wait_for grep -q 'got two' "$tmp/out1"
	kill -CONT "${pids[1]}"
	# a signal goes to the process, and with --sig-proxy=false to kvbox
	kill -HUP "${pids[0]}"
	wait_for grep -q hup "$tmp/err1"
	kill -TERM "${pids[2]}"
	code=0
	wait "${pids[2]}" || code=$?
	[ "$code" -eq 143 ]
	# the end of one client's input is not the end of the process's
	exec 5>&-
	echo three >&6
	wait_for grep -q 'got three' "$tmp/out1"
	echo end >&6
	exec 6>&-
	for i in 0 1; do
		code=0
		wait "${pids[i]}" || code=$?
		[ "$code" -eq 6 ] || fail "client $i"
		[ "$(cat "$tmp/out$((i + 1))")" = "got one
got two
got three
got end" ]
	done
	try kvbox attach echo
	expect_error 1 "You cannot attach to a stopped container, start it first"
	try kvbox container attach nosuch
	expect_error 1 "Error response from daemon: No such container: nosuch"
}

@test "top and stats tell what runs and what it uses" {
	kvbox run -d --name web -m 100m hello sh -c 'sleep 1000 & while :; do :; done'
	kvbox create --name idle hello true
	# the shell has started it
	wait_for kvbox exec web pidof sleep
	try kvbox top web
	expect 0
	[[ ${out%%$'\n'*} =~ ^"UID "\ *"PID "\ *"PPID "\ *"C "\ *"STIME "\ *"TTY "\ *"TIME "\ *CMD$ ]] || fail "titles"
	[[ $out =~ $'\n'root\ +1\ +0\ .*\ "sh -c sleep" ]] || fail "process 1"
	try kvbox top web -eo pid,comm
	expect 0
	[[ $out == *"sleep"* && ${out%%$'\n'*} == "PID                 COMMAND" ]] || fail "columns"
	[ "$(kvbox top web -C sleep -o pid,ppid,user=WHO | tail -n +2 | tr -s ' ')" = "$(kvbox exec web pidof sleep) 1 root" ]
	[[ $(kvbox container top web aux --sort=-pid) == "USER "*"%CPU "* ]] || fail "aux"
	try kvbox top web -eo comm
	expect_error 1 "Error response from daemon: Couldn't find PID field in ps output"
	try kvbox top web -eo pid,nosuch
	expect_error 1 'unknown user-defined format specifier "nosuch"'
	try kvbox top idle
	expect 1 ''
	[[ $err == *"is not running" ]] || fail "words"
	try kvbox stats --no-stream -a --format '{{.Container}} {{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}'
	expect 0
	[[ $out =~ [0-9a-f]{12}\ idle\ 0\.00%\ 0B\ /\ 0B\ 0 ]] || fail "a container that does not run"
	[[ $out =~ [0-9a-f]{12}\ web\ ([0-9.]+)%\ [0-9.]+[KM]iB\ /\ 100MiB\ 2 ]] || fail "the one that runs"
	[ "${BASH_REMATCH[1]%.*}" -gt 5 ] || fail "a busy loop uses processor"
	try kvbox stats --no-stream web
	expect 0
	[[ $out == "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT"*"MEM %     NET I/O   BLOCK I/O"*PIDS$'\n'* ]] || fail "table"
	try kvbox container stats --no-stream --format json --no-trunc web
	[[ $out == '{"BlockIO":"'*'","ID":"'*'","Name":"web","NetIO":"0B / 0B","PIDs":"2"}' ]] || fail "json"
	try kvbox stats --no-stream web nosuch
	expect_error 1 "Error response from daemon: No such container: nosuch"
	# a stream goes on, and container after container comes and goes
	with_store timeout 300 "$BINARY" stats --format '{{.Name}}' > "$BATS_TEST_TMPDIR/stream" &
	wait_for grep -q web "$BATS_TEST_TMPDIR/stream"
	kvbox start idle
	kvbox kill web
	# an empty screen, once a second
	wait_for eval 'tail -n 1 "$BATS_TEST_TMPDIR/stream" | tr -d "\033" | grep -qxE "(\[H\[J)+"'
	kill $!
}

@test "top shows all processes, however many there are and however long their command lines" {
	# shellcheck disable=SC2016 # for the container's shell
	kvbox run -d --name many hello sh -c 'x=$(head -c 4000 /dev/zero | tr "\0" x); i=0
		while [ $i -lt 80 ]; do sh -c "sleep 1000; : $x" & i=$((i + 1)); done; wait'
	wait_for eval '[ "$(kvbox exec many pidof sleep | wc -w)" -eq 80 ]'
	try kvbox top many -eo pid,comm
	expect 0
	[ "$(wc -l <<< "$out")" -eq 162 ] && [ -z "$err" ] || fail "not all of 161 and the titles"
	kvbox rm -f many
}

@test "what is attached is what -a says, and logs --details what --log-opt says" {
	try kvbox run -a stdout --name out hello sh -c 'echo out; echo err >&2'
	expect 0 out
	[ -z "$err" ] || fail "stderr"
	[ "$(kvbox logs out 2>&1)" = "out
err" ]
	try kvbox run --rm -a stderr hello sh -c 'echo out; echo err >&2; exit 3'
	expect 3 ''
	[ "$err" = err ] || fail "stderr"
	# without output run ends with its input, having told the id
	try kvbox run -a stdin -i --name fed -l team=a/b -e COLOR=red --log-opt labels=team,none \
		--log-opt env=COLOR hello sh -c 'cat; echo done' <<< 'some input'
	expect 0
	[[ $out =~ ^[0-9a-f]{64}$ ]] || fail "id"
	[ "$(kvbox wait fed)" = 0 ]
	[ "$(kvbox logs fed)" = "some input
done" ]
	[ "$(kvbox logs --details -n 1 fed)" = "COLOR=red,team=a%2Fb done" ]
	[[ $(kvbox logs --details -t -n 1 fed) =~ Z\ COLOR=red,team=a%2Fb\ done$ ]] || fail "stamped"
	[ "$(kvbox logs --details -n 1 out 2> /dev/null)" = "" ]
	[ "$(kvbox logs --details out 2> /dev/null)" = " out" ]
	try kvbox rm -l out
	expect_error 1 "cannot remove the default link name of the container"
	try kvbox rm -f nosuch out
	expect 0 out
	[ "$err" = "Error response from daemon: No such container: nosuch" ] || fail "stderr"
}
