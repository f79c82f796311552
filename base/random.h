/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the kernel, and identifiers made of them. */
#ifndef KVBOX_BASE_RANDOM_H
#define KVBOX_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *p, size_t n); /* getrandom(2); aborts where there is none */
uint32_t random_below(uint32_t n);    /* uniform, n > 0 */

#define ID_TEXT_SIZE (64 + 1)
/* A new object identifier: 64 lower-case hex digits, as Docker's; its first 12 never are all decimal. */
void random_id(char ret[ID_TEXT_SIZE]);

#endif
