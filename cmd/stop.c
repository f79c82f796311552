/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/stopping.h"
#include "cmd/verbs.h"

/* Waits for the end of one; returns the exit code. */
static int stop_one(struct stopping *s, const char *which)
{
	struct err e = ERR_INIT;
	bool stopping = s->client;

	if (stopping_end(s, &e) < 0) {
		if (stopping)
			(void)err_wrap(&e, "cannot stop container: %s", which);
		return cmd_error(&e);
	}
	printf("%s\n", which);
	fflush(stdout);
	return 0;
}

static int stop_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_free struct stopping *s = xcalloc((size_t)operands->n, sizeof(*s));
	struct stop_order order;
	struct err e = ERR_INIT;
	int code = 0;

	if (stopping_order(args, &order, &e) < 0 || cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	for (int i = 0; i < operands->n; i++)
		stopping_begin(c, &order, operands->v[i], &s[i]);
	for (int i = 0; i < operands->n; i++) {
		code |= stop_one(&s[i], operands->v[i]);
		stopping_release(&s[i]);
	}
	return code;
}

static const struct opt stop_opts[] = { STOP_OPTS, OPT_END };

const struct verb verb_stop = {
	.name = "stop",
	.operands = "CONTAINER [CONTAINER...]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Stop running containers",
	.opts = stop_opts,
	.argsize = sizeof(struct stop_args),
	.comp = COMP_CONTAINER,
	.main = stop_main,
};
