#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every --help and every table, byte for byte (tests/golden). No virtual machine is started here.

load helpers

@test "every help text and every table is as it was" {
	run "$REPO/tests/golden/run" "$BINARY"
	[ "$status" -eq 0 ] || {
		grep -v '^ok' <<< "$output" | head -n 100
		echo "if that is meant: tests/golden/run --update KVBOX"
		return 1
	}
}
