/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: allocation that cannot fail, scope cleanup and moves.
 *
 * Out of memory aborts. So every size that comes from outside the program is limited before it gets
 * here. `auto_free` frees at the end of the scope; `take_ptr(&p)` moves the pointer out of the variable
 * and leaves NULL behind.
 */
#ifndef KVBOX_BASE_MEM_H
#define KVBOX_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed memory for `n` objects of `size` bytes; never NULL, also for none. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/* As realloc for `n` objects of `size` bytes; aborts on overflow and out of memory. */
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));

/* Copies; the caller frees. xstrdup(NULL) is NULL. */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n) __attribute__((returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((returns_nonnull));

static inline void mem_free_ptr(void *pp)
{
	void *p;

	memcpy(&p, pp, sizeof(p));
	free(p);
}
#define auto_free __attribute__((cleanup(mem_free_ptr)))

static inline void *mem_take_ptr(void *pp)
{
	void *p, *none = NULL;

	memcpy(&p, pp, sizeof(p));
	memcpy(pp, &none, sizeof(none));
	return p;
}
#define take_ptr(pp) ((__typeof__(*(pp)))mem_take_ptr(pp))

#endif
