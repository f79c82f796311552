# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# The cases that every driver has to pass (tests/unit/test_conform.c), with KVM.
CASE=30-conform
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

export KVBOX_TEST_VMM="$LAB_VMM" KVBOX_TEST_ACCEL=kvm KVBOX_KERNEL=/kvbox/libexec/kvbox/vmlinux
KVBOX_CLOUD_HYPERVISOR=
[ "$LAB_VMM" = qemu ] || export KVBOX_CLOUD_HYPERVISOR=/kvbox/libexec/kvbox/cloud-hypervisor
CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 1400 /lab/conform > "$OUT" 2> "$ERR" &
# one of its VMs is looked at while it lives
tries=0
programs=
while [ -z "$programs" ] && [ "$tries" -lt 300 ]; do
	programs=$(kvm_programs)
	tries=$((tries + 1))
	sleep 0.1
done
case $LAB_VMM in
qemu) is "its VMs have virtual CPUs of KVM" qemu-system-x86_64 "$programs" ;;
*) is "its VMs have virtual CPUs of KVM" "$LAB_VMM" "$programs" ;;
esac
wait $!
is "the program ends well" 0 $?
# TAP again, without numbers and plan, and with what was said about a failure
sed -n -e "s/^ok [0-9]* - /ok - $CASE: /p" -e "s/^not ok [0-9]* - /not ok - $CASE: /p" "$OUT"
grep -v -e '^ok ' -e '^not ok ' -e '^1\.\.' "$OUT" | sed 's/^/#   /'
sed 's/^/#   /' "$ERR"
finished
