/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables as Docker prints them: columns at least ten wide, three blanks between, nothing after the last.
 *
 *	table_begin(&t, columns, ARRAY_LEN(columns));	(the header)
 *	table_cell(&t, text); ...			(row after row)
 *	table_print(&t, stdout); table_release(&t);
 */
#ifndef KVBOX_CMD_TABLE_H
#define KVBOX_CMD_TABLE_H

#include <stdio.h>

#include "base/strv.h"

#define TABLE_COLUMNS_MAX 16

struct table {
	size_t columns;
	size_t width[TABLE_COLUMNS_MAX]; /* in characters */
	struct strv cells;
};

void table_begin(struct table *t, const char *const *headers, size_t columns);
void table_cell(struct table *t, const char *text);
void table_print(const struct table *t, FILE *to);
void table_release(struct table *t);
#define auto_table __attribute__((cleanup(table_release)))

#endif
