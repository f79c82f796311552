/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: VMs that were saved when their agent was ready, from which others go on at once.
 *
 * A template is a folder, templates/vm-<hash>/, of three files: `ram`, `state` (of the devices) and `key`, the
 * full text of what it was made of. The folder's name is a hash of that text and only makes it quick to
 * find: the text decides. A template of another VMM, kernel, agent, processor or size of VM never fits, nor
 * one of before the host's last boot; it is renewed when it is a day old, since all its copies share what
 * the guest's kernel chose at random (docs/security.md).
 *
 * Its disks are slots: an empty one for the image and an empty one for the writable layer, of the size that
 * these always have.
 */
#ifndef KVBOX_ENGINE_TEMPLATE_H
#define KVBOX_ENGINE_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/store.h"
#include "vmm/guestfiles.h"
#include "vmm/select.h"
#include "vmm/size.h"

/* What VM is wanted; all borrowed. */
struct template_want {
	const struct vmm_choice *choice;
	const struct guest_files *guest;
	struct vmm_size size;
};

/* Descriptors for vmm_spec. */
struct template
{
	int ram_fd, state_fd;
};
#define TEMPLATE_INIT  \
	{              \
		-1, -1 \
	}
void template_release(struct template *t);
#define auto_template __attribute__((cleanup(template_release)))

/* Whether a template has the slots for the disks of this VM. */
bool template_fits(const struct vmm_spec *spec);

/* ERR_NOT_FOUND when there is none that fits, or it is too old. The RAM is that of another copy where one runs, and
 * the next one may take it from here, as long as ram_fd is open. */
int template_open(const struct paths *p, const struct template_want *want, struct template *ret,
		  struct err *e) MUST_CHECK;

#define TEMPLATE_NAME_SIZE 20
struct template_report {
	char name[TEMPLATE_NAME_SIZE]; /* of the folder */
	uint64_t disk;		       /* bytes that it takes */
	int64_t boot_ns;	       /* from the start of the VMM to the agent's HELLO */
	int64_t save_ns;	       /* from there until all was written */
	int64_t resume_ns; /* from the start of a copy's VMM to its agent's first answer */
};

/* Boots a VM, saves it, and starts a copy to see that it works; replaces the one that was there. */
int template_make(struct store *s, const struct template_want *want, struct template_report *ret,
		  struct err *e) MUST_CHECK;

/* Removes all; how many there were. */
int template_remove_all(struct store *s, unsigned *ret, struct err *e) MUST_CHECK;

/* A network interface of a copy: the address that the saved VM had there, and its own. */
struct template_mac {
	unsigned char saved[VMM_MAC_SIZE], own[VMM_MAC_SIZE];
};

/* The members of the agent's request "identity", which a copy needs before anything else. */
struct message_out;
void template_identity(struct message_out *m, const struct template_mac *macs, size_t nmacs);

#endif
