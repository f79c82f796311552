/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as Docker's users write them: "KILL", "SIGKILL", "sigkill", "9", "RTMIN+3". */
#ifndef KVBOX_ENGINE_SIGNAME_H
#define KVBOX_ENGINE_SIGNAME_H

#include "base/err.h"

/* ERR_INVALID "invalid signal: x". */
int signame_parse(const char *text, int *ret, struct err *e) MUST_CHECK;

#endif
