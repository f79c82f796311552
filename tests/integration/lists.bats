#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What there is and what happened: ps, images, history, events, prune, version, info.

load helpers

@test "the life of a container: what ps says of it, and its events" {
	local id since

	since=$(date +%s.%N)
	id=$(kvbox run -d --name web -l app=x hello sleep 1000)
	[ "$(kvbox ps -aq --no-trunc --filter label=app)" = "$id" ]
	try kvbox ps --filter 'name=^/?web$' --format '{{.ID}} {{.Status}}'
	[[ $out =~ ^${id:0:12}\ Up\ (Less\ than\ a\ second|[0-9]+\ seconds?|About\ a\ minute)$ ]] || fail "status"
	[ "$(kvbox ps -q --no-trunc --filter status=running --filter id="$id")" = "$id" ]
	[ "$(kvbox ps -q --filter status=exited --filter id="$id")" = '' ]
	[ "$(kvbox ps -q --filter ancestor=hello --filter network=none --filter health=none)" = "${id:0:12}" ]
	[ -z "$(kvbox ps -aq --filter network=bridge)" ]
	[ -z "$(kvbox ps -aq --filter volume=x)" ]
	[ -z "$(kvbox ps -aq --filter publish=80)" ]
	[ -z "$(kvbox ps -aq --filter is-task=true)" ]

	# what it writes is what it takes on the disk of the host
	kvbox exec web dd if=/dev/urandom of=/big bs=1M count=8 2> /dev/null
	kvbox exec web sync
	try kvbox ps -s --format '{{.Size}}'
	[[ $out =~ ^(8|9|1[0-9])(\.[0-9]+)?MB\ \(virtual\ [0-9.]+MB\)$ ]] || fail "size"
	[ "$(kvbox ps --format '{{json .}}' | grep -o '"Size":"[^"]*"')" = '"Size":"0B"' ]

	kvbox pause web
	[ "$(kvbox ps --filter status=paused -q)" = "${id:0:12}" ]
	[[ $(kvbox ps --format '{{.State}} {{.Status}}') == "paused Up "*" (Paused)" ]] || fail "paused"
	kvbox unpause web

	# nothing of it can be pruned
	[ "$(kvbox container prune -f)" = "Total reclaimed space: 0B" ]
	[ "$(kvbox image prune -af)" = "Total reclaimed space: 0B" ]

	kvbox stop -t 0 web
	[[ $(kvbox ps -a --format '{{.Status}}') =~ ^Exited\ \(137\)\ .*\ ago$ ]] || fail "exited"
	[ "$(kvbox ps -aq -f exited=137)" = "${id:0:12}" ]
	[ -z "$(kvbox ps -aq -f exited=0)" ]
	[ -z "$(kvbox ps -q)" ]
	try kvbox container prune -f --filter label=app=y
	expect 0 "Total reclaimed space: 0B"
	try kvbox container prune -f --filter label!=app
	expect 0 "Total reclaimed space: 0B"
	try kvbox container prune -f --filter until=24h
	expect 0 "Total reclaimed space: 0B"
	try kvbox container prune -f
	expect 0
	[[ $out == "Deleted Containers:
$id

Total reclaimed space: "[1-9]*MB ]] || fail "prune"

	try kvbox events --since "$since" --until 0s --filter container=web --format '{{.Type}} {{.Action}} {{.Actor.Attributes.app}}'
	expect 0
	for word in create start pause unpause kill die stop destroy; do
		grep -qx "container $word x" <<< "$out" || fail "no event $word"
	done
	[ "$(head -n 1 <<< "$out")" = "container create x" ]
	[ "$(tail -n 1 <<< "$out")" = "container destroy x" ]
	[ "$(kvbox events --since "$since" --until 0s --filter event=die --format '{{.Actor.Attributes.exitCode}}')" = 137 ]
}

@test "events are followed while they happen" {
	local line file=$BATS_TEST_TMPDIR/events follower i

	with_store "$BINARY" events --filter type=container --format '{{.Action}} {{.Actor.Attributes.name}}' \
		>> "$file" 3>&- &
	follower=$!
	# one that it sees tells that it watches
	for ((i = 0; i < 1000; i++)); do
		kvbox create --name "probe$i" hello > /dev/null
		! grep -q '^create probe' "$file" || break
	done
	kvbox create --name web hello > /dev/null
	kvbox tag hello not-shown
	kvbox rm web > /dev/null
	wait_for grep -q '^destroy web$' "$file"
	kill "$follower"
	wait "$follower" || true
	[ "$(tail -n 2 "$file")" = "create web
destroy web" ] || fail "events: $(cat "$file")"
	run ! grep -q tag "$file"

	# one that ends by itself
	try kvbox events --until "$(($(date +%s) + 1))" --filter event=nosuch
	expect 0 ''
	line=$(kvbox events --since 1h --until 0s --filter event=destroy)
	[[ $line =~ ^20[0-9-]{8}T[0-9:]{8}\.[0-9]{9}(Z|[+-][0-9:]{5})\ container\ destroy\ [0-9a-f]{64}\ \(image=hello,\ name=web\)$ ]] || fail "line: $line"
	line=$(kvbox events --since 1h --until 0s --filter event=destroy --format json)
	[[ $line =~ ^\{\"status\":\"destroy\",\"id\":\"[0-9a-f]{64}\",\"from\":\"hello\",\"Type\":\"container\",\"Action\":\"destroy\",\"Actor\":\{\"ID\":\"[0-9a-f]{64}\",\"Attributes\":\{\"image\":\"hello\",\"name\":\"web\"\}\},\"scope\":\"local\",\"time\":[0-9]{10},\"timeNano\":[0-9]{19}\}$ ]] || fail "json: $line"
}

@test "events refuse what makes no sense" {
	try kvbox events --format '{{.Action'
	expect_error 64 'Error parsing format: template: :1: unclosed action'
	try kvbox events --since nonsense
	expect_error 1 'failed to parse value as time or duration: "nonsense"'
	try kvbox events --since 0s --until 1h
	# shellcheck disable=SC2016 # not for the shell
	expect_error 1 'Error response from daemon: `since` time ('
	try kvbox events --until 0s --filter nosuch=x
	expect_error 1 "invalid filter 'nosuch'"
	try kvbox events --until 0s --filter x
	expect_error 125 'bad format of filter (expected name=value)'
	try kvbox system events --since 2h --until 1h
	expect 0 ''
}

@test "a prune asks first, and anything but a yes is a no" {
	local id

	id=$(kvbox create hello)
	try kvbox container prune <<< n
	expect 0 'WARNING! This will remove all stopped containers.
Are you sure you want to continue? [y/N] '
	try kvbox container prune < /dev/null
	[ "$(kvbox ps -aq --no-trunc)" = "$id" ]
	try kvbox container prune <<< Y
	expect 0 'WARNING! This will remove all stopped containers.
Are you sure you want to continue? [y/N] Deleted Containers:
'"$id"'

Total reclaimed space: 0B'
	try kvbox image prune <<< y
	expect 0 'WARNING! This will remove all dangling images.
Are you sure you want to continue? [y/N] Total reclaimed space: 0B'
	[ -n "$(kvbox images -q)" ]
	try kvbox image prune -a <<< no
	[[ $out == 'WARNING! This will remove all images without at least one container associated to them.'* ]]
	[ -n "$(kvbox images -q)" ]
}

@test "image prune takes what no container and no name needs" {
	local id layer

	id=$(kvbox images -q --no-trunc)
	layer=$(kvbox inspect -f '{{index .RootFS.Layers 0}}' hello)
	kvbox tag hello other:1
	kvbox create --name user hello > /dev/null
	try kvbox image prune -af
	expect 0 "Total reclaimed space: 0B"
	kvbox rm user
	try kvbox image prune -af --filter label=x
	expect 0 "Total reclaimed space: 0B"
	try kvbox image prune -f
	expect 0 "Total reclaimed space: 0B"
	try kvbox image prune --filter dangling=maybe -f
	expect_error 1 "invalid filter 'dangling=[maybe]'"
	try kvbox image prune -f --filter until=1h --filter until=2h
	expect_error 1 "more than one until filter specified"
	try kvbox image prune --all --force
	[[ $out == "Deleted Images:
untagged: hello:latest
untagged: other:1
deleted: $id
deleted: $layer

Total reclaimed space: "[1-9]*MB ]] || fail "prune"
	try kvbox images -q
	expect 0 ''
	try kvbox events --since 1h --until 0s --filter type=image --format '{{.Action}} {{.Actor.Attributes.name}}'
	expect 0 "load $id
tag other:1
untag $id
untag $id
delete $id"
}

@test "images are found by name, pattern, label and age" {
	local id

	load_image labelled '{"Cmd":["/bin/sh"],"Labels":{"tier":"back"}}'
	kvbox tag hello localhost:5000/a/b:3
	id=$(kvbox images -q --no-trunc labelled)
	[ "$(kvbox images -q --no-trunc --filter label=tier)" = "$id" ]
	[ "$(kvbox images -q --no-trunc --filter label=tier=back --filter dangling=false)" = "$id" ]
	[ -z "$(kvbox images -q --filter label=tier=front)" ]
	[ -z "$(kvbox images -q --filter dangling=true)" ]
	[ -z "$(kvbox images -q nosuch)" ]
	[ "$(kvbox images --format '{{.Repository}}:{{.Tag}}' 'labe*')" = labelled:latest ]
	[ "$(kvbox images --format '{{.Repository}}:{{.Tag}}' --filter 'reference=*/*/b')" = localhost:5000/a/b:3 ]
	[ "$(kvbox images --format '{{.Repository}}' docker.io/library/hello:latest)" = hello ]
	# the images say that they are of 2023
	[ -z "$(kvbox images -q --filter until=2023-01-01)" ]
	[ "$(kvbox images -q --filter until=24h | wc -l)" -eq 3 ]
	try kvbox images --filter before=nosuch
	expect_error 1 'No such image: nosuch:latest'
	try kvbox images --filter nosuch=x
	expect_error 1 "invalid filter 'nosuch'"
	# probes by exit code, and the first that is there
	kvbox image inspect hello > /dev/null 2>&1
	run ! kvbox image inspect nosuch
	try kvbox rmi --no-prune labelled nosuch localhost:5000/a/b:3
	[ "$code" -eq 1 ]
	[[ $out == "Untagged: labelled:latest"*"Untagged: localhost:5000/a/b:3" ]] || fail "rmi"
	[[ $err == "Error response from daemon: No such image: nosuch:latest" ]] || fail "rmi"
}

@test "ps shows the name of an image as long as it is that image's, then its id" {
	local id

	load_image other '{"Cmd":["/bin/true"]}'
	id=$(kvbox images -q --no-trunc hello)
	kvbox tag hello mine
	kvbox create --name aa mine > "$BATS_TEST_TMPDIR/id"
	kvbox create --name bb hello:latest > "$BATS_TEST_TMPDIR/id"
	[ "$(kvbox ps -a --format '{{.Names}} {{.Image}}')" = $'bb hello:latest\naa mine' ]
	kvbox tag other mine
	id=${id#sha256:}
	[ "$(kvbox ps -a --format '{{.Names}} {{.Image}}')" = $'bb hello:latest\naa '"${id:0:12}" ]
	[ "$(kvbox ps -a --no-trunc --format '{{.Names}} {{.Image}}' -f name=aa)" = "aa sha256:$id" ]
	[[ $(kvbox ps -a) == *"${id:0:12} "* ]] || fail "table"
	# what was asked for stays known
	[ "$(kvbox inspect -f '{{.Config.Image}}' aa)" = mine ]
	kvbox tag hello mine
	[ "$(kvbox ps -a --format '{{.Image}}' -f name=aa)" = mine ]
}

@test "config.json says how lists look, and options say otherwise" {
	mkdir "$BATS_TEST_TMPDIR/config"
	echo '{"psFormat": "table {{.Names}}\\t{{.Image}}", "imagesFormat": "{{.Repository}}"}' > "$BATS_TEST_TMPDIR/config/config.json"
	kvbox create --name web hello > /dev/null
	try kvbox --config "$BATS_TEST_TMPDIR/config" ps -a
	expect 0 "NAMES     IMAGE
web       hello"
	try kvbox --config "$BATS_TEST_TMPDIR/config" ps -a --format '{{.Names}}'
	expect 0 web
	try env DOCKER_CONFIG="$BATS_TEST_TMPDIR/config" KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" "$BINARY" images
	expect 0 hello
	try kvbox --config "$BATS_TEST_TMPDIR/config" images -q
	[[ $out =~ ^[0-9a-f]{12}$ ]] || fail "quiet"
	try kvbox ps -aq --format '{{.Names}}'
	[[ $out =~ ^[0-9a-f]{12}$ ]] || fail "quiet"
	[ "$err" = "WARNING: Ignoring custom format, because both --format and --quiet are set." ] || fail "warning"
}

@test "version and info have the shape that scripts read" {
	local json

	[[ $(kvbox version --format '{{.Server.APIVersion}}') =~ ^1\.(3[5-9]|[4-9][0-9])$ ]] || fail "API"
	[ "$(kvbox version -f '{{range .Server.Components}}{{.Name}}{{end}}')" = Engine ]
	[ "$(kvbox version -f '{{.Client.Os}}/{{.Client.Arch}}')" = "$(kvbox version -f '{{.Server.Os}}/{{.Server.Arch}}')" ]
	kvbox info > /dev/null
	json=$(kvbox info --format '{{json .}}')
	jq -e '.SecurityOptions | type == "array"' <<< "$json"
	jq -e '.Driver | type == "string" and . != ""' <<< "$json"
	jq -e ".NCPU == $(nproc --all) or .NCPU > 0" <<< "$json"
	jq -e '.OSType == "linux" and .MemTotal > 0 and .CgroupVersion == "2"' <<< "$json"
	jq -e '.Runtimes[.DefaultRuntime].path | type == "string"' <<< "$json"
	jq -e '.Swarm.LocalNodeState == "inactive" and .LiveRestoreEnabled' <<< "$json"
	jq -e '.Images == 1 and .Containers == 0 and .ServerVersion != ""' <<< "$json"
	jq -e --arg root "$STORE/root" '.DockerRootDir == $root' <<< "$json"
	[ "$(kvbox info -f '{{range $name, $r := .Runtimes}}{{$name}}{{end}} {{.Swarm.LocalNodeState}}')" = "kvbox inactive" ]
}
