/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/seccomp.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/capability.h"
#include "engine/seccomp_priv.h"

void seccomp_profile_init(struct seccomp_profile *p, uint32_t action)
{
	*p = (struct seccomp_profile){ .action = action, .arches = 1 };
}

void seccomp_profile_release(struct seccomp_profile *p)
{
	for (size_t i = 0; i < p->n; i++)
		strv_release(&p->rules[i].names);
	free(p->rules);
	seccomp_profile_init(p, 0);
}

struct seccomp_rule *seccomp_profile_add(struct seccomp_profile *p, uint32_t action)
{
	p->rules = xreallocarray(p->rules, p->n + 1, sizeof(*p->rules));
	p->rules[p->n] = (struct seccomp_rule){ .action = action };
	return &p->rules[p->n++];
}

bool seccomp_kernel_at_least(const char *release, unsigned int version, unsigned int patchlevel)
{
	char *end;
	unsigned long had = strtoul(release, &end, 10), minor;

	if (end == release || *end != '.')
		return true;
	minor = strtoul(end + 1, NULL, 10);
	return had > version || (had == version && minor >= patchlevel);
}

int seccomp_check(const char *text, size_t n, struct err *e)
{
	auto_seccomp_profile struct seccomp_profile p = { .n = 0 };
	struct seccomp_target t = { CAPABILITY_ALL, "" };

	return seccomp_profile_read(text, n, &t, &p, e);
}

bool seccomp_is_default(const char *profile)
{
	return !*profile || strcmp(profile, "builtin") == 0;
}

int seccomp_compile(const char *profile, const char *kernel, uint64_t caps, struct str *ret,
		    struct err *e)
{
	auto_seccomp_profile struct seccomp_profile p = { .n = 0 };
	struct seccomp_target t = { caps, kernel };

	if (strcmp(profile, SECCOMP_UNCONFINED) == 0)
		return 0;
	if (seccomp_is_default(profile))
		seccomp_default(&t, &p);
	else if (seccomp_profile_read(profile, strlen(profile), &t, &p, e) < 0)
		return -1;
	return p.none ? 0 : seccomp_assemble(&p, ret, e);
}
