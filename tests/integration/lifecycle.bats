#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load helpers

@test "a container is created, started, stopped, started again with its disk intact, and removed" {
	local id

	id=$(kvbox create --name web hello sh -c 'trap "exit 5" TERM; cat /kept 2> /dev/null; echo kept > /kept; while :; do sleep 0.1; done')
	inspect_has web '"Status": "created"'
	inspect_has web '"StartedAt": "0001-01-01T00:00:00Z"'
	[ "$(kvbox start web)" = web ]
	inspect_has web '"Status": "running"'
	inspect_has web '"Running": true'
	[ "$(kvbox start web)" = web ]
	wait_for kvbox exec web test -e /kept
	[ "$(kvbox stop web)" = web ]
	inspect_has web '"Status": "exited"'
	inspect_has web '"ExitCode": 5'
	[ "$(kvbox wait web)" = 5 ]
	[ "$(kvbox stop web)" = web ]
	[[ $(kvbox ps -a) == *"Exited (5) "*" ago"* ]] || fail "status"
	[ -z "$(kvbox ps -q)" ]
	[ "$(kvbox start "${id:0:10}")" = "${id:0:10}" ]
	wait_for eval '[ "$(kvbox logs web)" = kept ]'
	try kvbox kill web
	expect 0 web
	inspect_has web '"ExitCode": 137'
	try kvbox kill web
	expect_error 1 "cannot kill container: web: container $id is not running"
	[ "$(kvbox rm web)" = web ]
	try kvbox rm web
	expect_error 1 "No such container: web"
}

@test "stop sends the container's signal, and kills after its time" {
	kvbox run -d --name deaf hello sh -c 'trap "" TERM; sleep 1000 & wait; while :; do wait; done'
	try kvbox stop -t 1 deaf
	expect 0 deaf
	inspect_has deaf '"ExitCode": 137'
	kvbox run -d --name quit --stop-signal QUIT --stop-timeout 30 hello \
		sh -c 'trap "exit 9" QUIT; trap "exit 8" HUP; echo ready; while :; do sleep 0.1; done'
	wait_for eval '[ "$(kvbox logs quit)" = ready ]'
	try kvbox stop quit
	expect 0 quit
	[ "$(kvbox wait quit)" = 9 ]
	kvbox start quit
	wait_for eval '[ "$(kvbox logs --tail 1 quit; kvbox logs quit | wc -l)" = "ready
2" ]'
	try kvbox kill -s HUP quit
	expect 0 quit
	[ "$(kvbox wait quit)" = 8 ]
	try kvbox kill -s NOSUCH quit
	expect_error 1 "invalid signal: NOSUCH"
}

@test "start -a gives output and exit code, start -ai a shell that is driven from outside" {
	kvbox create --name att hello sh -c 'echo out; echo err >&2; exit 4'
	try kvbox start -a att
	expect 4 out
	[ "$err" = err ] || fail "stderr"
	kvbox create -i --name shell hello sh
	try kvbox start -ai shell <<< 'echo $((6 * 7)); exit 3'
	expect 3 42
	try kvbox start -a att shell
	expect_error 1 "you cannot start and attach multiple containers at once"
	try kvbox start nosuch att
	expect 1 att
	[[ $err == *"No such container: nosuch"*"failed to start containers: nosuch"* ]] || fail "words"
	[ "$(kvbox wait att)" = 4 ]
}

@test "wait waits, several containers at a time are stopped and removed" {
	local ids since

	kvbox run -d --name a1 hello sleep 1000
	kvbox run -d --name a2 hello sleep 1000
	kvbox wait a1 > "$BATS_TEST_TMPDIR/waited" &
	kvbox kill a1
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/waited")" = 137 ]
	# Both are given their four seconds at the same time: each is asked before one ends.
	kvbox start a1
	since=$(date +%s.%N)
	try kvbox stop -t 4 a2 nosuch a1
	expect 1 "a2
a1"
	[ "$(kvbox events --since "$since" --until 0s -f event=kill -f event=die \
		--format '{{.Action}} {{.Actor.Attributes.name}}' | head -n 2 | sort)" = "kill a1
kill a2" ] || fail "stopped one after the other"
	ids=$(kvbox ps -aq)
	# shellcheck disable=SC2086 # words
	[ "$(kvbox rm -f $ids)" = "$ids" ]
	[ -z "$(kvbox ps -aq)" ]
}

@test "a container with --rm goes however it ends" {
	kvbox run -d --rm --name gone hello sh -c 'exit 0'
	wait_for eval '[ -z "$(kvbox ps -aq)" ]'
	kvbox run -d --rm --name gone hello sleep 1000
	kvbox kill gone
	wait_for eval '[ -z "$(kvbox ps -aq)" ]'
	kvbox run -d --rm --name gone hello sleep 1000
	[ "$(kvbox rm -f gone)" = gone ]
	expect_nothing_left
}
