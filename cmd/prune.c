/* SPDX-License-Identifier: Apache-2.0 */
/* `container prune` and `image prune`. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/filter.h"
#include "cmd/human.h"
#include "cmd/verbs.h"
#include "cmd/when.h"
#include "engine/prune.h"

#define ANSWER_MAX 64

struct prune_args {
	bool force, all;
	struct strv filters;
};

/* On stdout, as Docker asks. Whatever is not a yes, the end of the input too, is a no. */
static bool confirm(const char *warning)
{
	char answer[ANSWER_MAX];

	printf("WARNING! %s\nAre you sure you want to continue? [y/N] ", warning);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0;
}

static int read_until(const struct strv *texts, int64_t *ret, struct err *e)
{
	if (texts->n > 1)
		return err_set(e, ERR_INVALID, "more than one until filter specified");
	return texts->n ? when_parse(texts->v[0], clock_now(), ret, e) : 0;
}

/* `all` is NULL where nothing can dangle. */
static int read_filters(const struct strv *filters, struct prune_filter *ret, bool *all,
			struct err *e)
{
	auto_strv struct strv until = STRV_INIT;
	auto_strv struct strv dangling = STRV_INIT;
	enum image_dangling which = DANGLING_ANY;
	const struct filter_key keys[] = {
		{ "until", &until },
		{ "label", &ret->labels },
		{ "label!", &ret->not_labels },
		{ all ? "dangling" : NULL, &dangling },
		{ NULL, NULL },
	};

	if (filter_sort(filters, keys, e) < 0 || read_until(&until, &ret->until_ns, e) < 0 ||
	    filter_dangling(&dangling, &which, e) < 0)
		return -1;
	/* "dangling=false" is --all. */
	if (all && which != DANGLING_ANY)
		*all = which == DANGLING_NOT;
	return 0;
}

static int print_result(const char *heading, const struct prune_result *r)
{
	auto_str struct str size = STR_INIT(64);

	if (r->lines.n)
		printf("%s:\n", heading);
	for (size_t i = 0; i < r->lines.n; i++)
		printf("%s\n", r->lines.v[i]);
	human_size(&size, r->bytes);
	printf("%sTotal reclaimed space: %s\n", r->lines.n ? "\n" : "", size.buf);
	return 0;
}

/* ---- containers ---- */

static int container_prune_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_prune_filter struct prune_filter filter = { 0 };
	auto_prune_result struct prune_result result = { STRV_INIT, 0 };
	const struct prune_args *a = args;
	struct err e = ERR_INIT;

	(void)operands;
	if (!a->force && !confirm("This will remove all stopped containers."))
		return 0;
	if (read_filters(&a->filters, &filter, NULL, &e) < 0 || cmd_open(c, &e) < 0 ||
	    prune_containers(c->store, &filter, &result, &e) < 0)
		return cmd_fail(c, &e);
	return print_result("Deleted Containers", &result);
}

static const struct opt container_prune_opts[] = {
	OPT_LIST(0, "filter", struct prune_args, filters, "filter",
		 "Remove only what fits the condition (until=, label=, label!=)", COMP_NONE,
		 .check = filter_check),
	OPT_BOOL('f', "force", struct prune_args, force, "Do not ask"), OPT_END
};

const struct verb verb_container_prune = {
	.name = "prune",
	.max_operands = 0,
	.summary = "Remove all containers that do not run",
	.opts = container_prune_opts,
	.argsize = sizeof(struct prune_args),
	.main = container_prune_main,
};

/* ---- images ---- */

static int image_prune_main(struct cmd *c, void *args, const struct operands *operands)
{
	auto_prune_filter struct prune_filter filter = { 0 };
	auto_prune_result struct prune_result result = { STRV_INIT, 0 };
	const struct prune_args *a = args;
	bool all = a->all;
	struct err e = ERR_INIT;

	(void)operands;
	if (!a->force &&
	    !confirm(a->all ? "This will remove all images without at least one container "
			      "associated to them."
			    : "This will remove all dangling images."))
		return 0;
	if (read_filters(&a->filters, &filter, &all, &e) < 0 || cmd_open(c, &e) < 0 ||
	    prune_images(c->store, &filter, all, &result, &e) < 0)
		return cmd_fail(c, &e);
	return print_result("Deleted Images", &result);
}

static const struct opt image_prune_opts[] = {
	OPT_BOOL('a', "all", struct prune_args, all,
		 "Also those with a name that no container was made from"),
	OPT_LIST(0, "filter", struct prune_args, filters, "filter",
		 "Remove only what fits the condition (until=, label=, label!=)", COMP_NONE,
		 .check = filter_check),
	OPT_BOOL('f', "force", struct prune_args, force, "Do not ask"), OPT_END
};

const struct verb verb_image_prune = {
	.name = "prune",
	.max_operands = 0,
	.summary = "Remove images that nobody uses",
	.opts = image_prune_opts,
	.argsize = sizeof(struct prune_args),
	.main = image_prune_main,
};
