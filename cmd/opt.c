/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/opt.h"

#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

#define INTS_OUT_OF_RANGE "value out of range"
#define CPUS_DIGITS	  9
#define CPUS_MAX	  1000000

struct parser {
	const struct verb *verb;
	void *args;
	char **argv;
	int argc;
	int at; /* next word */
	struct opt_result *result;
};

static const struct opt *find_name(const struct verb *verb, const char *name, size_t n)
{
	for (const struct opt *o = verb->opts; o && o->name; o++) {
		if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
			return o;
	}
	return NULL;
}

static const struct opt *find_letter(const struct verb *verb, char letter)
{
	for (const struct opt *o = verb->opts; o && o->name; o++) {
		if (o->letter == letter)
			return o;
	}
	return NULL;
}

static int parse_int(const char *text, int64_t *ret, struct err *e)
{
	struct err why = ERR_INIT;
	const char *digits = text + (*text == '-' || *text == '+');

	if (parse_i64(text, INT32_MIN, INT32_MAX, ret, &why) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "strconv.ParseInt: parsing \"%.100s\": %s", text,
		       *digits && strspn(digits, "0123456789") == strlen(digits)
			       ? INTS_OUT_OF_RANGE
			       : "invalid syntax");
}

/* A decimal number of processors, exact to 1e-9. */
static int parse_cpus(const char *text, int64_t *ret, struct err *e)
{
	size_t whole = strspn(text, "0123456789");
	const char *fraction = text[whole] == '.' ? text + whole + 1 : text + whole;
	size_t digits = strspn(fraction, "0123456789");
	int64_t v = 0;

	if (fraction[digits] || whole + digits == 0)
		return err_set(e, ERR_INVALID, "failed to parse %.100s as a rational number", text);
	for (size_t i = 0; i < whole && v <= CPUS_MAX; i++)
		v = v * 10 + (text[i] - '0');
	if (v > CPUS_MAX)
		return err_set(e, ERR_INVALID, "value is too large");
	for (size_t i = 0; i < CPUS_DIGITS; i++)
		v = v * 10 + (i < digits ? fraction[i] - '0' : 0);
	if (digits > CPUS_DIGITS && strspn(fraction + CPUS_DIGITS, "0") != digits - CPUS_DIGITS)
		return err_set(e, ERR_INVALID, "value is too precise");
	*ret = v;
	return 0;
}

static int set_bool(bool *field, const char *text, struct err *e)
{
	struct err why = ERR_INIT;

	if (parse_bool(text, field, &why) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "strconv.ParseBool: parsing \"%.100s\": invalid syntax",
		       text);
}

static int set_value(const struct opt *o, void *args, const char *text, struct err *e)
{
	char *field = (char *)args + o->offset;
	struct opt_int *number;

	switch (o->kind) {
	case OPT_KIND_BOOL:
		return set_bool((void *)field, text, e);
	case OPT_KIND_STR:
		memcpy(field, &text, sizeof(text));
		return 0;
	case OPT_KIND_INT:
		number = (void *)field;
		if (parse_int(text, &number->v, e) < 0)
			return -1;
		number->set = true;
		return 0;
	case OPT_KIND_LIST:
		strv_add((void *)field, text);
		return 0;
	case OPT_KIND_SIZE:
		return parse_size(text, (void *)field, e);
	case OPT_KIND_CPUS:
		return parse_cpus(text, (void *)field, e);
	case OPT_KIND_END:
	case OPT_KIND_COUNT:
		break;
	}
	return err_set(e, ERR_INVALID, "option of no kind");
}

static int set_given(const struct parser *p, const struct opt *o, const char *text, struct err *e)
{
	struct err why = ERR_INIT;

	if (set_value(o, p->args, text, &why) == 0)
		return 0;
	if (o->letter)
		return err_set(e, ERR_INVALID,
			       "invalid argument \"%.100s\" for \"-%c, --%s\" flag: %s", text,
			       o->letter, o->name, why.msg);
	return err_set(e, ERR_INVALID, "invalid argument \"%.100s\" for \"--%s\" flag: %s", text,
		       o->name, why.msg);
}

static int parse_long(struct parser *p, const char *word, struct err *e)
{
	const char *name = word + 2;
	size_t n = strcspn(name, "=");
	const char *value = name[n] ? name + n + 1 : NULL;
	const struct opt *o;

	if (n == 0 || *name == '-')
		return err_set(e, ERR_INVALID, "bad flag syntax: %.100s", word);
	o = find_name(p->verb, name, n);
	if (!o && n == strlen("help") && memcmp(name, "help", n) == 0) {
		p->result->help = true;
		return 0;
	}
	if (!o)
		return err_set(e, ERR_INVALID, "unknown flag: --%.*s", (int)(n > 100 ? 100 : n),
			       name);
	if (!value && o->kind == OPT_KIND_BOOL)
		value = "true";
	if (!value && p->at == p->argc)
		return err_set(e, ERR_INVALID, "flag needs an argument: --%s", o->name);
	if (!value)
		value = p->argv[p->at++];
	return set_given(p, o, value, e);
}

/* A word of short options: "-it", "-eA=b", "-e=A=b", "-e" "A=b". */
static int parse_short(struct parser *p, const char *word, struct err *e)
{
	for (const char *c = word + 1; *c; c++) {
		const struct opt *o = find_letter(p->verb, *c);

		if (!o && *c == 'h') {
			p->result->help = true;
			return 0;
		}
		if (!o)
			return err_set(e, ERR_INVALID, "unknown shorthand flag: '%c' in -%.100s",
				       *c, c);
		if (c[1] == '=' && c[2])
			return set_given(p, o, c + 2, e);
		if (o->kind == OPT_KIND_BOOL) {
			if (set_given(p, o, "true", e) < 0)
				return -1;
			continue;
		}
		if (c[1])
			return set_given(p, o, c + 1, e);
		if (p->at == p->argc)
			return err_set(e, ERR_INVALID, "flag needs an argument: '%c' in -%.100s",
				       *c, c);
		return set_given(p, o, p->argv[p->at++], e);
	}
	return 0;
}

static void take_operand(struct parser *p, char *word)
{
	p->result->operands.v[p->result->operands.n++] = word;
}

static int parse_words(struct parser *p, struct err *e)
{
	while (p->at < p->argc && !p->result->help) {
		char *word = p->argv[p->at++];

		if (word[0] != '-' || !word[1]) {
			take_operand(p, word);
			if (p->verb->stop_at_operand)
				break;
		} else if (strcmp(word, "--") == 0) {
			break;
		} else if ((word[1] == '-' ? parse_long(p, word, e) : parse_short(p, word, e)) <
			   0) {
			return -1;
		}
	}
	while (p->at < p->argc)
		take_operand(p, p->argv[p->at++]);
	return 0;
}

int opt_parse(const struct verb *verb, int argc, char **argv, void *args, struct opt_result *ret,
	      struct err *e)
{
	struct opt_result result = { 0 };
	struct parser p = { verb, args, argv, argc, 0, &result };

	for (const struct opt *o = verb->opts; o && o->name; o++) {
		if (o->value && set_value(o, args, o->value, e) < 0)
			return err_wrap(e, "--%s", o->name);
		if (o->kind == OPT_KIND_INT)
			((struct opt_int *)(void *)((char *)args + o->offset))->set = false;
	}
	result.operands.v = xcalloc((size_t)argc + 1, sizeof(char *));
	if (parse_words(&p, e) < 0) {
		free(result.operands.v);
		return -1;
	}
	*ret = result;
	return 0;
}

void opt_release(const struct verb *verb, void *args)
{
	for (const struct opt *o = verb->opts; o && o->name; o++) {
		if (o->kind == OPT_KIND_LIST)
			strv_release((void *)((char *)args + o->offset));
	}
}

char *opt_count_problem(const struct verb *verb, int n)
{
	const char *plural = verb->min_operands == 1 ? "" : "s";

	if (n >= verb->min_operands && (verb->max_operands == OPT_MANY || n <= verb->max_operands))
		return NULL;
	if (verb->max_operands == 0)
		return xasprintf("accepts no arguments");
	if (verb->min_operands == verb->max_operands)
		return xasprintf("requires %d argument%s", verb->min_operands, plural);
	if (n < verb->min_operands)
		return xasprintf("requires at least %d argument%s", verb->min_operands, plural);
	return xasprintf("requires at most %d argument%s", verb->max_operands,
			 verb->max_operands == 1 ? "" : "s");
}
