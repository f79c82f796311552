/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress.h"

#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/human.h"

#define BAR_WIDTH  30
#define LINE_LIMIT 256

void progress_init(struct progress *p, FILE *to)
{
	*p = (struct progress){ .to = to, .terminal = isatty(fileno(to)) };
}

/* "[=====>      ]  12.1MB/60.4MB" */
static void add_bar(struct str *out, const struct image_progress *event)
{
	int full = event->total > 0 ? (int)(event->current * BAR_WIDTH / event->total) : 0;

	if (event->total > 0) {
		str_addc(out, '[');
		for (int i = 0; i < BAR_WIDTH; i++)
			str_addc(out, i < full ? '=' : i == full ? '>' : ' ');
		str_add(out, "]  ");
	}
	human_size(out, event->current);
	if (event->total > 0) {
		str_addc(out, '/');
		human_size(out, event->total);
	}
}

/* Which line belongs to the id, counted from the top; a new one is put below. */
static size_t find_line(struct progress *p, const char *id)
{
	for (size_t i = 0; i < p->ids.n; i++) {
		if (strcmp(p->ids.v[i], id) == 0)
			return i;
	}
	fputc('\n', p->to);
	strv_add(&p->ids, id);
	return p->ids.n - 1;
}

static void redraw(struct progress *p, const struct image_progress *event)
{
	auto_str struct str line = STR_INIT(LINE_LIMIT);
	size_t line_number = find_line(p, event->id);
	size_t up = p->ids.n - line_number;

	str_addf(&line, "%.40s: %.80s ", event->id, event->status);
	if (event->current >= 0)
		add_bar(&line, event);
	/* up, to the first column, erase, write, down again */
	fprintf(p->to, "\033[%zuA\r\033[K%s\033[%zuB\r", up, line.buf, up);
	fflush(p->to);
}

void progress_show(void *ctx, const struct image_progress *event)
{
	struct progress *p = ctx;

	if (p->terminal && event->id) {
		redraw(p, event);
		return;
	}
	if (event->current >= 0)
		return;
	if (event->id)
		fprintf(p->to, "%s: %s\n", event->id, event->status);
	else
		fprintf(p->to, "%s\n", event->status);
	fflush(p->to);
	/* Redrawn lines above would be miscounted from here on. */
	strv_clear(&p->ids);
}

void progress_release(struct progress *p)
{
	strv_release(&p->ids);
}

void progress_status(void *ctx, const struct image_progress *event)
{
	FILE *to = ctx;

	if (event->current < 0) {
		fprintf(to, "%s\n", event->status);
		fflush(to);
	}
}
