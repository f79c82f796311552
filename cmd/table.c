/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/table.h"

#include <assert.h>

#define MIN_WIDTH 10
#define PADDING	  3

/* Characters of UTF-8 text. */
static size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void table_begin(struct table *t, const char *const *headers, size_t columns)
{
	assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
	*t = (struct table){ .columns = columns };
	for (size_t i = 0; i < columns; i++)
		table_cell(t, headers[i]);
}

void table_cell(struct table *t, const char *text)
{
	size_t column = t->cells.n % t->columns;
	size_t width = text_width(text);

	if (width > t->width[column])
		t->width[column] = width;
	strv_add(&t->cells, text);
}

void table_print(const struct table *t, FILE *to)
{
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t column = i % t->columns;
		size_t width = t->width[column] + PADDING;

		fputs(t->cells.v[i], to);
		if (column + 1 == t->columns) {
			fputc('\n', to);
			continue;
		}
		for (size_t n = text_width(t->cells.v[i]);
		     n < (width < MIN_WIDTH ? MIN_WIDTH : width); n++)
			fputc(' ', to);
	}
}

void table_release(struct table *t)
{
	strv_release(&t->cells);
}
