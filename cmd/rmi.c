/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "cmd/verbs.h"
#include "engine/image.h"

struct rmi_args {
	bool force;
	bool no_prune; /* there are no untagged parents that could stay */
};

static int rmi_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct image_listener listener = { progress_status, stdout, -1 };
	const struct rmi_args *a = args;
	struct err e = ERR_INIT;
	int code = 0;

	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++) {
		err_clear(&e);
		if (image_remove(c->store, operands->v[i], a->force, &listener, &e) == 0)
			continue;
		cmd_error(&e);
		if (!a->force || e.kind != ERR_NOT_FOUND)
			code = 1;
	}
	return code;
}

static const struct opt rmi_opts[] = {
	OPT_BOOL('f', "force", struct rmi_args, force,
		 "Remove it though stopped containers were made from it"),
	OPT_BOOL(0, "no-prune", struct rmi_args, no_prune,
		 "Keep untagged parents (images have none here)"),
	OPT_END
};

const struct verb verb_rmi = {
	.name = "rmi",
	.operands = "IMAGE [IMAGE...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Remove images",
	.opts = rmi_opts,
	.argsize = sizeof(struct rmi_args),
	.comp = COMP_IMAGE,
	.main = rmi_main,
};
