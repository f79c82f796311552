/* SPDX-License-Identifier: Apache-2.0 */
/* Labels against what filters ask for: "key" (whatever its value) or "key=value". */
#ifndef KVBOX_ENGINE_LABELS_H
#define KVBOX_ENGINE_LABELS_H

#include <stdbool.h>

#include "base/strv.h"

/* `labels` are key=value. */
bool labels_have(const struct strv *labels, const char *want);
/* True when nothing is wanted. */
bool labels_have_all(const struct strv *labels, const struct strv *wanted);

#endif
