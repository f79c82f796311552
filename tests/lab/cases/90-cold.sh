# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A cold start against the bare VMM (the same devices and kernel, with an init that powers off at once), in
# turns. The figures are told and not judged: in this machine every exit of a VM is emulated.
CASE=90-cold
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

RUNS=${RUNS:-5}
kvbox images -q hello 2> /dev/null | grep -q . || kvbox load -i /lab/hello.tar > /dev/null 2> "$ERR"
export KVBOX_KERNEL=/kvbox/libexec/kvbox/vmlinux KVBOX_INITRAMFS=/kvbox/libexec/kvbox/initramfs
[ "$LAB_VMM" = qemu ] || export KVBOX_CLOUD_HYPERVISOR=/kvbox/libexec/kvbox/cloud-hypervisor

# ms: since the machine's start
ms() { awk '{ print int($1 * 1000) }' /proc/uptime; }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

rm -f /tmp/cold /tmp/bare
bad=0
for _ in $(seq "$RUNS"); do
	/lab/bare /lab/bare.cpio >> /tmp/bare 2> "$ERR" || bad=1
	begin=$(ms)
	timeout "$LIMIT" kvbox run --rm hello true > "$OUT" 2> "$ERR" < /dev/null || bad=1
	echo $(($(ms) - begin)) >> /tmp/cold
done
is "all starts are good" 0 "$bad"
echo "# $CASE: bare VMM $(median /tmp/bare) ms, run --rm hello true $(median /tmp/cold) ms," \
	"ratio $(awk -v a="$(median /tmp/cold)" -v b="$(median /tmp/bare)" 'BEGIN { printf "%.2f", a / b }')"
finished
