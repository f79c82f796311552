/* SPDX-License-Identifier: Apache-2.0 */
/* What the executable may carry (vmm/bundle.h), unpacked below the root folder. */
#ifndef KVBOX_ENGINE_BUNDLED_H
#define KVBOX_ENGINE_BUNDLED_H

#include "base/err.h"
#include "engine/paths.h"

/* Before the VMM or the guest's files are looked for: sets KVBOX_LIBEXEC to the folder <root>/bundle/<digest>
 * for this process and the monitors that it starts. Nothing when nothing is carried, when the variable is set, or
 * when the files lie beside the executable. Makes the root folder only where there is something to unpack. */
int bundled_use(struct paths *p, struct err *e) MUST_CHECK;

#endif
