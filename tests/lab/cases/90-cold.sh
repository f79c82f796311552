# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A cold start against the bare VMM (the same devices, kernel and initramfs, with an init that powers off at
# once), in turns. The figures are told and not judged: in this machine every exit of a VM is emulated.
#
# So is every instruction, and the emulator translates code again wherever it finds it at another address. With
# its addresses chosen anew for each process, more than half of what a short program costs here would be that,
# which no real processor does. Programs keep their addresses while this case measures.
CASE=90-cold
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

RUNS=${RUNS:-5}
kvbox images -q hello 2> /dev/null | grep -q . || kvbox load -i /lab/hello.tar > /dev/null 2> "$ERR"
export KVBOX_KERNEL=/kvbox/libexec/kvbox/vmlinux KVBOX_INITRAMFS=/kvbox/libexec/kvbox/initramfs
[ "$LAB_VMM" = qemu ] || export KVBOX_CLOUD_HYPERVISOR=/kvbox/libexec/kvbox/cloud-hypervisor

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# started KIND COMMAND...: it ends well; what it said, if not, is in `bad`
started()
{
	kind=$1
	shift
	limited "$@" 2> "$ERR" < /dev/null || bad="$bad$kind: status $?, $(cat "$ERR")
"
}

# bare: prints its time. Nothing of it is kvbox's, so that one which does not come up is told, and tried once more.
bare()
{
	limited /lab/bare /lab/bare.cpio 2> "$ERR" < /dev/null && return
	echo "# $CASE: $(cat "$ERR")" >&9
	started "bare VM" /lab/bare /lab/bare.cpio
}

# alone: nothing of the start before is left. The command does not wait for the end of a VMM that was killed.
alone()
{
	for _ in $(seq 1000); do
		grep -qsE '^(kvbox|qemu-system|cloud-hyp)' /proc/[0-9]*/comm || return
		sleep 0.1
	done
	bad="$bad$(grep -sE . /proc/[0-9]*/comm)
"
}

rm -f /tmp/cold /tmp/bare
bad=
read -r random < /proc/sys/kernel/randomize_va_space
echo 0 > /proc/sys/kernel/randomize_va_space
for _ in $(seq "$RUNS"); do
	alone
	bare >> /tmp/bare
	alone
	started "kvbox run" /lab/bare -- /kvbox/bin/kvbox run --rm hello true >> /tmp/cold
done
is "all starts are good" "" "$bad"
echo "# $CASE: bare VMM $(median /tmp/bare) ms, run --rm hello true $(median /tmp/cold) ms," \
	"ratio $(awk -v a="$(median /tmp/cold)" -v b="$(median /tmp/bare)" 'BEGIN { printf "%.2f", a / b }')"
expect "the timeline is written" 0 "" kvbox run --rm --trace /tmp/trace hello true
sh /lab/timeline /tmp/trace "#   "
echo "$random" > /proc/sys/kernel/randomize_va_space
finished
