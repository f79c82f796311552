/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's text/template language over JSON values, as the users of `docker --format` know it. The module
 * knows nothing of containers: verbs hand it documents.
 *
 *	if (tmpl_parse(text, &t, e) < 0) ...		(e: "template: :1: unclosed action")
 *	if (tmpl_execute(t, data, &opts, &out, e) < 0) ...
 *	tmpl_free(t);
 *
 * Values: a JSON object is a Go map[string]interface{} (sorted when it is walked), or with `typed` a
 * struct: its fields keep their order, a field that is not there is an error, null is an empty list; the
 * fields that hold maps are then listed in `maps`. A key that ends in "()" is a method with one argument:
 * {"Label()": {"a": "1"}} answers `.Label "a"`; such keys are neither printed nor walked.
 *
 * Functions: Go's (and or not eq ne lt le gt ge index slice len print printf println html js urlquery) and
 * Docker's (json split join title lower upper pad truncate).
 *
 * Templates are hostile input: length, nesting, steps, memory and output are limited.
 */
#ifndef KVBOX_CMD_TMPL_H
#define KVBOX_CMD_TMPL_H

#include <stdbool.h>

#include "base/json.h"

#define TMPL_TEXT_MAX	(64u << 10)
#define TMPL_OUTPUT_MAX (64u << 20) /* for callers: limit of `out` */

struct tmpl;

/* What a map of a typed document holds; decides what `index` gives for a key that is not there. */
enum tmpl_elem { TMPL_ELEM_ANY, TMPL_ELEM_STRING, TMPL_ELEM_LIST };

struct tmpl_map {
	const char *field; /* NULL ends the list */
	enum tmpl_elem elem;
};

/* Another name of a field, used where the field itself is not there. A name may have several. */
struct tmpl_alias {
	const char *name, *field; /* NULL ends the list */
};

/* What a field of a struct is to Go where JSON has null for it, or nothing since it is empty. */
enum tmpl_zero {
	TMPL_ZERO_POINTER, /* nil: "<nil>", and false */
	TMPL_ZERO_MAP,
	TMPL_ZERO_LIST,
	TMPL_ZERO_STRING,
	TMPL_ZERO_INT,
	TMPL_ZERO_BOOL,
};
struct tmpl_empty {
	const char *field; /* NULL ends the list */
	enum tmpl_zero zero;
};

struct tmpl_opts {
	bool missing_is_error; /* missingkey=error: a map without the key is an error, not "<no value>" */
	bool typed;
	bool header; /* Docker's table heading: its own functions give their argument back, and a method
		      * the last word of its argument */
	const struct tmpl_map *maps;
	const struct tmpl_alias *aliases;
	const struct tmpl_empty *empties; /* of a field that is in none, null is an empty list */
	/* Go's name of the type of `data`, for "can't evaluate field X in type ..."; NULL: structs answer
	 * as maps do: "map has no entry for key". */
	const char *type_name;
};

/* The error is Go's text. */
int tmpl_parse(const char *text, struct tmpl **ret, struct err *e) MUST_CHECK;
/* Appends to `out`; after an error also what was made before it. NULL data is nil, NULL opts all off. */
int tmpl_execute(const struct tmpl *t, const struct json *data, const struct tmpl_opts *opts,
		 struct str *out, struct err *e) MUST_CHECK;
void tmpl_free(struct tmpl *t);
void tmpl_free_ptr(struct tmpl **t);
#define auto_tmpl __attribute__((cleanup(tmpl_free_ptr)))

#endif
