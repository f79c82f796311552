# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the lab's cases use: read with '. /lab/lib.sh', which wants the case's name in CASE. A case
# prints a line per test, and ends with 'finished'. It is run once for each VMM, whose name is in LAB_VMM
# (and in KVBOX_VMM); one with the line "# lab: once" is run a single time.
#
# Nothing runs without an end: every command gets LIMIT seconds, plain "kvbox" as well, and what is not over
# by then is killed, and told with the state of things.

LIMIT=${LIMIT:-300}
OUT=/tmp/$CASE.out
ERR=/tmp/$CASE.err
CASE="$CASE${LAB_VMM:+ $LAB_VMM}"
# the report, wherever a command's own output goes
exec 9>&1

# seconds: sets `now`, counted from the machine's start; no program is run, for this is inside of what is measured
seconds()
{
	read -r now _ < /proc/uptime
	now=${now%.*}
}

# limited COMMAND...
limited()
{
	seconds
	began=$now
	timeout -k 10 "$LIMIT" "$@"
	limited_status=$?
	seconds
	[ $((now - began)) -lt "$LIMIT" ] || hung "$*"
	return $limited_status
}

kvbox() { limited /kvbox/bin/kvbox "$@"; }

# hung WHAT: the state of things, as comments.
hung()
{
	{
		echo "$CASE: '$1' did not end in $((now - began)) s"
		for folder in /proc/[0-9]*; do
			command=$(tr '\0' ' ' < "$folder/cmdline" | cut -c 1-100)
			[ -z "$command" ] || echo "process ${folder#/proc/} $(awk '/^State:/ { print $2 }' "$folder/status") $command"
		done
		for vmm in $(kvm_processes); do
			for task in "/proc/$vmm/task"/*; do
				echo "thread ${task##*/} of $vmm, $(cat "$task/comm"), times $(cut -d ' ' -f 14,15 "$task/stat"):"
				sed 's/^/  /' "$task/stack"
			done
		done
		for file in /var/lib/kvbox/containers/*/console.log /var/lib/kvbox/containers/*/vmm.log; do
			[ ! -s "$file" ] || { echo "$file:" && tail -n 5 "$file" | cut -c 1-200; }
		done
		echo "the outer kernel:"
		dmesg | tail -n 15
	} 2> /dev/null | tr -d '\r' | sed 's/^/#   /' >&9
}

ok() { echo "ok - $CASE: $1"; }

# not_ok NAME [WHY...]
not_ok()
{
	echo "not ok - $CASE: $1"
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

# is NAME WANTED GOT
is()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2" "got:    $3"
	fi
}

# expect NAME STATUS STDOUT COMMAND...: the command ends in time with that exit status and exactly
# that output (compared as $(...) has it, without the last line feeds). What it says on standard
# error is in $ERR for the next line of the case to look at.
expect()
{
	name=$1 want_status=$2 want_out=$3
	shift 3
	limited "$@" > "$OUT" 2> "$ERR" < /dev/null
	got_status=$?
	got_out=$(cat "$OUT")
	if [ "$got_status" = "$want_status" ] && [ "$got_out" = "$want_out" ]; then
		ok "$name"
	else
		not_ok "$name" "status: wanted $want_status, got $got_status" "stdout: wanted '$want_out'" \
			"stdout: got '$got_out'" "stderr: $(cat "$ERR")"
	fi
}

# kvm_processes: the pids of the processes that have a virtual CPU of KVM open. A VMM that fell back
# to emulation has none, whatever it says.
kvm_processes()
{
	for fd in /proc/[0-9]*/fd/*; do
		case $(readlink "$fd") in
		anon_inode:kvm-vcpu*)
			owner=${fd#/proc/}
			echo "${owner%%/*}"
			;;
		esac
	done | sort -u
}

# kvm_programs: their programs, each once.
kvm_programs()
{
	for owner in $(kvm_processes); do
		# one that has ended meanwhile has none
		exe=$(readlink "/proc/$owner/exe") && echo "${exe##*/}"
	done | sort -u
}

# with_kvm NAME: what runs now has virtual CPUs of KVM, and is the VMM that is being tested.
with_kvm()
{
	case ${LAB_VMM:-qemu} in
	qemu) want=qemu-system-x86_64 ;;
	*) want=$LAB_VMM ;;
	esac
	is "$1" "$want" "$(kvm_programs)"
}

finished() { : > /tmp/finished; }
