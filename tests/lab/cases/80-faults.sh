# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A start that is broken off at one of its steps, here and there of a few hundred: by a failure in the command
# or in the monitor, or by the monitor's sudden death. It says one clear thing and leaves nothing behind.
CASE=80-faults
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

kvbox images -q hello 2> /dev/null | grep -q . || kvbox load -i /lab/hello.tar > /dev/null 2> "$ERR"
runs=/run/kvbox

# vmms: pids of VMMs, with a virtual CPU or not yet
vmms()
{
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2> /dev/null) in
		*/qemu-system-x86_64 | */cloud-hypervisor)
			pid=${exe#/proc/}
			echo "${pid%/exe}"
			;;
		esac
	done
}

# left: what a start that failed has left behind, a line each
left()
{
	kvbox-fault ps -aq --no-trunc 2>&1 | sed 's/^/container /'
	vmms | sed 's/^/VMM /'
	find "$runs" -mindepth 1 -maxdepth 1 -type d | grep -E '/[0-9a-f]{12}$' | sed 's/^/run folder /'
	find /sys/fs/cgroup/kvbox-vm -mindepth 1 -type d 2> /dev/null | sed 's/^/cgroup /'
	find /var/lib/kvbox/containers -mindepth 1 -maxdepth 1 2> /dev/null | sed 's/^/files /'
}

# broken NAME: the start with KVBOX_FAULT as it is failed as it should, or, where it did not come to that step
# or could do without, went well. The VMM dies with its monitor, but not in the same moment.
broken()
{
	timeout "$LIMIT" kvbox-fault run --rm hello echo well > "$OUT" 2> "$ERR" < /dev/null
	status=$?
	case $status:$(cat "$OUT") in
	0:well) well=$((well + 1)) ;;
	125:) grep -q '^kvbox: .' "$ERR" || wrong="$wrong $1=silent" ;;
	# by a death that came after the output
	125:well) [ -n "${KVBOX_FAULT_KILL-}" ] && grep -q '^kvbox: .' "$ERR" || wrong="$wrong $1=$status" ;;
	*) wrong="$wrong $1=$status" ;;
	esac
	found=$(left)
	for _ in $(seq 200); do
		[ -n "$found" ] || break
		sleep 0.5
		found=$(left)
	done
	[ -z "$found" ] || {
		wrong="$wrong $1=left"
		echo "$1 left: $found" >&2
	}
	tried=$((tried + 1))
}

# judge NAME
judge()
{
	unset KVBOX_FAULT KVBOX_FAULT_KILL
	[ "$well" -lt "$tried" ] || wrong="$wrong nothing-failed"
	is "$1" "" "$wrong"
	echo "# $CASE: $1: $tried starts, $well of them good"
	wrong='' tried=0 well=0
}

wrong='' tried=0 well=0
for n in 8 37 90; do
	export KVBOX_FAULT="run:$n"
	broken "$KVBOX_FAULT"
done
judge "the command fails at a step"

for n in 6 40 90 100; do
	export KVBOX_FAULT="monitor:$n"
	broken "$KVBOX_FAULT"
done
judge "its monitor fails at a step"

for n in 1 45 91 109; do
	export KVBOX_FAULT="monitor:$n" KVBOX_FAULT_KILL=1
	broken "killed-$KVBOX_FAULT"
done
judge "its monitor is killed at a step"

# The host takes memory away that the VM has.
kvbox run -d --name large hello sleep 600 > "$OUT" 2> "$ERR"
with_kvm "its virtual CPU is one of KVM"
folder=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(kvm_processes)/cgroup")
echo 4194304 > "$folder/memory.max"
state='' tries=0
while [ "$state" != exited ] && [ "$tries" -lt 300 ]; do
	state=$(kvbox inspect -f '{{.State.Status}}' large)
	tries=$((tries + 1))
	sleep 0.3
done
is "a VM that took more memory than it may is dead" exited "$state"
is "and that is told" "true the host killed the virtual machine: it took more memory than it may" \
	"$(kvbox inspect -f '{{.State.OOMKilled}} {{.State.Error}}' large)"
kvbox rm -f large > "$OUT" 2> "$ERR"
is "nothing is left of it" "" "$(left)"

expect "the store is in order" 0 "" sh -c 'kvbox system check > /tmp/check 2>&1 || cat /tmp/check'
expect "and a start is a start" 0 "well" kvbox run --rm hello echo well
finished
