/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes everything from this process that converting layers does not need: root, capabilities,
 * network, opening files, starting processes. What is left is reading and writing the descriptors
 * that are open, and memory up to a limit. A system call that is not on the list ends the process.
 */
#ifndef KVBOX_ENGINE_CONVERT_CONFINE_H
#define KVBOX_ENGINE_CONVERT_CONFINE_H

#include "base/err.h"

/* Cannot be undone. Libraries that are wanted later must be open. */
int convert_confine(struct err *e) MUST_CHECK;

#endif
