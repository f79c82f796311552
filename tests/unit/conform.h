/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cases of test_conform.c share: a VM with files of its own, waiting for it, its guest
 * (conform_guest.c), and taps.
 *
 * Nothing waits for a time to pass but where nothing must happen. A wait that takes longer than anything that
 * works fails the case, with what VMM and guest said.
 */
#ifndef KVBOX_TESTS_CONFORM_H
#define KVBOX_TESTS_CONFORM_H

#include "tests/unit/unit.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vmm/driver.h"
#include "vmm/select.h"

/* For a guest in an emulated machine that emulates. */
#define PATIENCE_MS 400000

/* The VMM that is tested, and what its guests boot. */
struct conform {
	struct vmm_choice choice;
	char kernel[PATH_MAX], initramfs[PATH_MAX];
	char agent[PATH_MAX]; /* initramfs with kvbox's agent, beside the kernel */
};
extern struct conform conform;

struct fixture {
	char dir[32]; /* with all files, and the run folder "r" */
	char *run_path;
	int dirfd, run, console, log;
	struct vmm vmm;
	int channel;	       /* of the guest that said hello */
	struct vmm_event done; /* the last answer to a request */
	unsigned seen;	       /* kinds of events, 1 << kind */
	struct fixture *more;  /* of fixture_more */
};

/* For cmocka: with files, and no VM yet. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Another one, which goes with it. */
struct fixture *fixture_more(struct fixture *f);
/* Ends its VM, if it still runs, so that another may start. */
void fixture_stop(struct fixture *f);

/* A file of `size` bytes that begins with `text`: its path. */
char *put_file(struct fixture *f, const char *name, const char *text, off_t size);
char *text_of(struct fixture *f, const char *name);
struct vmm_spec spec_of(const struct fixture *f);

/* The VM is started; and its guest has said hello. */
void start(struct fixture *f, const struct vmm_spec *spec);
void expect_hello(struct fixture *f);
void start_to_hello(struct fixture *f);

/* Fails with what VMM and guest said. */
void give_up(struct fixture *f, const char *what);
/* Takes the events that have come: false at the end of the control connection. */
bool take_events(struct fixture *f);
/* Waits for the descriptor (-1: none), taking events meanwhile; false: that many ms have passed. */
bool wait_for(struct fixture *f, int fd, int ms);
/* Until an event of one of these kinds (1 << kind) has come. */
void wait_event(struct fixture *f, unsigned kinds, const char *what);
/* For the answer to what vmm_pause and its like returned, which has to be a good one; or a bad one, with a reason;
 * the second also takes a request that was refused at once, with `e`. */
void wait_done(struct fixture *f, int request, struct err *e);
void wait_refused(struct fixture *f, int request, struct err *e);
/* For the end of the process; returns how it ended. */
int wait_end(struct fixture *f);

/* One line from the guest, one to it, and both. */
const char *hear(struct fixture *f);
void tell(struct fixture *f, const char *line);
const char *ask(struct fixture *f, const char *line);
/* Asks again and again until the answer has `words` in it, or (has = false) has not. */
void ask_until(struct fixture *f, const char *line, const char *words, bool has);

/* ---- taps ---- */

/* Takes the program into a network namespace of its own, where it may make some: false where it cannot, and
 * why on standard output. */
bool taps_begin(void);

struct tap {
	int fd;	     /* for vmm_net */
	int packets; /* socket that hears what comes out of it */
	char owner;  /* with which all texts have to begin that come out of it */
};
void tap_open(struct tap *t, char owner);
void tap_close(struct tap *t);
void mac_parse(const char *text, unsigned char ret[VMM_MAC_SIZE]);
struct vmm_net tap_net(const struct tap *t, const char *id, const char *mac);
/* The guest sends a text from the interface with that MAC, which comes out of the tap, and nothing of another
 * owner's did; then the other way round. */
void tap_exchange(struct fixture *f, const struct tap *t, const char *mac, const char *text);

/* ---- cases in other files ---- */

void guests_have_nets_from_their_start(void **state);
void disks_come_and_go_while_the_guest_runs(void **state);
void nets_come_and_go_while_the_guest_runs(void **state);
void what_cannot_be_added_or_removed_is_refused(void **state);
void a_locked_up_vmm_gets_disks_and_nets_too(void **state);
void memory_grows_and_shrinks(void **state);
void processors_come_and_go(void **state);
void copies_of_a_saved_vm_go_on_and_do_not_disturb_each_other(void **state);
void copies_of_a_saved_vm_have_nets_of_their_own(void **state);
void a_copy_of_a_saved_vm_gets_more_disks(void **state);
void copies_of_the_agent_are_machines_of_their_own(void **state);
void the_agent_finds_a_disk_and_a_net_that_come_later(void **state);

#endif
