# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# kvbox with KVM: load, run, streams, exit codes.
CASE=10-run
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

if kvbox images -q hello 2> /dev/null | grep -q .; then
	kvbox rmi hello > /dev/null
fi
kvbox load -i /lab/hello.tar > "$OUT" 2> "$ERR"
is "load takes a docker-archive" 0 $?
expect "images lists it" 0 "hello:latest" \
	sh -c "kvbox images | awk 'NR > 1 { print \$1 \":\" \$2 }'"

# the shell says so itself while its VM is there to be looked at
kvbox run -d --name here hello sleep 600 > "$OUT" 2> "$ERR"
is "a container starts in the background" 0 $?
with_kvm "its virtual CPU is one of KVM"
kvbox rm -f here > /dev/null 2> "$ERR"
is "it can be removed while it runs" 0 $?
is "and its VM is gone" "" "$(kvm_processes)"

expect "run prints what the container prints" 0 "hello from inside" \
	kvbox run --rm hello echo hello from inside
expect "standard error stays apart" 0 "out" kvbox run --rm hello sh -c 'echo out; echo err >&2'
is "and arrives" "err" "$(cat "$ERR")"
expect "the exit status is the container's" 7 "" kvbox run --rm hello sh -c 'exit 7'
expect "a command that is not there is 127" 127 "" kvbox run --rm hello nonexistent
expect "a command that cannot be executed is 126" 126 "" kvbox run --rm hello /etc
expect "nothing is left" 0 "" kvbox ps -aq
finished
