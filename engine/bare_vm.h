/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM with nothing in it but the agent, for a command that waits for each step: start, HELLO, requests,
 * end. (A container's VM has a monitor, which never waits.)
 *
 * Each wait ends with an error when the VMM ends, when the guest panics, or after a time that no healthy VM
 * takes; the VM is good for bare_vm_free only then.
 */
#ifndef KVBOX_ENGINE_BARE_VM_H
#define KVBOX_ENGINE_BARE_VM_H

#include "base/err.h"
#include "proto/message.h"
#include "vmm/driver.h"

struct bare_vm;

/* Starts it and waits for the agent's HELLO. `spec` is borrowed for the call only. */
int bare_vm_start(const struct vmm_driver *d, const struct vmm_spec *spec, struct bare_vm **ret,
		  struct err *e) MUST_CHECK;
/* Kills it when it still runs. */
void bare_vm_free(struct bare_vm *vm);
void bare_vm_free_ptr(struct bare_vm **vm);
#define auto_bare_vm __attribute__((cleanup(bare_vm_free_ptr)))

/* Begins a request, whose members the caller then writes. */
void bare_vm_begin(struct bare_vm *vm, struct message_out *m, const char *op);
/* Sends it and waits for a good answer. */
int bare_vm_request(struct bare_vm *vm, struct message_out *m, struct err *e) MUST_CHECK;

/* vmm_save, waiting until it is done. */
int bare_vm_save(struct bare_vm *vm, struct err *e) MUST_CHECK;

#endif
