/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

void trace_release(struct trace *t)
{
	free(t->v);
	*t = (struct trace)TRACE_INIT;
}

static void copy_cut(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

void trace_add(struct trace *t, const char *lane, const char *name, int64_t begin, int64_t end)
{
	struct trace_event *ev;

	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->v = xreallocarray(t->v, t->cap, sizeof(*t->v));
	}
	ev = &t->v[t->n++];
	copy_cut(ev->name, sizeof(ev->name), name);
	copy_cut(ev->lane, sizeof(ev->lane), lane);
	ev->begin = begin;
	ev->end = end;
}

const struct trace_event *trace_find(const struct trace *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, name) == 0)
			return &t->v[i];
	return NULL;
}

static int by_begin(const void *a, const void *b)
{
	const struct trace_event *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

void trace_write(struct trace *t, struct str *out)
{
	struct json_writer w;

	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), by_begin);
	jw_init(&w, out, 0);
	jw_begin_object(&w, NULL);
	jw_begin_array(&w, "traceEvents");
	for (size_t i = 0; i < t->n; i++) {
		jw_begin_object(&w, NULL);
		jw_str(&w, "name", t->v[i].name);
		jw_str(&w, "ph", "X");
		jw_int(&w, "ts", t->v[i].begin / 1000);
		jw_int(&w, "dur", (t->v[i].end - t->v[i].begin) / 1000);
		jw_int(&w, "pid", 1);
		jw_str(&w, "tid", t->v[i].lane);
		jw_end(&w);
	}
	jw_end(&w);
	jw_str(&w, "displayTimeUnit", "ms");
	jw_end(&w);
	str_addc(out, '\n');
}

struct event_doc {
	char *name, *lane;
	int64_t ts, dur;
};

static const struct json_field event_fields[] = {
	JSON_STR("name", true, struct event_doc, name),
	JSON_STR("tid", true, struct event_doc, lane),
	JSON_INT("ts", true, struct event_doc, ts),
	JSON_INT("dur", true, struct event_doc, dur),
	JSON_END,
};

int trace_read(struct trace *t, const char *text, size_t n, struct err *e)
{
	auto_json struct json *doc = NULL;
	const struct json *list;
	int r = 0;

	if (json_parse(text, n, &doc, e) < 0)
		return -1;
	list = json_get(doc, "traceEvents");
	for (size_t i = 0; i < json_len(list) && r == 0; i++) {
		struct event_doc ev = { 0 };

		r = json_read(json_at(list, i), event_fields, &ev, e);
		if (r == 0)
			trace_add(t, ev.lane, ev.name, ev.ts * 1000, (ev.ts + ev.dur) * 1000);
		free(ev.name);
		free(ev.lane);
	}
	return r;
}
