#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The same command lines through Docker's client and kvbox. No virtual machine is started here, and no engine
# of Docker's is asked.

BATS_TEST_TIMEOUT=900
load helpers

@test "kvbox accepts and refuses command lines as Docker's client does" {
	local client

	client=$("$REPO/tests/differential/client")
	run "$REPO/tests/differential/run" "$BINARY" "$client"
	[ "$status" -eq 0 ] || {
		grep -v '^ok' <<< "$output" | head -n 100
		return 1
	}
}
