/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of test_conform.c: a VM that is saved once goes on many times. */
#include "tests/unit/conform.h"

#include <unistd.h>

#include "vmm/saved.h"

#define SIZE	   (1 << 20) /* of every disk */
#define MAC_SAVED  "52:54:00:6b:76:10"
#define MAC_COPY_A "52:54:00:6b:76:1a"
#define MAC_COPY_B "52:54:00:6b:76:1b"

/* What is saved, and what goes on from it. */
struct saved {
	int ram;     /* as the VMM left it */
	int sealed;  /* the same for copies */
	char *state; /* file */
	char *slot;  /* the file behind the saved VM's disk */
	unsigned hotplug;
};

static void release_saved(struct saved *s)
{
	fd_close(s->ram);
	fd_close(s->sealed);
	free(s->state);
	free(s->slot);
}

/* One disk; one net, where there is a tap. */
static void start_either(struct fixture *f, const struct saved *s, const char *path,
			 const struct tap *tap, enum vmm_saving saving, int state)
{
	const struct vmm_file file = { path, SIZE };
	const struct vmm_disk disk = { "kvb-slot", true, false, &file, 1 };
	struct vmm_spec spec = spec_of(f);
	struct vmm_net net;

	spec.disks = &disk;
	spec.ndisks = 1;
	if (tap)
		net = tap_net(tap, "net-slot", MAC_SAVED);
	spec.nets = &net;
	spec.nnets = tap ? 1 : 0;
	spec.hotplug = s->hotplug;
	spec.saving = saving;
	spec.ram_fd = saving == VMM_FROM_SAVED ? s->sealed : s->ram;
	spec.state_fd = state;
	start(f, &spec);
}

static void save_a_vm(struct fixture *f, struct saved *s, const struct tap *tap)
{
	auto_close int state = -1;
	struct err e = ERR_INIT;

	s->slot = put_file(f, "slot", "", SIZE);
	s->state = xasprintf("%s/state", f->dir);
	assert_ok(vmm_ram_new((uint64_t)256 << 20, &s->ram, &e));
	assert_ok(fd_open(f->dirfd, "state", O_RDWR | O_CREAT, 0600, &state, &e));
	start_either(f, s, s->slot, tap, VMM_TO_BE_SAVED, state);
	expect_hello(f);
	assert_string_equal(ask(f, "fill 24"), "ok");
	assert_string_equal(ask(f, "rest"), "ok");
	wait_done(f, vmm_save(&f->vmm, &e), &e);
	assert_ok(vmm_stop(&f->vmm, &e));
	wait_end(f);
	fixture_stop(f);
	assert_ok(vmm_ram_load(s->ram, &s->sealed, &e));
}

/* A copy with another file behind the disk and another tap, in a folder of its own. */
static struct fixture *start_copy(struct fixture *of, const struct saved *s, const char *text,
				  const struct tap *tap)
{
	struct fixture *f = fixture_more(of);
	auto_free char *path = put_file(f, "other", text, SIZE);
	auto_close int state = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(AT_FDCWD, s->state, O_RDONLY, 0, &state, &e));
	start_either(f, s, path, tap, VMM_FROM_SAVED, state);
	if (f->vmm.channel_kind == VMM_CHANNEL_VSOCK)
		expect_hello(f);
	else
		f->channel = take_fd(&f->vmm.channel);
	return f;
}

void copies_of_a_saved_vm_go_on_and_do_not_disturb_each_other(void **state)
{
	struct saved s = { .ram = -1, .sealed = -1 };
	struct fixture *f = *state, *a, *b, *c;

	save_a_vm(f, &s, NULL);
	a = start_copy(f, &s, "a's file", NULL);
	b = start_copy(f, &s, "b's file", NULL);
	assert_string_equal(ask(a, "check"), "intact");
	assert_string_equal(ask(a, "read kvb-slot 0"), "a's file");
	assert_string_equal(ask(b, "read kvb-slot 0"), "b's file");
	/* What one gives back, and writes anew, the others still have: those that run and those to come. */
	assert_string_equal(ask(a, "free"), "ok");
	assert_string_equal(ask(a, "fill 48"), "ok");
	assert_string_equal(ask(a, "free"), "ok");
	/* The guest reports its free pages two seconds later. */
	assert_false(wait_for(a, a->channel, 3000));
	assert_string_equal(ask(b, "check"), "intact");
	c = start_copy(f, &s, "c's file", NULL);
	assert_string_equal(ask(c, "check"), "intact");
	assert_string_equal(ask(c, "read kvb-slot 0"), "c's file");
	release_saved(&s);
}

/* As the agent does it. */
static void change_mac(struct fixture *f, const char *mac)
{
	auto_free char *line = xasprintf("mac " MAC_SAVED " %s", mac);

	assert_string_equal(ask(f, line), "ok");
	assert_string_equal(ask(f, "nets"), mac);
}

void copies_of_a_saved_vm_have_nets_of_their_own(void **state)
{
	struct saved s = { .ram = -1, .sealed = -1 };
	struct fixture *f = *state, *a, *b;
	struct tap tap, tap_a, tap_b;

	tap_open(&tap, 's');
	save_a_vm(f, &s, &tap);
	tap_close(&tap);
	tap_open(&tap_a, 'a');
	tap_open(&tap_b, 'b');
	a = start_copy(f, &s, "a's file", &tap_a);
	b = start_copy(f, &s, "b's file", &tap_b);
	change_mac(a, MAC_COPY_A);
	change_mac(b, MAC_COPY_B);
	/* In turns: what came out of the wrong tap would be met there. */
	tap_exchange(a, &tap_a, MAC_COPY_A, "one");
	tap_exchange(b, &tap_b, MAC_COPY_B, "two");
	tap_exchange(a, &tap_a, MAC_COPY_A, "three");
	assert_string_equal(ask(b, "check"), "intact");
	assert_string_equal(ask(b, "read kvb-slot 0"), "b's file");
	tap_close(&tap_a);
	tap_close(&tap_b);
	release_saved(&s);
}

void a_copy_of_a_saved_vm_gets_more_disks(void **state)
{
	struct saved s = { .ram = -1, .sealed = -1, .hotplug = 1 };
	struct fixture *f = *state, *a;
	auto_free char *path = put_file(f, "later", "later on", SIZE);
	const struct vmm_file file = { path, SIZE };
	const struct vmm_disk disk = { "kvb-later", true, false, &file, 1 };
	struct err e = ERR_INIT;

	save_a_vm(f, &s, NULL);
	a = start_copy(f, &s, "a's file", NULL);
	assert_string_equal(ask(a, "read kvb-slot 0"), "a's file");
	wait_done(a, vmm_add_disk(&a->vmm, &disk, &e), &e);
	ask_until(a, "disks", "kvb-later", true);
	assert_string_equal(ask(a, "read kvb-later 0"), "later on");
	wait_done(a, vmm_remove(&a->vmm, "kvb-later", &e), &e);
	ask_until(a, "disks", "kvb-later", false);
	assert_string_equal(ask(a, "check"), "intact");
	release_saved(&s);
}
