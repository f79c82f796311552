# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What every integration test loads. Each test has a store of its own; after it everything is removed,
# and whatever the system still shows of it fails the test: processes, mounts, cgroups, files.
#
#	KVBOX			the binary (default: build/release/kvbox)
#	KVBOX_KERNEL, KVBOX_INITRAMFS	the guest, where it is not beside the binary

bats_require_minimum_version 1.5.0

REPO=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
BINARY=$(realpath -- "${KVBOX:-$REPO/build/release/kvbox}")
unset KVBOX_ROOT KVBOX_RUNROOT
# Every command of a test ends by itself or is ended.
LIMIT=${KVBOX_TEST_LIMIT:-100}
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}

# The store is named on the command line and in the environment of kvbox's own processes only, so that
# these can be told from everything else on the machine.
kvbox()
{
	timeout --foreground -k 5 "$LIMIT" env KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" \
		"$BINARY" "$@"
}

# The same for a command in the background that gets signals: `with_store "$BINARY" run ... &`, $! is it.
with_store()
{
	exec env --default-signal=INT,QUIT KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" "$@"
}

# on_terminal COMMAND: runs it on a terminal of its own; carriage returns are taken off its output.
on_terminal()
{
	local fifo=$BATS_TEST_TMPDIR/typed

	[ -p "$fifo" ] || mkfifo "$fifo"
	set -o pipefail
	env KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" timeout -k 5 "$LIMIT" \
		script -qec "$1" /dev/null <> "$fifo" | tr -d '\r'
}

# An image archive, made once for all tests.
image_file()
{
	local file=$BATS_RUN_TMPDIR/image-$1.tar

	[ -f "$file" ] || {
		"$REPO/tests/make-image" "$file.$$" "$1:latest" "${@:2}"
		mv -- "$file.$$" "$file"
	}
	echo "$file"
}

# load_image NAME [CONFIG]
load_image()
{
	local file

	file=$(image_file "$@")
	kvbox load -q -i "$file" > "$BATS_TEST_TMPDIR/load.out"
}

# Sets $out, $err and $code of a command, each output byte for byte but for the last newline.
try()
{
	code=0
	"$@" > "$BATS_TEST_TMPDIR/out" 2> "$BATS_TEST_TMPDIR/err" || code=$?
	out=$(cat "$BATS_TEST_TMPDIR/out")
	err=$(cat "$BATS_TEST_TMPDIR/err")
}

# fail TEXT: the test fails, showing what the last try gave.
fail()
{
	echo "$*"
	echo "exit code: ${code:-}"
	echo "stdout: ${out:-}"
	echo "stderr: ${err:-}"
	return 1
}

# expect CODE [STDOUT]: of the last try
expect()
{
	[ "$code" -eq "$1" ] || fail "exit code $code instead of $1"
	[ $# -lt 2 ] || [ "$out" = "$2" ] || fail "stdout is not '$2'"
}

# expect_error CODE TEXT: the last try failed, with TEXT in its message and nothing on stdout
expect_error()
{
	expect "$1" ''
	[[ $err == *"$2"* ]] || fail "stderr lacks '$2'"
}

# wait_for COMMAND...: until it succeeds; 100 seconds and more only end what hangs
wait_for()
{
	local i

	for ((i = 0; i < 1000; i++)); do
		! "$@" > /dev/null 2>&1 || return 0
		sleep 0.1
	done
	fail "'$*' never came true"
}

inspect_has()
{
	kvbox inspect "$1" | grep -qF -- "$2"
}

# state_of CONTAINER MEMBER: a number out of the monitor's state.json (pid, vmm_pid)
state_of()
{
	local id

	id=$(kvbox ps -aq --no-trunc -f "name=^$1\$")
	sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p" "$STORE/run/${id:0:12}/state.json"
}

# ---- what is left -------------------------------------------------------------------------------

processes_left()
{
	local file

	# the second pattern is read from a file, for grep would find itself; a VMM that is locked up names the
	# store nowhere, but has its log and its lock open
	for file in $(grep -lzsxF -- "KVBOX_ROOT=$STORE/root" /proc/[0-9]*/environ
		grep -lzsF -f <(echo "$STORE/") /proc/[0-9]*/cmdline
		find /proc/[0-9]*/fd -lname "$STORE/*" -printf '%h\n' 2> /dev/null | sort -u); do
		echo "process ${file//[!0-9]/}: $(tr '\0' ' ' 2> /dev/null < "${file%/*}/cmdline")"
	done
}

mounts_left()
{
	grep -F "$STORE/" /proc/self/mountinfo | sed 's/^/mount: /'
}

# Cgroups of this test's containers without a process in them; what other stores leave is not ours.
cgroups_left()
{
	local tree

	for tree in /sys/fs/cgroup/kvbox /sys/fs/cgroup/unified/kvbox /sys/fs/cgroup/kvbox-vm \
		/sys/fs/cgroup/{memory,cpu,pids}/kvbox-vm; do
		[ -d "$tree" ] || continue
		find "$tree" -mindepth 1 -maxdepth 1 -type d | while read -r dir; do
			! grep -qsF "\"id\":\"${dir##*/}" "$STORE/root/events.log" ||
				[ -n "$(cat "$dir/cgroup.procs" 2> /dev/null)" ] || echo "cgroup: $dir"
		done
	done
}

files_left()
{
	[ -d "$STORE" ] || return 0
	find "$STORE/root/containers" "$STORE/root/tmp" -mindepth 1 2> /dev/null | sed 's/^/file: /'
	find "$STORE/run" -mindepth 1 -maxdepth 1 -type d 2> /dev/null | sed 's/^/run folder: /'
}

leaks()
{
	processes_left
	mounts_left
	cgroups_left
	files_left
}

no_leaks()
{
	[ -z "$(leaks)" ]
}

# Nothing is left of containers that ended by themselves or were removed, now or a moment later.
expect_nothing_left()
{
	wait_for no_leaks || {
		leaks
		return 1
	}
	try kvbox system check
	expect 0 'No problems found'
}

setup()
{
	STORE=$BATS_TEST_TMPDIR/kvbox
	mkdir -p "$STORE"
	load_image hello
}

teardown()
{
	local ids

	if [ "${BATS_TEST_COMPLETED:-}" != 1 ]; then
		tail -n 20 "$STORE"/root/containers/*/{monitor,vmm,console}.log 2> /dev/null || true
	fi
	ids=$(kvbox ps -aq)
	# shellcheck disable=SC2086 # one word each
	[ -z "$ids" ] || kvbox rm -f $ids
	expect_nothing_left
	rm -rf -- "$STORE"
}
