#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line as such: no virtual machine is started here.

load helpers

@test "an unknown flag gives 125 and Docker's words" {
	try kvbox run --bad hello
	expect 125 ''
	[ "$err" = "unknown flag: --bad

Usage:  kvbox run [OPTIONS] IMAGE [COMMAND] [ARG...]

Run 'kvbox run --help' for more information" ] || fail "other words"
	try kvbox ps -z
	expect_error 125 "unknown shorthand flag: 'z' in -z"
	try kvbox --nope ps
	expect_error 125 "unknown flag: --nope"
	try kvbox run --gpus all hello
	expect_error 125 "unknown flag: --gpus"
	try kvbox rm -z x
	expect_error 125 "unknown shorthand flag: 'z' in -z"
	try kvbox run -m xx hello
	expect_error 125 "invalid argument \"xx\" for \"-m, --memory\" flag: invalid size: 'xx'"
	try kvbox stop -t x hello
	expect_error 125 'invalid argument "x" for "-t, --timeout" flag'
}

@test "an unknown command and a wrong number of arguments give 1" {
	try kvbox nosuch
	expect_error 1 "kvbox: unknown command: kvbox nosuch"
	try kvbox container nosuch
	expect_error 1 "kvbox: unknown command: kvbox container nosuch"
	try kvbox run
	expect_error 1 "kvbox: 'kvbox run' requires at least 1 argument"
	try kvbox exec x
	expect_error 1 "kvbox: 'kvbox exec' requires at least 2 arguments"
	try kvbox ps x
	expect_error 1 "kvbox: 'kvbox ps' accepts no arguments"
}

@test "help comes from the table, on standard output, for every verb" {
	local verb

	try kvbox --help
	expect 0
	[[ $out == *"Usage:  kvbox [OPTIONS] COMMAND"* ]] || fail "no usage"
	for verb in $(kvbox --help | sed -n '/Commands:/,/Global Options:/s/^  \([a-z]*\) .*/\1/p'); do
		try kvbox "$verb" --help
		expect 0
		[[ $out == "Usage:  kvbox $verb"* ]] || fail "no usage of $verb"
		[ -z "$err" ] || fail "stderr of $verb"
	done
	try kvbox container ls --help
	[[ $out == *"kvbox container ls, kvbox container list, kvbox container ps, kvbox ps"* ]] || fail "no aliases"
}

@test "bad options of run are refused before anything is made" {
	try kvbox run --network bridge hello
	expect_error 125 "kvbox: network 'bridge' cannot be had"
	try kvbox run --pull=x hello
	expect_error 125 "kvbox: invalid pull option: 'x': must be one of \"always\", \"missing\" or \"never\""
	try kvbox run --env-file /nonexistent hello
	expect_error 125 "kvbox: open /nonexistent: no such file or directory"
	try kvbox run -w rel hello
	expect_error 125 "the working directory 'rel' is invalid"
	try kvbox run -d -a stdout hello
	expect_error 1 "cannot specify both --attach and --detach"
	try kvbox run --trace /nonexistent/f hello
	expect_error 125 "/nonexistent/f"
	try kvbox run -it hello < /dev/null
	expect 1 ''
	[ "$err" = "the input device is not a TTY" ] || fail "other words"
	try kvbox ps -aq
	expect 0 ''
}

@test "an image that is not there, and a bad name" {
	try kvbox run --pull=never nosuch
	expect_error 125 "kvbox: Error response from daemon: No such image: nosuch:latest"
	try kvbox create --pull=never nosuch
	expect_error 1 "Error response from daemon: No such image: nosuch:latest"
	try kvbox run --name 'a/b' hello
	expect_error 125 "Invalid container name (a/b)"
	try kvbox run UPPER
	expect_error 125 "kvbox: invalid reference format: repository name (library/UPPER) must be lowercase"
}

@test "what is not there is said in Docker's words" {
	local verb

	for verb in start stop kill wait logs 'exec nosuch' rm 'container inspect'; do
		# shellcheck disable=SC2086 # words
		try kvbox $verb nosuch
		[ "$code" -eq 1 ] || fail "$verb"
		[[ $err == *"Error response from daemon: No such container: nosuch"* ]] || fail "$verb"
	done
	try kvbox rm -f nosuch
	expect 0 ''
	[ "$err" = "Error response from daemon: No such container: nosuch" ] || fail "stderr"
	try kvbox inspect nosuch
	expect 1 '[]'
	[ "$err" = "Error: No such object: nosuch" ] || fail "stderr"
	try kvbox rmi nosuch
	expect_error 1 "Error response from daemon: No such image: nosuch:latest"
	try kvbox rmi -f nosuch
	expect 0
}

@test "two containers cannot have one name" {
	local id

	id=$(kvbox create --name web hello)
	try kvbox create --name web hello
	expect_error 1 "Conflict. The container name \"/web\" is already in use by container \"$id\". You have to remove (or rename) that container to be able to reuse that name."
	try kvbox run --name web hello
	expect_error 125 'kvbox: Error response from daemon: Conflict. The container name "/web" is already in use by container'
	[ "$(kvbox ps -aq --no-trunc)" = "$id" ]
}

@test "version and info tell what a script looks for" {
	try kvbox version
	expect 0
	[[ $out == *"Client:"*"API version:"*"Server:"*"Engine:"* ]] || fail "sections"
	try kvbox --version
	expect 0
	[[ $out =~ ^kvbox\ version\ [0-9]+\.[0-9]+\.[0-9]+,\ build\  ]] || fail "version"
	ln -s "$BINARY" "$BATS_TEST_TMPDIR/docker"
	[[ $("$BATS_TEST_TMPDIR/docker" -v) =~ ^Docker\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "docker -v"
	try "$BATS_TEST_TMPDIR/docker" nosuch
	expect_error 1 "docker: unknown command: docker nosuch"
	try kvbox info
	expect 0
	[[ $out == *" Images: 1"*" VMM: "*" Accelerator: "*" Docker Root Dir: $STORE/root"* ]] || fail "info"
}

@test "version opens neither store nor heavy library" {
	ASAN_OPTIONS=detect_leaks=0 strace -f -o "$BATS_TEST_TMPDIR/trace" "$BINARY" version > /dev/null
	run ! grep -E 'kvbox\.db|/var/lib/kvbox|libcurl|libarchive|libcrypto|libseccomp|libisal' "$BATS_TEST_TMPDIR/trace"
}

@test "containers are listed, filtered and inspected without being started" {
	local a b

	a=$(kvbox create --name web-a -l app=x -l tier hello sleep 1000)
	b=$(kvbox create --name web-b -l app=y --entrypoint /bin/echo -e A=1 hello 'two words' b)
	[[ $a =~ ^[0-9a-f]{64}$ ]] || fail "id"
	[ -z "$(kvbox ps -q)" ]
	[ "$(kvbox ps -aq --no-trunc)" = "$b
$a" ]
	[ "$(kvbox ps -aq)" = "${b:0:12}
${a:0:12}" ]
	[ "$(kvbox ps -aq --no-trunc -f label=app=x)" = "$a" ]
	[ "$(kvbox ps -aq --no-trunc -f label=app -f name=-b)" = "$b" ]
	[ "$(kvbox ps -aq --no-trunc -f 'name=^/?web-a$')" = "$a" ]
	[ "$(kvbox ps -aq --no-trunc -f id="${b:0:8}")" = "$b" ]
	[ "$(kvbox ps -q --no-trunc -f status=created -f status=running | wc -l)" -eq 2 ]
	[ -z "$(kvbox ps -aq -f status=exited)" ]
	[ "$(kvbox ps -q --no-trunc -n 1)" = "$b" ]
	[ "$(kvbox ps -lq --no-trunc)" = "$b" ]
	try kvbox ps -a -f nokey=1
	expect_error 1 "invalid filter 'nokey'"
	try kvbox ps -a
	[[ $out == "CONTAINER ID   IMAGE     COMMAND                  CREATED"*"STATUS    PORTS     NAMES"* ]] || fail "header"
	[[ $out == *"${b:0:12}   hello     \"/bin/echo 'two word"* ]] || fail "row"
	try kvbox inspect web-b "${a:0:10}"
	expect 0
	[[ $out == *'"Id": "'"$b"'"'*'"Path": "/bin/echo"'*'"two words"'*'"Status": "created"'*'"Name": "/web-b"'*'"A=1"'*'"app": "y"'*'"Id": "'"$a"'"'* ]] || fail "inspect"
	echo "$out" | busybox head -2 | tail -1 | grep -q '^    {$' || fail "indent"
	try kvbox inspect --type image web-a
	expect 1 '[]'
	try kvbox rm web-a web-b nosuch
	expect 1 "web-a
web-b"
}

@test "images are listed, tagged and removed" {
	local id

	id=$(kvbox images -q --no-trunc)
	[[ $id =~ ^sha256:[0-9a-f]{64}$ ]] || fail "id"
	[ "$(kvbox images -q hello)" = "${id:7:12}" ]
	[ -z "$(kvbox images -q other)" ]
	kvbox tag hello other:1
	try kvbox images
	[[ $out == "REPOSITORY   TAG       IMAGE ID       CREATED"*"SIZE"* ]] || fail "header"
	[[ $out == *"other        1         ${id:7:12}"* ]] || fail "row"
	[[ $out == *"hello        latest    ${id:7:12}"* ]] || fail "row"
	try kvbox image inspect other:1
	expect 0
	[[ $out == *'"hello:latest"'* && $out == *"\"$id\""* ]] || fail "inspect"
	kvbox create --name user hello
	try kvbox rmi other:1
	expect 0 "Untagged: other:1"
	try kvbox rmi hello
	expect_error 1 "conflict: unable to"
	kvbox rm user
	try kvbox rmi hello
	expect 0
	[[ $out == *"Untagged: hello:latest"*"Deleted: $id"* ]] || fail "rmi"
	[ -z "$(kvbox images -q)" ]
}

@test "a container ID file is written once" {
	local id

	id=$(kvbox create --cidfile "$BATS_TEST_TMPDIR/cid" hello)
	[ "$(cat "$BATS_TEST_TMPDIR/cid")" = "$id" ]
	try kvbox create --cidfile "$BATS_TEST_TMPDIR/cid" hello
	expect_error 1 "container ID file found"
	[ "$(kvbox ps -aq --no-trunc)" = "$id" ]
}
