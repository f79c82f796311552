#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0

load helpers

# play < SCRIPT: users at terminals, see terminal.py
play()
{
	env KVBOX_ROOT="$STORE/root" KVBOX_RUNROOT="$STORE/run" "$REPO/tests/integration/terminal.py"
}

@test "two users share a container's terminal, resize, interrupt, and one leaves it" {
	play << END
a size 31 97
a start $BINARY run -it --name tty hello sh
a wait #\x20
a raw
a type stty size\n
a wait 31 97
b size 40 100
b start $BINARY attach tty
b wait #\x20
b raw
a type echo x\$((40 + 2))\n
b wait x42
b type echo y\$((40 + 3))\n
a wait y43
b size 22 77
b type until stty size | grep "^22 "; do sleep 0.1; done\n
b wait 22 77
# no detach keys: the second is another one
b type \x10\x15
b type \x10\x11
b wait read escape sequence
b end 1
a type (echo here; exec sleep 1000)\n
a wait \nhere\r\n
a type \x03
a wait #\x20
a type exit 7\n
a end 7
END
	[ "$(kvbox wait tty)" = 7 ]
}

@test "the terminal is as before however a session ends" {
	mkdir "$BATS_TEST_TMPDIR/config"
	echo '{"detachKeys": "ctrl-x,ctrl-x"}' > "$BATS_TEST_TMPDIR/config/config.json"
	kvbox run -d -it --name tty hello sh
	play << END
a start $BINARY attach tty
a raw
a signal TERM
a end 143
a start $BINARY exec -it tty sh
a wait #\x20
a raw
a signal HUP
a end 129
# a fault of its own
a start $BINARY exec -it tty sh
a wait #\x20
a raw
a signal SEGV
a end -11
a start $BINARY attach --detach-keys ctrl-x,y tty
a raw
a type \x10\x11\x18z\x18y
a wait read escape
a end 1
a start $BINARY --config $BATS_TEST_TMPDIR/config exec -it tty sh
a wait #\x20
a raw
a type \x18\x18
a wait read escape
a end 1
a start $BINARY start -ai tty
a raw
a type \x10\x11
a end 0
# the command does not exist: nothing was touched
a start $BINARY exec -it tty nosuch
a wait executable file not found
a end 127
a start $BINARY exec -it tty sh -c 'stty size; exit 4'
a end 4
a start $BINARY attach tty
a raw
a shell kill -9 $(state_of tty pid)
a wait monitor
a end 1
END
	[ "$(kvbox wait tty)" = 137 ]
}

@test "without a terminal there is none to be had, in Docker's words" {
	kvbox run -dt --name tty hello sleep 1000
	try kvbox attach tty < /dev/null
	expect_error 1 "the input device is not a TTY"
	try kvbox exec -it nosuch true < /dev/null
	expect_error 1 "No such container: nosuch"
	try kvbox exec -it tty true < /dev/null
	expect_error 1 "the input device is not a TTY"
	# -t alone needs none, nor does -d
	[ "$(kvbox exec -t tty tty < /dev/null)" = $'/dev/pts/1\r' ]
	try kvbox exec -dt tty sh -c 'tty > /tmp/name; echo gone; echo alive >> /tmp/name'
	expect 0 ''
	wait_for kvbox exec tty grep -q alive /tmp/name
	[[ $(kvbox exec tty cat /tmp/name) == /dev/pts/* ]]
	try kvbox attach --no-stdin --detach-keys shift-a tty
	expect_error 1 'shift-a'
	DOCKER_CONFIG=$BATS_TEST_TMPDIR try kvbox exec tty true
	expect 0 ''
	echo '{"detachKeys": 5}' > "$BATS_TEST_TMPDIR/config.json"
	DOCKER_CONFIG=$BATS_TEST_TMPDIR try kvbox exec tty echo fine
	expect 0 fine
	[[ $err == "WARNING: Error parsing config file ($BATS_TEST_TMPDIR/config.json): "* ]] || fail "warning"
}
