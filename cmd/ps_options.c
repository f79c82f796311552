/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of ps(1) in its three dialects: "-ef" (System V), "aux" (BSD), "--sort=pid" (GNU). Texts of
 * errors are procps's. Docker splits what was given at blanks, so no argument has one.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/ps_priv.h"

struct parser {
	struct ps_format *f;
	char *const *words;
	size_t n, at;		      /* `at`: the next word */
	bool full, extra, l, y, jobs; /* -f -F -l -y -j */
	char bsd_format;	      /* one of u j l v, or 0 */
	bool bsd;		      /* a BSD option was there: other default columns */
	bool user_defined;
};

/* ---- columns ---- */

static int add_column(struct ps_format *f, const struct ps_column *column, const char *title,
		      size_t n, struct err *e)
{
	if (f->n == PS_COLUMNS_MAX)
		return err_set(e, ERR_INVALID, "error: more than %d columns", PS_COLUMNS_MAX);
	f->columns[f->n].column = column;
	f->columns[f->n++].title = xstrndup(title, n);
	return 0;
}

/* One of "pid", "pid=TITLE", "pid:10". */
static int add_format(struct ps_format *f, const char *p, size_t n, struct err *e)
{
	size_t name = 0;
	const struct ps_column *column;

	while (name < n && p[name] != '=' && p[name] != ':')
		name++;
	if (name == 0)
		return err_set(e, ERR_INVALID, "error: improper format list");
	column = ps_column_find(p, name);
	if (!column)
		return err_set(e, ERR_INVALID,
			       "error: unknown user-defined format specifier \"%.*s\"", (int)name,
			       p);
	if (name < n && p[name] == ':') {
		/* A width, which columns here do not need. */
		for (name++; name < n && isdigit((unsigned char)p[name]);)
			name++;
	}
	if (name < n && p[name] == '=')
		return add_column(f, column, p + name + 1, n - name - 1, e);
	if (name < n)
		return err_set(e, ERR_INVALID, "error: improper format list");
	return add_column(f, column, column->title, strlen(column->title), e);
}

static int add_formats(struct parser *p, const char *list, struct err *e)
{
	if (!*list)
		return err_set(e, ERR_INVALID, "error: format specification must follow -o");
	p->user_defined = true;
	while (*list) {
		size_t n = strcspn(list, ",");

		if (add_format(p->f, list, n, e) < 0)
			return -1;
		list += n + (list[n] == ',');
	}
	return 0;
}

static int add_defaults(struct ps_format *f, const char *list, struct err *e)
{
	while (*list) {
		size_t n = strcspn(list, " ");

		if (add_format(f, list, n, e) < 0)
			return -1;
		list += n + (list[n] == ' ');
	}
	return 0;
}

/* The columns of -f, -l, -F, -j and what they make together. */
static int system_v_columns(const struct parser *p, struct err *e)
{
	bool full = p->full || p->extra;

	if (!full && !p->l && p->jobs)
		return add_defaults(p->f, "pid pgid sid tname time ucmd", e);
	if (!full && !p->l)
		return add_defaults(p->f, "pid tname time ucmd", e);
	if (p->l && add_defaults(p->f, p->y ? "s" : "f s", e) < 0)
		return -1;
	if (add_defaults(p->f, full ? "uid_hack pid ppid" : "uid pid ppid", e) < 0 ||
	    (p->jobs && add_defaults(p->f, "pgid sid", e) < 0) || add_defaults(p->f, "c", e) < 0)
		return -1;
	if (p->l &&
	    add_defaults(p->f, p->y ? "opri ni rss sz wchan" : "opri ni addr sz wchan", e) < 0)
		return -1;
	if (p->extra && add_defaults(p->f, p->l ? "rss psr" : "sz rss psr", e) < 0)
		return -1;
	if (full && add_defaults(p->f, "stime", e) < 0)
		return -1;
	return add_defaults(p->f, full ? "tname time cmd" : "tname time ucmd", e);
}

static int bsd_columns(const struct parser *p, struct err *e)
{
	switch (p->bsd_format) {
	case 'u':
		return add_defaults(
			p->f, "user pid %cpu %mem vsz rss tname stat start_time bsdtime args", e);
	case 'j':
		return add_defaults(p->f, "ppid pid pgid sid tname tpgid stat uid bsdtime args", e);
	case 'l':
		return add_defaults(p->f,
				    "f uid pid ppid priority ni vsz rss wchan stat tname bsdtime "
				    "args",
				    e);
	case 'v':
		return add_defaults(p->f, "pid tname stat bsdtime maj_flt rss %mem args", e);
	default:
		return add_defaults(p->f, "pid tname stat bsdtime args", e);
	}
}

static int default_columns(const struct parser *p, struct err *e)
{
	bool v = p->full || p->extra || p->l || p->jobs;

	if (v && p->bsd_format)
		return err_set(e, ERR_INVALID, "error: conflicting format options");
	return v || !p->bsd ? system_v_columns(p, e) : bsd_columns(p, e);
}

/* ---- arguments ---- */

/* What follows an option in its word, else the next word. NULL: there is none, and `e` is set. */
static const char *argument(struct parser *p, const char *rest, const char *what, struct err *e)
{
	if (*rest)
		return rest;
	if (p->at < p->n)
		return p->words[p->at++];
	(void)err_set(e, ERR_INVALID, "error: %s", what);
	return NULL;
}

static int add_sort(struct parser *p, const char *rest, const char *option, struct err *e)
{
	auto_free char *what = xasprintf("long sort specification must follow %s", option);
	const char *list = argument(p, rest, what, e);

	if (!list)
		return -1;
	while (*list) {
		size_t n = strcspn(list, ","), sign = *list == '-' || *list == '+';
		const struct ps_column *column = n > sign ? ps_column_find(list + sign, n - sign)
							  : NULL;

		if (!column || p->f->n_keys == PS_KEYS_MAX)
			return err_set(e, ERR_INVALID, "error: unknown sort specifier");
		p->f->keys[p->f->n_keys].column = column;
		p->f->keys[p->f->n_keys++].down = *list == '-';
		list += n + (list[n] == ',');
	}
	return 0;
}

static int add_list(struct strv *to, const char *list, bool numbers, struct err *e)
{
	auto_strv struct strv parts = STRV_INIT;

	strv_split(&parts, list, ',');
	for (size_t i = 0; i < parts.n; i++) {
		const char *text = parts.v[i];

		if (!*text || (numbers && text[strspn(text, "0123456789")]))
			return err_set(e, ERR_INVALID, "error: %s list syntax error",
				       numbers ? "process ID" : "name");
		strv_add(to, text);
	}
	return 0;
}

/* Options that choose processes, in any dialect. */
static int selection(struct parser *p, char which, const char *rest, struct err *e)
{
	const char *list = argument(p, rest,
				    strchr("pqP", which) ? "list of process IDs must follow -p"
							 : "list of names must follow",
				    e);

	if (!list)
		return -1;
	switch (which) {
	case 'p':
	case 'q':
		return add_list(&p->f->pids, list, true, e);
	case 'P': /* --ppid */
		return add_list(&p->f->ppids, list, true, e);
	case 'C':
		return add_list(&p->f->names, list, false, e);
	case 't':
		return add_list(&p->f->ttys, list, false, e);
	default:
		return add_list(&p->f->users, list, false, e);
	}
}

static int user_format(struct parser *p, const char *rest, bool around, struct err *e)
{
	const char *list = argument(p, rest, "format specification must follow -o", e);

	if (!list)
		return -1;
	if (!around)
		return add_formats(p, list, e);
	if (add_defaults(p->f, "pid", e) < 0 || add_formats(p, list, e) < 0)
		return -1;
	return add_defaults(p->f, p->bsd ? "s tname bsdtime args" : "s tname time args", e);
}

/* ---- dialects ---- */

#define NOT_TOLD "error: threads and security labels cannot be shown"

/* 1: the word ends here, for the rest was an argument. */
static int system_v_letter(struct parser *p, char letter, const char *rest, struct err *e)
{
	switch (letter) {
	case 'e':
	case 'A':
		p->f->all = true;
		return 0;
	case 'a':
	case 'd':
	case 'w':
	case 'c':
		return 0;
	case 'f':
		p->full = true;
		return 0;
	case 'F':
		p->extra = true;
		return 0;
	case 'l':
		p->l = true;
		return 0;
	case 'y':
		p->y = true;
		return 0;
	case 'j':
		p->jobs = true;
		return 0;
	case 'H':
		p->f->forest = true;
		return 0;
	case 'L':
	case 'T':
	case 'm':
	case 'M':
	case 'Z':
		return err_set(e, ERR_INVALID, NOT_TOLD);
	case 'o':
	case 'O':
		return user_format(p, rest, letter == 'O', e) < 0 ? -1 : 1;
	case 'p':
	case 'q':
	case 'C':
	case 't':
	case 'u':
	case 'U':
		return selection(p, letter, rest, e) < 0 ? -1 : 1;
	default:
		return err_set(e, ERR_INVALID, "error: unsupported SysV option");
	}
}

static int bsd_letter(struct parser *p, char letter, const char *rest, struct err *e)
{
	switch (letter) {
	case 'a':
	case 'x':
	case 'g':
	case 'w':
	case 'n':
	case 'S':
	case 'e':
		return 0;
	case 'u':
	case 'j':
	case 'l':
	case 'v':
		if (p->bsd_format && p->bsd_format != letter)
			return err_set(e, ERR_INVALID, "error: conflicting format options");
		p->bsd_format = letter;
		return 0;
	case 'f':
		p->f->forest = true;
		return 0;
	case 'r':
		p->f->running_only = true;
		return 0;
	case 'c':
		p->f->short_names = true;
		return 0;
	case 'h':
		p->f->no_titles = true;
		return 0;
	case 'H':
	case 'T':
	case 'L':
	case 'm':
	case 'M':
	case 'Z':
		return err_set(e, ERR_INVALID, NOT_TOLD);
	case 'k':
		return add_sort(p, rest, "'k'", e) < 0 ? -1 : 1;
	case 'o':
	case 'O':
		return user_format(p, rest, letter == 'O', e) < 0 ? -1 : 1;
	case 'p':
	case 'q':
	case 't':
	case 'U':
		return selection(p, letter, rest, e) < 0 ? -1 : 1;
	default:
		return err_set(e, ERR_INVALID, "error: unsupported option (BSD syntax)");
	}
}

static int letters(struct parser *p, const char *word,
		   int (*letter)(struct parser *, char, const char *, struct err *), struct err *e)
{
	for (; *word; word++) {
		int r = letter(p, *word, word + 1, e);

		if (r != 0)
			return r < 0 ? -1 : 0;
	}
	return 0;
}

static int gnu_word(struct parser *p, const char *word, struct err *e)
{
	static const struct {
		const char *name;
		char what; /* 's' sort, 'o' format, 'f' forest, 'h' no titles, '-' nothing, else selection */
	} known[] = {
		{ "sort", 's' },       { "format", 'o' },     { "forest", 'f' },
		{ "no-headers", 'h' }, { "no-heading", 'h' }, { "no-headings", 'h' },
		{ "headers", '-' },    { "heading", '-' },    { "pid", 'p' },
		{ "quick-pid", 'q' },  { "ppid", 'P' },	      { "user", 'u' },
		{ "tty", 't' },	       { "cumulative", '-' }, { "deselect", 0 },
	};
	size_t n = strcspn(word, "=");
	const char *rest = word[n] ? word + n + 1 : "";
	char what = 0;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) == n && memcmp(known[i].name, word, n) == 0)
			what = known[i].what;
	}
	switch (what) {
	case 0:
		return err_set(e, ERR_INVALID, "error: unknown gnu long option");
	case '-':
		return 0;
	case 'f':
		p->f->forest = true;
		return 0;
	case 'h':
		p->f->no_titles = true;
		return 0;
	case 'o':
		return user_format(p, rest, false, e);
	case 's':
		return add_sort(p, rest, "--sort", e);
	default:
		return selection(p, what, rest, e);
	}
}

/* "-aux": System V would take x for a user's name, and ps knows what was meant. */
static bool is_bsd_after_all(const char *word)
{
	return strchr(word, 'x') && word[strspn(word, "auxwfehc")] == '\0';
}

static int parse_word(struct parser *p, const char *word, struct err *e)
{
	if (strncmp(word, "--", 2) == 0)
		return gnu_word(p, word + 2, e);
	if (isdigit((unsigned char)*word)) {
		p->bsd = true;
		return add_list(&p->f->pids, word, true, e);
	}
	if (*word == '-' && !is_bsd_after_all(word + 1))
		return letters(p, word + 1, system_v_letter, e);
	p->bsd = true;
	return letters(p, word + (*word == '-'), bsd_letter, e);
}

/* Docker's rule: no other column may call itself PID. (Its regular expression does not look at the first
 * word.) */
static int check_disguise(char *const *words, size_t n, struct err *e)
{
	for (size_t i = 1; i < n; i++) {
		const char *title = strstr(words[i], "=PID");

		if (title && (title - words[i] != 3 || strncmp(words[i], "pid", 3) != 0))
			return err_set(e, ERR_INVALID, "specifying \"%.100s\" is not allowed",
				       words[i]);
	}
	return 0;
}

static int parse_words(struct parser *p, struct err *e)
{
	while (p->at < p->n) {
		const char *word = p->words[p->at++];

		if (*word && parse_word(p, word, e) < 0)
			return -1;
	}
	return p->user_defined ? 0 : default_columns(p, e);
}

int ps_format_parse(struct ps_format *ret, char *const *words, size_t n, struct err *e)
{
	static char everything[] = "-ef";
	static char *const default_words[] = { everything };
	struct parser p = { .f = ret, .words = words, .n = n };
	bool empty = true;

	for (size_t i = 0; i < n; i++)
		empty = empty && !*words[i];
	if (empty) {
		p.words = default_words;
		p.n = 1;
	}
	return check_disguise(words, n, e) < 0 ? -1 : parse_words(&p, e);
}

void ps_format_release(struct ps_format *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->columns[i].title);
	strv_release(&f->pids);
	strv_release(&f->ppids);
	strv_release(&f->users);
	strv_release(&f->names);
	strv_release(&f->ttys);
	f->n = 0;
}
