/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by ps_format.c (reading and printing), ps_options.c (the command line) and ps_columns.c. */
#ifndef KVBOX_CMD_PS_PRIV_H
#define KVBOX_CMD_PS_PRIV_H

#include "cmd/ps_format.h"

enum ps_kind {
	PS_KIND_INT,  /* an int64_t member */
	PS_KIND_TEXT, /* a char * member */
	PS_KIND_CALL, /* `put`, and `key` to sort by where that is not the text */
};

struct ps_column {
	const char *name; /* NULL ends the table */
	const char *title;
	enum ps_kind kind;
	bool is_command; /* is shown behind the lines of a forest */
	size_t offset;
	void (*put)(struct str *out, const struct ps_list *l, const struct ps_process *p);
	int64_t (*key)(const struct ps_list *l, const struct ps_process *p);
};

/* NULL: there is no such column. */
const struct ps_column *ps_column_find(const char *name, size_t n);
void ps_column_text(const struct ps_column *c, const struct ps_list *l, const struct ps_process *p,
		    struct str *out);
/* Less than, equal to or greater than 0. */
int ps_column_compare(const struct ps_column *c, const struct ps_list *l,
		      const struct ps_process *a, const struct ps_process *b);

#endif
