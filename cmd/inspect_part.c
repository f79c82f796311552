/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_part.h"

#include "base/clock.h"

void part_time(struct json_writer *w, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(ns, text);
	jw_str(w, key, text);
}

void part_list(struct json_writer *w, const char *key, const struct strv *list)
{
	if (list->n)
		jw_strv(w, key, list);
	else
		jw_null(w, key);
}

void part_map_if_any(struct json_writer *w, const char *key, const struct strv *map)
{
	if (map->n)
		jw_map(w, key, map);
}

void part_empty_object(struct json_writer *w, const char *key)
{
	jw_begin_object(w, key);
	jw_end(w);
}

void part_empty_array(struct json_writer *w, const char *key)
{
	jw_begin_array(w, key);
	jw_end(w);
}

void part_set(struct json_writer *w, const char *key, const struct strv *names)
{
	if (!names->n) {
		jw_null(w, key);
		return;
	}
	jw_begin_object(w, key);
	for (size_t i = 0; i < names->n; i++)
		part_empty_object(w, names->v[i]);
	jw_end(w);
}
