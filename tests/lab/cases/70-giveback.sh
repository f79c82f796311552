# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Memory and disk space that a container frees go back to the host.
CASE=70-giveback
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

# All in KiB.
memory() { awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup"; }
blocks() { du -k "$disk" | cut -f 1; }

# at_most LIMIT COMMAND: the command's figure comes down to LIMIT in time, which is 100 seconds and more.
at_most()
{
	for _ in $(seq 200); do
		[ "$($2)" -gt "$1" ] || return 0
		sleep 0.5
	done
	return 1
}

kvbox images -q hello 2> /dev/null | grep -q . || kvbox load -i /lab/hello.tar > /dev/null 2> "$ERR"
id=$(kvbox run -d --name full -m 512m --tmpfs /memory hello sleep 1000 2> "$ERR")
with_kvm "its virtual CPU is one of KVM"
pid=$(kvm_processes)
disk=$(find / -xdev -path "*/containers/$id/upper.img")

empty=$(memory)
kvbox exec full dd if=/dev/zero of=/memory/file bs=1M count=150 2> "$ERR"
full=$(memory)
echo "# $CASE: memory $empty KiB, with a file of 150 MiB $full KiB"
is "the VMM's memory grows with the container's" yes "$([ $((full - empty)) -ge 100000 ] && echo yes)"
expect "the container frees it" 0 "" kvbox exec full rm /memory/file
is "the host gets it back" yes "$(at_most $((empty + (full - empty) / 3)) memory && echo yes)"
echo "# $CASE: without it $(memory) KiB"

empty=$(blocks)
kvbox exec full sh -c 'dd if=/dev/zero of=/file bs=1M count=50 && sync' 2> "$ERR"
full=$(blocks)
is "the disk grows with what is written" yes "$([ $((full - empty)) -ge 50000 ] && echo yes)"
expect "the container removes it" 0 "" kvbox exec full rm /file
sleep 10 # after a short run, free blocks are not given back
expect "the container stops" 0 full kvbox stop -t 1 full
is "the host has the blocks again" yes "$([ "$(blocks)" -le $((empty + 5000)) ] && echo yes)"
echo "# $CASE: disk $empty KiB, with a file of 50 MiB $full KiB, in the end $(blocks) KiB"
kvbox rm -f full > /dev/null 2> "$ERR"
is "the VM is gone" "" "$(kvm_processes)"
finished
