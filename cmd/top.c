/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/ps_format.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

#define OUTPUT_MAX (64u << 20)

static int print_processes(struct cmd *c, const struct ps_format *format, const char *which,
			   struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	auto_ps_list struct ps_list list = { .v = NULL };
	auto_str struct str out = STR_INIT(OUTPUT_MAX);
	const struct json *document;

	if (target_running(c, which, &container, &client, e) < 0 ||
	    client_top(client, &document, e) < 0 ||
	    ps_list_read(&list, document, clock_now(), e) < 0 ||
	    ps_format_print(format, &list, &out, e) < 0)
		return -1;
	(void)fwrite(out.buf, 1, out.len, stdout);
	if (json_int(json_get(document, "left_out"), 0) > 0)
		fprintf(stderr, "WARNING: %lld more processes are not shown\n",
			(long long)json_int(json_get(document, "left_out"), 0));
	return 0;
}

/* Docker's client puts the words together with blanks, and its engine cuts at blanks. */
static void cut_words(const struct operands *operands, struct strv *ret)
{
	for (int i = 1; i < operands->n; i++)
		strv_split(ret, operands->v[i], ' ');
}

static int top_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_ps_format struct ps_format format = { .n = 0 };
	auto_strv struct strv words = STRV_INIT;
	struct err e = ERR_INIT;

	(void)args;
	cut_words(operands, &words);
	if (ps_format_parse(&format, words.v, words.n, &e) < 0 || cmd_open(c, &e) < 0 ||
	    print_processes(c, &format, operands->v[0], &e) < 0)
		return cmd_fail(c, &e);
	return 0;
}

const struct verb verb_top = {
	.name = "top",
	.operands = "CONTAINER [ps OPTIONS]",
	.min_operands = 1,
	.max_operands = OPT_MANY,
	.summary = "Show the processes of a container",
	.stop_at_operand = true,
	.comp = COMP_CONTAINER,
	.main = top_main,
};
