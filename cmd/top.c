/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/ps_format.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

#define OUTPUT_MAX    (64u << 20)
#define PROCESSES_MAX (1u << 18)

static int64_t last_of(const struct ps_list *l)
{
	return l->n ? l->v[l->n - 1].pid : 0;
}

/* Asks for one piece after the other, as long as there are more and each brings some. */
static int read_processes(struct client *client, struct ps_list *l, int64_t *ret_left,
			  struct err *e)
{
	const struct json *document;
	int64_t after, last = 0;

	*ret_left = 0;
	do {
		after = last;
		if (client_top(client, after, &document, e) < 0 || ps_list_add(l, document, e) < 0)
			return -1;
		last = last_of(l);
		if (last > after)
			*ret_left = json_int(json_get(document, "left_out"), 0);
	} while (*ret_left > 0 && last > after && l->n < PROCESSES_MAX);
	ps_list_end(l, clock_now());
	return 0;
}

static int print_processes(struct cmd *c, const struct ps_format *format, const char *which,
			   struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	auto_ps_list struct ps_list list = { .v = NULL };
	auto_str struct str out = STR_INIT(OUTPUT_MAX);
	int64_t left;

	if (target_running(c, which, &container, &client, e) < 0 ||
	    read_processes(client, &list, &left, e) < 0 ||
	    ps_format_print(format, &list, &out, e) < 0)
		return -1;
	(void)fwrite(out.buf, 1, out.len, stdout);
	if (left > 0)
		fprintf(stderr, "WARNING: %lld more processes are not shown\n", (long long)left);
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
