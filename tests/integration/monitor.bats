#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What the monitor does while a container runs: restarts, health checks, pause, several clients.

load helpers

# status_is CONTAINER PATTERN; quoted as for case, in which brackets are no operators
status_is()
{
	local status

	status=$(kvbox ps -a --format '{{.Status}}' -f "name=^$1\$")
	# shellcheck disable=SC2254 # it is a pattern
	case $status in
	$2) ;;
	*) return 1 ;;
	esac
}

lines()
{
	kvbox logs "$1" | wc -l
}

has_more_lines()
{
	[ "$(lines "$1")" -gt "$2" ]
}

member()
{
	kvbox inspect -f "{{$2}}" "$1"
}

@test "a failure is repeated in a new VM, with the same disk and log" {
	kvbox run -d --name again --restart on-failure:2 hello sh -c \
		'cat /proc/sys/kernel/random/boot_id >> /ids; echo run $(wc -l < /ids) $(sort -u /ids | wc -l); exit 3'
	wait_for status_is again 'Exited (3)*'
	[ "$(kvbox logs again)" = $'run 1 1\nrun 2 2\nrun 3 3' ]
	[ "$(member again '.RestartCount')" = 2 ]
	[ "$(member again '.State.Restarting')" = false ]
	# a start by hand counts anew
	kvbox start again
	wait_for status_is again 'Exited (3)*'
	[ "$(kvbox logs -n 1 again)" = 'run 6 6' ]
	[ "$(member again '.RestartCount')" = 2 ]
}

# Between two runs of it a container is refused commands; how long that lasts doubles with each run.
refused_as_restarting()
{
	try kvbox exec "$1" true
	[[ $code -eq 1 && $err == *'is restarting, wait until the container is running'* ]]
}

@test "stop, kill and rm end a container that is always restarted" {
	local order name

	for order in stop kill 'rm -f'; do
		name=${order%% *}
		kvbox run -d --name "$name" --restart always hello sh -c 'echo run; exit 1'
		# from here on there is time enough to end it before the next run
		wait_for has_more_lines "$name" 4
		wait_for refused_as_restarting "$name"
		status_is "$name" 'Restarting (1)*'
		# shellcheck disable=SC2086 # two words
		try kvbox $order "$name"
		expect 0 "$name"
	done
	status_is stop 'Exited (1)*'
	wait_for status_is kill 'Exited (1)*'
	try kvbox inspect rm
	expect 1
	# killed by hand while it runs: not started again
	kvbox run -d --name killed --restart always hello sleep 1000
	kvbox kill killed
	wait_for status_is killed 'Exited (137)*'
	[ "$(member killed '.RestartCount')" = 0 ]
}

@test "a container becomes healthy, and unhealthy when its check fails" {
	kvbox run -d --name web --health-cmd 'cat /ok' --health-interval 1s --health-retries 1 \
		--health-start-period 1h --health-start-interval 1s hello sleep 1000
	status_is web 'Up *[(]health: starting)'
	# a failure does not count yet
	wait_for eval '[ "$(member web "(index .State.Health.Log 0).ExitCode")" = 1 ]'
	status_is web 'Up *[(]health: starting)'
	kvbox exec web sh -c 'echo fine > /ok'
	wait_for status_is web 'Up *[(]healthy)'
	kvbox exec web rm /ok
	wait_for status_is web 'Up *[(]unhealthy)'
	[ "$(member web '.State.Health.FailingStreak')" -ge 1 ]
	[ "$(grep -c '"action":"health_status: ' "$STORE/root/events.log")" = 2 ]
}

# stands_still CONTAINER: it writes nothing for as long as it writes 15 lines otherwise
stands_still()
{
	local before

	before=$(lines "$1")
	sleep 1.5
	[ "$(lines "$1")" = "$before" ]
}

@test "a paused guest stands still, and its clock is right afterwards" {
	local before host guest

	kvbox run -d --name web hello sh -c 'while :; do echo tick; sleep 0.1; done'
	wait_for has_more_lines web 0
	try kvbox pause web
	expect 0 web
	status_is web 'Up *[(]Paused)'
	[ "$(member web '.State.Paused')" = true ]
	# what it wrote last may be on its way yet
	wait_for stands_still web
	before=$(lines web)
	try kvbox pause web
	expect_error 1 'is already paused'
	try kvbox exec web true
	expect_error 1 'is paused, unpause the container before exec'
	try kvbox rm web
	expect_error 1 'container is paused and must be unpaused first'
	kvbox top web | grep -q sleep
	try kvbox unpause web
	expect 0 web
	status_is web 'Up *' && ! status_is web '*Paused*'
	# asked in this order: the guest's is the later time
	host=$(date +%s)
	guest=$(kvbox exec web date +%s)
	[ $((host - guest)) -le 1 ] || fail "the guest's clock is $((host - guest)) seconds behind"
	wait_for has_more_lines web "$before"
	kvbox pause web
	try kvbox stop -t 0 web
	expect 0 web
	status_is web 'Exited (137)*'
}

@test "two clients are attached, and one of them reads nothing" {
	local stalled code=0 expected

	kvbox run -d --name web -i hello sh -c \
		'read x; dd if=/dev/zero bs=1M count=24 2> /dev/null | tr "\0" "$x"; exit 4'
	mkfifo "$BATS_TEST_TMPDIR/unread" "$BATS_TEST_TMPDIR/typed"
	exec 7<> "$BATS_TEST_TMPDIR/typed" 8<> "$BATS_TEST_TMPDIR/unread"
	(with_store "$BINARY" attach --no-stdin web) 7>&- 8>&- > "$BATS_TEST_TMPDIR/unread" &
	stalled=$!
	wait_for grep -q '"action":"attach"' "$STORE/root/events.log"
	expected=$(head -c $((24 << 20)) /dev/zero | tr '\0' y | sha256sum)
	echo y >&7
	kvbox attach web <&7 7>&- 8>&- > "$BATS_TEST_TMPDIR/read" || code=$?
	[ "$code" = 4 ]
	[ "$(sha256sum < "$BATS_TEST_TMPDIR/read")" = "$expected" ]
	# What the other one has not read waits for it, to the last byte, and so does the exit code.
	[ "$(head -c $((24 << 20)) <&8 | sha256sum)" = "$expected" ]
	code=0
	wait "$stalled" || code=$?
	exec 7>&- 8>&-
	[ "$code" = 4 ]
}

@test "a container of --rm keeps its disk when it is restarted" {
	kvbox run -d --rm --name web hello sh -c 'echo run >> /runs; sleep 1000'
	wait_for kvbox exec web test -s /runs
	try kvbox restart -t 1 web
	expect 0 web
	wait_for eval '[ "$(kvbox exec web grep -c run /runs)" = 2 ]'
	kvbox stop -t 1 web
	[ -z "$(kvbox ps -aq)" ]
}

@test "a restart that is killed leaves no container of --rm behind" {
	local restarter

	kvbox run -d --rm --name web hello sh -c 'trap "" TERM; echo up; until [ -e /go ]; do sleep 0.1; done'
	wait_for eval '[ "$(kvbox logs web)" = up ]'
	with_store "$BINARY" restart -t 600 web > /dev/null 2>&1 &
	restarter=$!
	wait_for eval 'kvbox events --since 0 --until 0s -f event=kill --format "{{.Action}}" | grep -q kill'
	kill -KILL "$restarter"
	wait "$restarter" || true
	# in the background: who waits for it is cut off by the end of the container
	kvbox exec -d web touch /go
	# it ends as it was told, and is not kept for anybody
	wait_for eval '[ -z "$(kvbox ps -aq)" ]'
	expect_nothing_left
}

@test "logs -f ends with the run of a container that is restarted" {
	kvbox run -d --name again --restart always hello sh -c 'echo begins; sleep 2; echo ends; exit 3'
	try kvbox logs -f again
	expect 0
	[ "$(tail -n 1 <<< "$out")" = ends ] || fail "the run's last line"
	kvbox rm -f again
}
