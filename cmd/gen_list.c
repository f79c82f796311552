/* SPDX-License-Identifier: Apache-2.0 */
/* All options as lines, for the comparison with Docker's (docs/docker-options.md, scripts/gen). */
#include "cmd/gen.h"

static void add_options(struct str *out, const char *verb, const struct opt *opts)
{
	const struct opt *o = gen_next_option(opts, NULL, true);

	if (!o)
		str_addf(out, "%s\t-\t-\t-\n", verb);
	for (; o; o = gen_next_option(opts, o, true)) {
		str_addf(out, "%s\t--%s\t-", verb, o->name);
		if (o->letter)
			str_addc(out, o->letter);
		str_addf(out, "\t%s\n", gen_takes_value(o) ? "value" : "bool");
	}
}

void gen_list(struct str *out, const struct opt *global)
{
	add_options(out, "(program)", global);
	for (const struct verb_entry *entry = gen_first_names(verb_entries); entry;
	     entry = gen_first_names(entry + 1)) {
		auto_str struct str name = STR_INIT(GEN_LIMIT);

		gen_add_name(&name, entry);
		add_options(out, name.buf, entry->verb->opts);
	}
}
