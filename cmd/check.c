/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/verbs.h"
#include "engine/check.h"
#include "vmm/probe.h"

struct check_args {
	bool deep, repair;
};

static void print_line(void *ctx, const char *line)
{
	(void)ctx;
	printf("%s\n", line);
}

/* A KVM that failed is tried again. */
static int forget_kvm(struct cmd *c, struct err *e)
{
	int run_fd = store_paths(c->store)->run_fd;

	return run_fd < 0 ? 0 : kvm_mark_good(run_fd, e);
}

static int check_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct check_args *a = args;
	const struct check check = { .repair = a->repair, .deep = a->deep, .report = print_line };
	struct err e = ERR_INIT;
	int problems;

	(void)operands;
	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	problems = check_run(c->store, &check, &e);
	if (problems < 0 || (a->repair && forget_kvm(c, &e) < 0))
		return cmd_fail(c, &e);
	if (problems == 0) {
		printf("No problems found\n");
		return 0;
	}
	fflush(stdout);
	fprintf(stderr, "%s: %d problem%s found\n", c->prog, problems, problems == 1 ? "" : "s");
	return 1;
}

static const struct opt check_opts[] = {
	OPT_BOOL(0, "deep", struct check_args, deep,
		 "Read every blob and compare it with its digest"),
	OPT_BOOL(0, "repair", struct check_args, repair, "Remove what was left behind"), OPT_END
};

const struct verb verb_check = {
	.name = "check",
	.max_operands = 0,
	.summary = "Look for damage and for what was left behind",
	.opts = check_opts,
	.argsize = sizeof(struct check_args),
	.main = check_main,
};
