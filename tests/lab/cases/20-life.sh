# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# kvbox with KVM: a container that lives, is entered, read, stopped and started again.
CASE=20-life
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

kvbox images -q hello 2> /dev/null | grep -q . || kvbox load -i /lab/hello.tar > /dev/null 2> "$ERR"
kvbox run -d --name life hello sh -c \
	'trap "echo stopping; exit 3" TERM; echo started; echo warned >&2; while :; do sleep 1; done' \
	> "$OUT" 2> "$ERR"
is "a container starts in the background" 0 $?
is "its id is all that is printed" 64 "$(tr -d '\n' < "$OUT" | wc -c | tr -d ' ')"
with_kvm "its virtual CPU is one of KVM"

# shellcheck disable=SC2016 # for the container's shell
expect "exec runs a second command in it" 0 "life" kvbox exec -e NAME=life life sh -c 'echo $NAME'
expect "exec passes the exit status on" 7 "" kvbox exec life sh -c 'exit 7'
expect "exec of what is not there is 127" 127 "" kvbox exec life nonexistent
echo data > /tmp/data
kvbox exec -i life cat < /tmp/data > "$OUT" 2> "$ERR"
is "exec -i passes standard input on" "data" "$(cat "$OUT")"
expect "a file is written" 0 "" kvbox exec life sh -c 'echo kept > /root/file; sync'
expect "logs has standard output" 0 "started" kvbox logs life
is "and standard error" "warned" "$(cat "$ERR")"

expect "stop names the container" 0 "life" kvbox stop -t 100 life
is "the VM is gone" "" "$(kvm_processes)"
expect "logs works after the end" 0 "started
stopping" kvbox logs life
expect "wait has its exit status" 0 "3" kvbox wait life
expect "start starts it again" 0 "life" kvbox start life
expect "its disk is intact" 0 "kept" kvbox exec life cat /root/file
expect "kill ends it at once" 0 "life" kvbox kill life
expect "wait has the signal" 0 "137" kvbox wait life
expect "rm removes it" 0 "life" kvbox rm life
expect "the store is in order" 0 "" sh -c 'kvbox system check > /tmp/check 2>&1 || cat /tmp/check'
finished
