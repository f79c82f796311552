/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/verbs.h"
#include "engine/image.h"
#include "registry/reference.h"

/* What the words themselves tell, before any image is looked up. */
static int check_name(const char *text, struct err *e)
{
	auto_reference struct reference ignored = REFERENCE_INIT;
	const char *hex = str_has_prefix(text, "sha256:") ? text + 7 : text;
	struct err why = ERR_INIT;

	if (hex_is(hex, 64) || reference_parse(text, &ignored, &why) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
		       "Error parsing reference: \"%.255s\" is not a valid repository/tag: %s",
		       text, why.msg);
}

static int tag_main(struct cmd *c, void *args, const struct operands *operands)
{
	struct err e = ERR_INIT;

	(void)args;
	if (check_name(operands->v[0], &e) < 0 || check_name(operands->v[1], &e) < 0)
		return cmd_refuse(c, &e);
	if (cmd_open(c, &e) < 0 || image_tag(c->store, operands->v[0], operands->v[1], &e) < 0)
		return cmd_fail(c, &e);
	return 0;
}

const struct verb verb_tag = {
	.name = "tag",
	.operands = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
	.min_operands = 2,
	.max_operands = 2,
	.stop_at_operand = true,
	.summary = "Give an image one more name",
	.comp = COMP_IMAGE,
	.main = tag_main,
};
