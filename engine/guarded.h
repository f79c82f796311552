/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths of the kernel's file systems that Docker hides from a container, and those that it makes
 * read-only, unless it is privileged or asks for them (--security-opt systempaths=unconfined).
 */
#ifndef KVBOX_ENGINE_GUARDED_H
#define KVBOX_ENGINE_GUARDED_H

#include "base/strv.h"
#include "engine/spec.h"

/* Those of this container, which may be none, appended. */
void guarded_masked(const struct container_spec *s, struct strv *ret);
void guarded_readonly(const struct container_spec *s, struct strv *ret);

#endif
