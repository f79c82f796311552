/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/target.h"
#include "cmd/verbs.h"

/* Without blanks around it. */
static char *trimmed(const char *text)
{
	size_t n;

	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	return xstrndup(text, n);
}

static int rename_container(struct cmd *c, const char *from, const char *to, struct err *e)
{
	auto_container struct container container = CONTAINER_INIT;
	auto_client struct client *client = NULL;
	struct err ignored = ERR_INIT;

	if (target_find(c, from, &container, &client, e) < 0 ||
	    container_rename(c->store, container.id, to, e) < 0)
		return -1;
	/* It has its name, whether or not the monitor can be told. */
	if (client && client_rename(client, *to == '/' ? to + 1 : to, &ignored) < 0)
		log_debug("the monitor keeps the old name: %s", ignored.msg);
	return 0;
}

static int rename_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_free char *from = trimmed(operands->v[0]), *to = trimmed(operands->v[1]);
	struct err e = ERR_INIT;

	(void)args;
	if (!*from || !*to) {
		fprintf(stderr, "Error: Neither old nor new names may be empty\n");
		return 1;
	}
	if (cmd_open(c, &e) == 0 && rename_container(c, from, to, &e) == 0)
		return 0;
	cmd_error(&e);
	fprintf(stderr, "Error: failed to rename container named %s\n", from);
	return 1;
}

const struct verb verb_rename = {
	.name = "rename",
	.operands = "CONTAINER NEW_NAME",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Give a container another name",
	.comp = COMP_CONTAINER,
	.main = rename_main,
};
