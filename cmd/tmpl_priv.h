/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of module tmpl: tokens, nodes, values. */
#ifndef KVBOX_CMD_TMPL_PRIV_H
#define KVBOX_CMD_TMPL_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "cmd/tmpl.h"

/* ---- memory: everything of one template, or of one execution, goes at once ---- */

struct tmpl_arena {
	struct tmpl_block *first;
	size_t total; /* bytes handed out */
};

void *tmpl_alloc(struct tmpl_arena *a, size_t n, size_t size);	/* zeroed */
char *tmpl_copy(struct tmpl_arena *a, const char *p, size_t n); /* terminated */
void tmpl_arena_release(struct tmpl_arena *a);

struct tmpl_text {
	const char *p;
	size_t n;
};

bool tmpl_text_is(struct tmpl_text t, const char *word);

/* ---- values ---- */

enum tmpl_kind {
	TV_NONE,    /* no value at all: "<no value>" */
	TV_MISSING, /* no argument came through the pipeline */
	TV_NULL,    /* a nil interface inside data */
	TV_BOOL,
	TV_INT,
	TV_FLOAT,
	TV_STR,
	TV_MAP, /* `json` may be NULL: a nil map */
	TV_STRUCT,
	TV_LIST,  /* `json` may be NULL: a nil slice; `first` and `n` are the part that counts */
	TV_WORDS, /* a list of strings made by split */
};

struct tmpl_value {
	enum tmpl_kind kind;
	enum tmpl_elem elem; /* of TV_MAP in typed documents */
	bool typed;	     /* of TV_MAP: its elements have a Go type; of TV_NULL: a nil pointer */
	bool boxed;	     /* to Go an interface {} until a pipeline has handed it on */
	union {
		bool b;
		int64_t i;
		double f;
		struct tmpl_text s;
		const struct json *json;
		const struct tmpl_text *words;
	};
	size_t first, n; /* TV_LIST, TV_WORDS */
};

/* `field` is the name of the struct's field that holds it, NULL elsewhere. */
struct tmpl_value tmpl_of_json(const struct json *j, const char *field, const struct tmpl_opts *o);
/* Of a struct's field that is not there: false when there is no such field. */
bool tmpl_of_empty(const char *field, const struct tmpl_opts *o, struct tmpl_value *ret);
struct tmpl_value tmpl_of_str(const char *p, size_t n);
struct tmpl_value tmpl_of_int(int64_t i);
struct tmpl_value tmpl_of_bool(bool b);
/* Element `i` of a list. */
struct tmpl_value tmpl_item(const struct tmpl_value *list, size_t i, const struct tmpl_opts *o);
bool tmpl_truth(const struct tmpl_value *v);
const char *tmpl_type_name(const struct tmpl_value *v, const struct tmpl_opts *o);

struct tmpl_entry {
	const char *key;
	struct tmpl_value value;
};

/* Entries of a map or struct without its methods; a map's are sorted. The caller frees. */
struct tmpl_entry *tmpl_entries(const struct tmpl_value *v, const struct tmpl_opts *o,
				size_t *ret_n);

/* ---- tokens ---- */

enum tmpl_tok {
	TOK_EOF,
	TOK_ERROR,
	TOK_TEXT,
	TOK_LEFT,
	TOK_RIGHT,
	TOK_SPACE,
	TOK_ASSIGN,
	TOK_DECLARE,
	TOK_PIPE,
	TOK_STRING,
	TOK_RAW_STRING,
	TOK_CHARACTER,
	TOK_NUMBER,
	TOK_BOOL,
	TOK_FIELD,
	TOK_VARIABLE,
	TOK_IDENTIFIER,
	TOK_OPEN,
	TOK_CLOSE,
	TOK_CHAR,
	TOK_KEYWORD, /* from here on: keywords */
	TOK_BLOCK,
	TOK_BREAK,
	TOK_CONTINUE,
	TOK_DEFINE,
	TOK_DOT,
	TOK_ELSE,
	TOK_END,
	TOK_IF,
	TOK_NIL,
	TOK_RANGE,
	TOK_TEMPLATE,
	TOK_WITH,
};

struct tmpl_token {
	enum tmpl_tok kind;
	unsigned line; /* from 1 */
	size_t pos;
	struct tmpl_text text; /* of TOK_ERROR: the message */
};

/* All tokens of a text, up to the first error or the end; both are tokens. */
struct tmpl_token *tmpl_lex(struct tmpl_arena *a, const char *text, size_t *ret_n);
/* As Go shows a token in its messages. */
void tmpl_token_text(const struct tmpl_token *t, struct str *out);

/* ---- nodes ---- */

enum tmpl_node_kind {
	NODE_LIST,
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_WITH,
	NODE_RANGE,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_END,
	NODE_ELSE,
	NODE_PIPE,
	NODE_COMMAND,
	NODE_FIELD,    /* .a.b */
	NODE_VARIABLE, /* $x.a.b: the first name is "$x" */
	NODE_CHAIN,    /* (...).a.b: kids[0] and names */
	NODE_IDENTIFIER,
	NODE_DOT,
	NODE_NIL,
	NODE_BOOL,
	NODE_NUMBER,
	NODE_STRING,
};

struct tmpl_node {
	enum tmpl_node_kind kind;
	size_t pos;
	struct tmpl_text text; /* text, identifier, or the constant as it was written */
	const char **names;    /* fields; variables that a pipeline sets; a template's name */
	size_t n_names;
	struct tmpl_node **kids; /* nodes, commands, arguments */
	size_t n_kids, cap_kids;
	struct tmpl_node *pipe, *body, *otherwise;
	struct tmpl_value value; /* of constants */
	bool assigns;		 /* a pipeline: "=" and not ":=" */
	bool is_int;		 /* a number that may serve as one: `i` */
	bool too_large;		 /* a number for 64 bits without a sign only */
	int64_t i;
};

/* As Go writes the node, cut at `out`'s limit. */
void tmpl_node_text(const struct tmpl_node *n, struct str *out);
void tmpl_append(struct tmpl_arena *a, struct tmpl_node *list, struct tmpl_node *kid);

struct tmpl_named {
	const char *name;
	struct tmpl_node *root;
};

struct tmpl {
	struct tmpl_arena arena;
	const char *text;
	struct tmpl_named *named; /* the first is the text itself, "" */
	size_t n_named, cap_named;
};

/* ---- parsing ---- */

struct tmpl_parser {
	struct tmpl *t;
	struct tmpl_token *tokens;
	size_t n_tokens, at;
	size_t seen; /* tokens looked at: errors name the last one's line */
	const char **vars;
	size_t n_vars, cap_vars;
	unsigned depth, parens, ranges;
	unsigned action_line;
	struct err *e;
};

const struct tmpl_token *tmpl_next(struct tmpl_parser *p);
const struct tmpl_token *tmpl_peek(struct tmpl_parser *p);
const struct tmpl_token *tmpl_next_word(struct tmpl_parser *p); /* past blanks */
const struct tmpl_token *
tmpl_peek_word(struct tmpl_parser *p); /* as Go's: the blanks are gone then */
void *tmpl_parse_error(struct tmpl_parser *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void *tmpl_unexpected(struct tmpl_parser *p, const struct tmpl_token *t, const char *context);
struct tmpl_node *tmpl_node_new(struct tmpl_parser *p, enum tmpl_node_kind kind, size_t pos);
void tmpl_push_var(struct tmpl_parser *p, const char *name);
/* A pipeline up to `end`. NULL after an error, as everywhere here. */
struct tmpl_node *tmpl_parse_pipeline(struct tmpl_parser *p, const char *context,
				      enum tmpl_tok end);
/* Contents of a quoted or raw string; false when it is malformed. */
bool tmpl_unquote(struct tmpl_arena *a, struct tmpl_text quoted, struct tmpl_text *ret);
/* A number or character constant into node->value. */
int tmpl_number(struct tmpl_parser *p, const struct tmpl_token *t, struct tmpl_node *ret);

/* ---- executing ---- */

struct tmpl_var {
	const char *name;
	struct tmpl_value value;
};

struct tmpl_exec {
	const struct tmpl *t;
	const struct tmpl_opts *opts;
	const char *name; /* of the template being executed */
	struct str *out;
	struct tmpl_arena arena;
	struct tmpl_var *vars;
	size_t n_vars, cap_vars, first_var; /* first of the present template */
	const struct tmpl_node *at;	    /* where errors are said to be */
	unsigned depth, nesting;
	uint64_t steps;
	struct err *e;
};

#define TMPL_STEPS_MAX	(2u << 20)
#define TMPL_MEMORY_MAX (64u << 20)
#define TMPL_STRING_MAX (16u << 20) /* what one function makes */
#define TMPL_DEPTH_MAX	100	    /* of templates, blocks and parentheses */

int tmpl_exec_error(struct tmpl_exec *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Counts; an error when the template has done too much. */
int tmpl_step(struct tmpl_exec *x);
void tmpl_exec_push(struct tmpl_exec *x, const char *name, struct tmpl_value v);
int tmpl_eval_pipeline(struct tmpl_exec *x, const struct tmpl_value *dot,
		       const struct tmpl_node *pipe, struct tmpl_value *ret);
/* What a text says is made: moves it into the execution's memory. */
struct tmpl_value tmpl_made(struct tmpl_exec *x, struct str *text);

/* ---- functions ---- */

/* Types of parameters. */
enum tmpl_param { PARAM_END, PARAM_ANY, PARAM_STRING, PARAM_INT, PARAM_WORDS };

#define TMPL_ARGS_MAX 64

struct tmpl_args {
	const struct tmpl_value *v;
	size_t n;
};

struct tmpl_func {
	const char *name;
	enum tmpl_param fixed[4];
	bool many; /* any number of further arguments of any type */
	/* On failure sets an error that says only why. NULL: and, or. */
	int (*call)(struct tmpl_exec *x, const struct tmpl_args *args, struct tmpl_value *ret,
		    struct err *why);
	bool of_docker;
};

const struct tmpl_func *tmpl_func_find(struct tmpl_text name);

/* tmpl_text.c and tmpl_compare.c */
typedef int tmpl_call(struct tmpl_exec *x, const struct tmpl_args *a, struct tmpl_value *ret,
		      struct err *why);
tmpl_call tmpl_do_json, tmpl_do_split, tmpl_do_join, tmpl_do_title, tmpl_do_lower, tmpl_do_upper,
	tmpl_do_pad, tmpl_do_truncate, tmpl_do_html, tmpl_do_js, tmpl_do_urlquery;
tmpl_call tmpl_do_eq, tmpl_do_ne, tmpl_do_lt, tmpl_do_le, tmpl_do_gt, tmpl_do_ge;

/* ---- printing ---- */

struct tmpl_format {
	char verb;
	bool plus, minus, sharp, space, zero, has_width, has_precision;
	int width, precision;
};

#define TMPL_PRINT_DEPTH_MAX 200

/* As Go's %v. A nil in data is "<nil>". */
void tmpl_print(const struct tmpl_value *v, const struct tmpl_opts *o, struct str *out);
void tmpl_print_as(const struct tmpl_value *v, const struct tmpl_format *f,
		   const struct tmpl_opts *o, struct str *out);
/* Verb 'j' is JSON's form; precision -1: as many digits as it takes. */
void tmpl_print_float(double f, char verb, int precision, struct str *out);
/* Go's Sprint: blanks between what is not text. */
void tmpl_sprint(const struct tmpl_args *a, const struct tmpl_opts *o, struct str *out);
void tmpl_sprintln(const struct tmpl_args *a, const struct tmpl_opts *o, struct str *out);
void tmpl_sprintf(const struct tmpl_args *a, const struct tmpl_opts *o, struct str *out);
/* In Go's double quotes. */
void tmpl_quote(const char *p, size_t n, struct str *out);
void tmpl_write_json(const struct tmpl_value *v, const struct tmpl_opts *o, int depth,
		     struct str *out);

#endif
