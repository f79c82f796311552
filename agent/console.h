/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says on the guest's console: errors only, for the console log. */
#ifndef KVBOX_AGENT_CONSOLE_H
#define KVBOX_AGENT_CONSOLE_H

#include "base/err.h"

/* One line, "kvbox-agent: " before it. Keeps errno. */
void console_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
