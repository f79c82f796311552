# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# The lab itself: KVM works in the outer machine, and an ordinary guest kernel boots on it.
# lab: once
CASE=00-kvm
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

if [ -c /dev/kvm ] && grep -qw svm /proc/cpuinfo && [ -d /sys/module/kvm_amd ]; then
	ok "the outer machine has KVM and a processor for it"
else
	not_ok "the outer machine has KVM and a processor for it" "$(dmesg | grep -i -e kvm -e svm)"
fi

# asked through QMP before the guest runs, answered before the guest can end
mkfifo /tmp/qmp.in
timeout -k 10 "$LIMIT" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -M q35 \
	-bios qboot.rom -accel kvm -cpu host -m 256 -kernel /lab/vmlinux -initrd /lab/bare.cpio \
	-append "quiet panic=-1 console=hvc0" -device virtio-serial-pci \
	-chardev file,id=console,path=/tmp/console -device virtconsole,chardev=console \
	-S -qmp stdio < /tmp/qmp.in > "$OUT" 2> "$ERR" &
exec 4> /tmp/qmp.in
echo '{"execute":"qmp_capabilities"} {"execute":"query-kvm"} {"execute":"cont"}' >&4
wait $!
is "QEMU with KVM boots a stock kernel to power-off" 0 $?
exec 4>&-
if grep -q '"enabled": true, "present": true' "$OUT"; then
	ok "QEMU says that KVM is on"
else
	not_ok "QEMU says that KVM is on" "$(cat "$OUT" "$ERR")"
fi
if grep -q '"reason": "guest-shutdown"' "$OUT"; then
	ok "the guest ended by itself"
else
	not_ok "the guest ended by itself" "$(cat "$OUT" "$ERR")" "$(tail -n 20 /tmp/console)"
fi
finished
