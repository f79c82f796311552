#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Go templates with --format: ps, images, inspect, version, info. No virtual machine is started here.

load helpers

# Two containers that were created: $a and $b.
two_containers()
{
	a=$(kvbox create --name web-a -l app=x -l com.example.my-key=v -e A=1 hello sleep 1000)
	b=$(kvbox create --name web-b hello)
}

@test "ps fills a template for each container" {
	two_containers
	try kvbox ps -a --no-trunc --filter 'name=^/?web-a$' --format '{{.ID}} {{.Status}}'
	expect 0 "$a Created"
	try kvbox ps -a --format '{{.Names}}: {{.Image}} {{.State}} {{.Label "app"}}|{{.Label "no"}}|'
	expect 0 "web-b: hello created ||
web-a: hello created x||"
	try kvbox ps -a --filter label=app --format '{{.ID}}\t{{.Command}}\n{{.Labels}}'
	expect 0 "${a:0:12}	\"sleep 1000\"
app=x,com.example.my-key=v"
	try kvbox ps -a --filter status=running --format '{{.ID}}'
	expect 0 ''
	try kvbox ps -a --format '{{if eq .Names "web-a"}}{{.ID}}{{end}}'
	expect 0 "
${a:0:12}"
	try kvbox ps -aq --format '{{.Names}}'
	expect 0 "${b:0:12}
${a:0:12}"
	[[ $(kvbox ps -a --format '{{.CreatedAt}}' -n 1) =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}\ [0-9:]{8}\ [+-][0-9]{4}\ [A-Z]+$ ]] || fail "time"
}

@test "ps makes a table out of a template" {
	two_containers
	try kvbox ps -a --format 'table {{.Names}}\t{{.Status}}\t{{.Label "com.example.my-key"}}'
	expect 0 "NAMES     STATUS    my key
web-b     Created   
web-a     Created   v"
	try kvbox ps --format 'table {{.ID}}'
	expect 0 "CONTAINER ID"
	try kvbox ps -a --format table
	[[ $out == "CONTAINER ID   IMAGE     COMMAND"* ]] || fail "header"
	try kvbox ps -a --format 'table {{upper .Names}}\t{{.Nope}}'
	expect_error 1 "failed to execute template: template: :1:26: executing \"\" at <.Nope>: can't evaluate field Nope in type *formatter.ContainerContext"
}

@test "ps gives one JSON object per line" {
	two_containers
	try kvbox ps -a --no-trunc --format json
	expect 0
	[[ $(echo "$out" | head -1) == '{"Command":"'*'","ID":"'"$b"'","Image":"hello",'*'"Names":"web-b",'*'"State":"created","Status":"Created"}' ]] || fail "json"
	[ "$(echo "$out" | wc -l)" -eq 2 ]
	[ "$(kvbox ps -a --format '{{json .Names}}')" = '"web-b"
"web-a"' ]
}

@test "images fills templates and makes tables" {
	local id

	id=$(kvbox images -q --no-trunc)
	try kvbox images --format '{{.Repository}}:{{.Tag}} {{.ID}}'
	expect 0 "hello:latest ${id:7:12}"
	try kvbox images --no-trunc --format '{{.ID}}'
	expect 0 "$id"
	try kvbox images --format 'table {{.Repository}}\t{{.Tag}}\t{{.ID}}'
	expect 0 "REPOSITORY   TAG       IMAGE ID
hello        latest    ${id:7:12}"
	try kvbox images --format json
	[[ $out == '{"Containers":'*'"Repository":"hello","SharedSize":"N/A","Size":"'*'"Tag":"latest",'* ]] || fail "json"
}

@test "inspect answers what scripts ask" {
	two_containers
	try kvbox inspect -f '{{.State.Running}}' web-a
	expect 0 false
	try kvbox inspect --format '{{json .NetworkSettings.Ports}}' "$a"
	expect 0 '{}'
	try kvbox inspect -f '{{range .Config.Env}}{{println .}}{{end}}' web-a
	expect 0
	[[ $out == *$'A=1\n'* || $out == *A=1 ]] || fail "environment"
	try kvbox inspect -f '{{.Name}} {{.Id}} {{.ID}} {{.State.ExitCode}} {{.State.Status}}' web-a web-b
	expect 0 "/web-a $a $a 0 created
/web-b $b $b 0 created"
	try kvbox inspect -f '{{index .Config.Labels "app"}}|{{index .Config.Labels "no"}}|' web-a
	expect 0 'x||'
	try kvbox inspect -f '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}' web-a
	expect 0 'app=x com.example.my-key=v '
	try kvbox inspect -f '{{with .HostConfig}}{{.NetworkMode}}{{end}}{{if .State.Running}}!{{else}}.{{end}}' web-a
	expect 0 none.
	try kvbox inspect -f . web-a
	expect 0 .
	try kvbox container inspect -f '{{json .State.Pid}}' web-a
	expect 0 0
	try kvbox inspect --type image -f '{{index .RepoTags 0}} {{.Os}}' hello
	expect 0 'hello:latest linux'
	try kvbox image inspect -f '{{json .RootFS.Type}}' hello
	expect 0 '"layers"'
	try kvbox inspect -f json web-a
	[[ $out == '[{"Id":"'"$a"'",'*'}]' ]] || fail "json"
}

@test "inspect says what does not fit, and goes on" {
	two_containers
	try kvbox inspect -f '{{.State.Nope}}' web-a
	expect_error 1 'template parsing error: template: :1:8: executing "" at <.State.Nope>: map has no entry for key "Nope"'
	try kvbox inspect -f '{{.Name}}' nosuch web-b
	expect 1 /web-b
	[ "$err" = "Error: No such object: nosuch" ] || fail "stderr"
	kvbox inspect -f '{{.Name}}' nosuch > "$BATS_TEST_TMPDIR/none" 2> /dev/null || true
	[ "$(od -An -c "$BATS_TEST_TMPDIR/none" | tr -d ' ')" = '\n' ] || fail "not one empty line"
	try kvbox inspect -f json nosuch
	expect 1 '[]'
}

@test "a bad template is 64 for one object and 1 for lists" {
	local verb

	for verb in 'inspect x' 'container inspect x' 'image inspect x' info version; do
		# shellcheck disable=SC2086 # words
		try kvbox $verb --format '{{.Name'
		expect_error 64 'template parsing error: template: :1: unclosed action'
	done
	try kvbox ps --format '{{foo}}'
	expect_error 1 'failed to parse template: template: :1: function "foo" not defined'
	try kvbox images --format '{{foo}}'
	expect_error 1 'template parsing error: template: :1: function "foo" not defined'
	try kvbox ps -a --format
	expect_error 125 'flag needs an argument: --format'
}

@test "version and info answer templates" {
	[[ $(kvbox version --format '{{.Server.APIVersion}}') =~ ^1\.[0-9]+$ ]] || fail "server"
	[[ $(kvbox version -f '{{.Client.APIVersion}} {{.Server.Os}}') =~ ^1\.[0-9]+\ linux$ ]] || fail "client"
	[[ $(kvbox version --format '{{json .}}') == '{"Client":{'*'"Server":{'* ]] || fail "json"
	try kvbox version -f '{{.Nope}}'
	expect_error 1 "template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope in type"
	try kvbox info --format '{{.OSType}} {{.Driver}} {{json .SecurityOptions}} {{.Images}} {{.Containers}}'
	expect 0 'linux erofs ["name=seccomp,profile=builtin","name=cgroupns"] 1 0'
	[[ $(kvbox info --format '{{json .}}') == '{"ID":'*'"Containers":0,'*'"NCPU":'[1-9]*'"DockerRootDir":"'"$STORE"'/root"'* ]] || fail "info"
	[ "$(kvbox info -f json)" != '' ]
}
