/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake VMM: a process that speaks the real agent protocol and runs the container's commands on the
 * host, for testing the engine without any VM. Chosen only by name (KVBOX_VMM=fake), its program by
 * KVBOX_FAKE_VMM. It isolates nothing.
 */
#ifndef KVBOX_VMM_FAKE_H
#define KVBOX_VMM_FAKE_H

#include "vmm/driver.h"

extern const struct vmm_driver vmm_fake;

/*
 * The program's whole main (tests link it): descriptor 3 is the channel, 4 the control connection, on
 * which each byte is an event: 'R' ready, 'P' panic, 'S' shutdown, 'D' done; and a request: 'p' pause,
 * 'c' continue. argv[1] is "kvm" or "tcg".
 *
 * KVBOX_FAKE makes it misbehave: "mute" never answers, "kvm-mute" not with KVM; "die" prints a line to the console and exits; "panic"
 * does the same and tells a panic; "garbage" breaks the protocol after its HELLO; "stuck" does not end at
 * a shutdown; "deaf" ignores signals for processes; "oom" tells a lack of memory.
 */
int fake_guest_main(int argc, char **argv);

#endif
