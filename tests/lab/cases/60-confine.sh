# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# The VMM is locked up with KVM as well: a user and a /dev/kvm of its own, limits by cgroup v2.
CASE=60-confine
# shellcheck source=tests/lab/lib.sh
. /lab/lib.sh

kvbox load -q -i /lab/hello.tar > "$OUT" 2> "$ERR"
kvbox run -d --name locked hello sleep 600 > "$OUT" 2> "$ERR"
status=$?
[ $status -eq 0 ] || status="$status: $(cat "$ERR")"
is "a container starts" 0 "$status"
with_kvm "its virtual CPU is one of KVM"
pid=$(kvm_processes)
told=$(kvbox inspect -f '{{json .Kvbox.Confinement}}' locked)
is "nothing is missing" '"Missing":{}' "$(echo "$told" | grep -o '"Missing":{[^}]*}')"
for step in namespaces root user cgroup no-new-privileges no-capabilities landlock seccomp; do
	is "applied: $step" "\"$step\"" "$(echo "$told" | sed 's/"Missing.*//' | grep -o "\"$step\"")"
done
user=$(echo "$told" | sed 's/.*"User":\([0-9]*\).*/\1/')
is "the kernel agrees on the user" "$user" "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")"
is "it is a number of the leased range" yes "$([ "$user" -ge 2000000000 ] && echo yes)"
is "it has no capabilities" 0000000000000000 "$(awk '/^CapPrm:/ { print $2 }' "/proc/$pid/status")"
is "its /dev/kvm is its own" "$user" "$(stat -c %u "/proc/$pid/root/dev/kvm")"
is "it sees no processes but itself" 1 "$(awk '/^NSpid:/ { print $3 }' "/proc/$pid/status")"
is "it sees no files of the host" "" "$(find "/proc/$pid/root/etc" -type f ! -name ld.so.cache 2> /dev/null)"
folder=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
is "its cgroup is named after the container" "/sys/fs/cgroup/kvbox-vm" "${folder%/*}"
limit=$(($(cat "$folder/memory.max") >> 20))
is "its memory is limited" "$limit MiB of memory" "$(echo "$told" | grep -o '[0-9]* MiB of memory')"
is "its threads are limited" yes "$([ "$(cat "$folder/pids.max")" -gt 1 ] && echo yes)"
is "its processors are limited" yes "$([ "$(cut -d ' ' -f 1 "$folder/cpu.max")" != max ] && echo yes)"
expect "it works" 0 well kvbox exec locked echo well
kvbox rm -f locked > /dev/null 2> "$ERR"
is "its cgroup goes with it" "" "$(ls -d "$folder" 2> /dev/null)"

# A plain user with a part of the tree of cgroups, as a systemd user manager gives it.
mine=/sys/fs/cgroup/mine
if ! grep -q '^plain:' /etc/passwd; then
	echo 'plain:x:1000:1000::/tmp/plain:/bin/sh' >> /etc/passwd
	mkdir -p /tmp/plain "$mine/shell"
	cp /lab/hello.tar /tmp/plain/
	chmod 666 /dev/kvm
	chmod a+rx /lab /kvbox /kvbox/* /tmp
	chown -R plain /tmp/plain
	chown plain "$mine" "$mine/cgroup.procs" "$mine/cgroup.subtree_control" "$mine/shell" \
		"$mine/shell/cgroup.procs"
fi
cat > /tmp/plain/do << 'END'
echo 0 > /sys/fs/cgroup/mine/shell/cgroup.procs
cd /tmp/plain
export HOME=/tmp/plain KVBOX_ROOT=/tmp/plain/root KVBOX_RUNROOT=/tmp/plain/run
exec kvbox "$@"
END
plain()
{
	limited su plain -c "sh /tmp/plain/do $*"
}
echo 0 > "$mine/shell/cgroup.procs" # the kernel moves nobody in from elsewhere for him
plain load -q -i /tmp/plain/hello.tar > "$OUT" 2> "$ERR"
plain run -d --name locked hello sleep 600 > "$OUT" 2> "$ERR"
is "a plain user's container starts" 0 $?
with_kvm "its virtual CPU is one of KVM, too"
told=$(plain inspect -f "'{{json .Kvbox.Confinement}}'" locked)
is "only the user of its own is missing" '"Missing":{"user":' \
	"$(echo "$told" | grep -o '"Missing":{"[a-z-]*":')"
is "it runs in a user namespace" '"user-namespace"' "$(echo "$told" | grep -o '"user-namespace"')"
is "its memory is limited, too" yes "$(echo "$told" | grep -q 'MiB of memory' && echo yes)"
pid=$(kvm_processes)
is "in its user's part of the tree" "$mine/kvbox-vm" \
	"$(dirname "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")")"
is "it works, too" well "$(plain exec locked echo well)"
plain rm -f locked > /dev/null 2> "$ERR"
is "and goes" "" "$(kvm_processes)"
echo 0 > /sys/fs/cgroup/cgroup.procs
finished
