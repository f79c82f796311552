/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/capability.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* By number, as in the kernel's linux/capability.h. */
static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};
_Static_assert((uint64_t)1 << ARRAY_LEN(names) == CAPABILITY_ALL + 1,
	       "CAPABILITY_ALL does not match names[]");

#define ALL "ALL"

uint64_t capability_bit(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return (uint64_t)1 << i;
	return 0;
}

/* The name in upper case, without blanks around it, with CAP_ in front unless it is ALL. */
static char *full_name(const char *text)
{
	size_t n;
	char *upper;

	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	upper = xstrndup(text, n);
	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	if (strcmp(upper, ALL) != 0 && !str_has_prefix(upper, "CAP_")) {
		char *full = xasprintf("CAP_%s", upper);

		free(upper);
		return full;
	}
	return upper;
}

static int by_text(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Full names of `from`, sorted, each once; only ALL where that is among them. */
static void full_names(const struct strv *from, struct strv *ret)
{
	for (size_t i = 0; i < from->n; i++) {
		auto_free char *name = full_name(from->v[i]);

		if (!strv_has(ret, name))
			strv_add_take(ret, take_ptr(&name));
	}
	if (strv_has(ret, ALL)) {
		strv_clear(ret);
		strv_add(ret, ALL);
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
}

void capability_normalise(const struct strv *add, const struct strv *drop, struct strv *ret_add,
			  struct strv *ret_drop)
{
	auto_strv struct strv adds = STRV_INIT;
	auto_strv struct strv drops = STRV_INIT;
	auto_strv struct strv kept = STRV_INIT;

	full_names(add, &adds);
	full_names(drop, &drops);
	for (size_t i = 0; i < drops.n; i++)
		if (!strv_has(&adds, drops.v[i]))
			strv_add(&kept, drops.v[i]);
	strv_copy(ret_add, &adds);
	strv_copy(ret_drop, &kept);
}

static int mask_of(const struct strv *list, const char *what, bool *ret_all, uint64_t *ret,
		   struct err *e)
{
	*ret_all = false;
	*ret = 0;
	for (size_t i = 0; i < list->n; i++) {
		auto_free char *name = full_name(list->v[i]);
		uint64_t bit = capability_bit(name);

		if (strcmp(name, ALL) == 0)
			*ret_all = true;
		else if (!bit)
			return err_set(e, ERR_INVALID, "invalid %s: unknown capability: \"%s\"",
				       what, name);
		*ret |= bit;
	}
	return 0;
}

int capability_mask(const struct strv *add, const struct strv *drop, bool privileged, uint64_t *ret,
		    struct err *e)
{
	uint64_t adds, drops;
	bool add_all, drop_all;

	if (mask_of(add, "CapAdd", &add_all, &adds, e) < 0 ||
	    mask_of(drop, "CapDrop", &drop_all, &drops, e) < 0)
		return -1;
	if (privileged)
		*ret = CAPABILITY_ALL;
	else if (add_all)
		*ret = CAPABILITY_ALL & ~drops;
	else if (drop_all)
		*ret = adds;
	else
		*ret = (CAPABILITY_DEFAULT & ~drops) | adds;
	return 0;
}
