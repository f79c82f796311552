# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# A VM that is saved and goes on in another process. Its figures are told and not judged.
CASE=50-template
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

kvbox system template > "$OUT" 2> "$ERR"
is "a VM is saved, and a copy of it answers" 0 $?
sed "s/^/# $CASE: /" "$OUT"
sed 's/^/# /' "$ERR"
is "with KVM" 1 "$(grep -c "^vm-.*: $LAB_VMM .*(kvm)" "$OUT")"
is "the VMs are gone" "" "$(kvm_processes)"
expect "templates can be removed" 0 "Templates removed: 1" kvbox system template --rm
finished
