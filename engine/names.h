/* SPDX-License-Identifier: Apache-2.0 */
/* Names of containers: the rule, and names made up of an adjective and a surname. */
#ifndef KVBOX_ENGINE_NAMES_H
#define KVBOX_ENGINE_NAMES_H

#include "base/err.h"

#define NAME_MAX_LEN   255
#define NAME_MADE_SIZE 48

/* Docker's rule and words: "Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are
 * allowed". */
int name_check(const char *name, struct err *e) MUST_CHECK;
/* A name such as "steady_noether"; with `number` more than 0 that digit is added, for retries. */
void name_make(int number, char ret[NAME_MADE_SIZE]);

#endif
