/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include <stdio.h>

#include "base/mem.h"
#include "cmd/config.h"

#define ENGINE_PREFIX "Error response from daemon: "

void cmd_release(struct cmd *c)
{
	store_close(c->store);
	c->store = NULL;
	config_free(c->config);
	c->config = NULL;
	paths_release(&c->paths);
	free(c->path);
	c->path = NULL;
}

int cmd_open_paths(struct cmd *c, struct err *e)
{
	return paths_open(c->root, c->runroot, false, &c->paths, e);
}

int cmd_open(struct cmd *c, struct err *e)
{
	if (cmd_open_paths(c, e) < 0 || store_open(&c->paths, &c->store, e) < 0)
		return -1;
	return store_recover(c->store, e);
}

static int print_failure(const struct cmd *c, int code, const char *prefix, const struct err *e)
{
	fflush(stdout);
	if (code)
		fprintf(stderr, "%s: %s%s\n\nRun '%s --help' for more information\n", c->prog,
			prefix, e->msg, c->path);
	else
		fprintf(stderr, "%s%s\n", prefix, e->msg);
	return code ? code : 1;
}

int cmd_refuse(const struct cmd *c, const struct err *e)
{
	return print_failure(c, c->verb->refuse_code, "", e);
}

int cmd_fail(const struct cmd *c, const struct err *e)
{
	return print_failure(c, c->verb->fail_code, ENGINE_PREFIX, e);
}

int cmd_fail_here(const struct cmd *c, const struct err *e)
{
	return print_failure(c, c->verb->fail_code, "", e);
}

int cmd_error(const struct err *e)
{
	fflush(stdout);
	fprintf(stderr, ENGINE_PREFIX "%s\n", e->msg);
	return 1;
}

int cmd_interrupted(const struct cmd *c, int sig)
{
	fflush(stdout);
	fprintf(stderr, "%s: interrupted\n", c->prog);
	return 128 + sig;
}
