/* SPDX-License-Identifier: Apache-2.0 */
/* What of the confinement is tried, what is given up when the host refuses it, and what is told of that. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/confine_priv.h"

void confine_plan_note(struct confine_plan *p, enum confine_step step, const char *why)
{
	snprintf(p->why_not[step], CONFINE_WHY_SIZE, "%.*s", CONFINE_WHY_SIZE - 1, why);
}

void confine_plan_init(struct confine_plan *p)
{
	const bool root = geteuid() == 0;

	memset(p, 0, sizeof(*p));
	p->namespaces = p->root = true;
	p->user_namespace = !root;
	p->change_user = root;
	if (!root)
		confine_plan_note(p, CONFINE_USER, "only root can lease a user for each VM");
}

void confine_plan_apply(const struct confine_plan *p, struct confinement *ret)
{
	ret->namespaces = p->namespaces;
	ret->user_namespace = p->user_namespace;
	ret->root = p->root;
	ret->change_user = p->change_user;
}

bool confine_plan_weaken(struct confine_plan *p, const struct err *e)
{
	const struct confine_result *r = &p->result;
	const bool cloned = !confine_failed_at(r, CONFINE_USER_NS) &&
			    !confine_failed_at(r, CONFINE_NAMESPACES);

	if (cloned && confine_failed_at(r, CONFINE_USER) && p->change_user) {
		confine_plan_note(p, CONFINE_USER, e->msg);
	} else if (cloned && confine_failed_at(r, CONFINE_ROOT) && p->root) {
		confine_plan_note(p, CONFINE_ROOT, e->msg);
		confine_plan_note(p, CONFINE_USER, "needs a root folder of its own");
		confine_plan_note(p, CONFINE_PROC, "needs a root folder of its own");
		p->root = false;
	} else if (!cloned && p->namespaces && !p->user_namespace) {
		/* Root without the right to: as a plain user then. */
		confine_plan_note(p, CONFINE_USER, "root may not make namespaces here");
		p->user_namespace = true;
	} else if (!cloned && p->namespaces) {
		confine_plan_note(p, CONFINE_USER_NS, e->msg);
		confine_plan_note(p, CONFINE_NAMESPACES, e->msg);
		confine_plan_note(p, CONFINE_ROOT, "needs namespaces");
		confine_plan_note(p, CONFINE_PROC, "needs namespaces");
		p->namespaces = p->user_namespace = p->root = false;
	} else {
		return false;
	}
	p->change_user = false;
	return true;
}

bool confine_plan_applied(const struct confine_plan *p, enum confine_step step)
{
	return p->result.error[step] == 0 && !p->why_not[step][0];
}

const char *confine_plan_missing(const struct confine_plan *p, enum confine_step step)
{
	/* Root needs no user namespace. */
	if (confine_plan_applied(p, step) || (step == CONFINE_USER_NS && geteuid() == 0))
		return NULL;
	if (p->why_not[step][0])
		return p->why_not[step];
	return p->result.error[step] > 0 ? strerror(p->result.error[step]) : "not asked for";
}
