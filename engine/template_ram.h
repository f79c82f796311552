/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RAM of a saved VM, handed from one monitor to the next: it is sealed, so all copies can map the same
 * pages, and none of them has to be read again while a monitor lives that has them.
 *
 * Who has it writes into a file of the run root where: its process, the descriptor there, and what tells that
 * memory file from any other that may have taken its place since. The next one opens the descriptor through
 * /proc, which the kernel allows to the same user only, and believes nothing but what it then finds. The
 * file may be old, wrong or lost: then the RAM is loaded.
 */
#ifndef KVBOX_ENGINE_TEMPLATE_RAM_H
#define KVBOX_ENGINE_TEMPLATE_RAM_H

#include "base/err.h"
#include "engine/paths.h"

/*
 * The RAM of the template with that name, kept in the file `kept`: another monitor's, else loaded. Others take it
 * from this process as long as the descriptor is open.
 */
int template_ram_get(const struct paths *p, const char *name, int kept, int *ret,
		     struct err *e) MUST_CHECK;
/* Forgets who has it. */
void template_ram_forget(const struct paths *p, const char *name);

#endif
