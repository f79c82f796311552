/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/opt.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

#define CPUS_DIGITS 9
#define CPUS_MAX    1000000

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

/* The digits of a number in Go's base 0: "0x", "0o", "0b" and "0" say which base. */
static const char *number_base(const char *digits, int *base)
{
	static const struct {
		char letter;
		int base;
	} prefixes[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };

	*base = 10;
	if (digits[0] != '0' || !digits[1])
		return digits;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (tolower((unsigned char)digits[1]) == prefixes[i].letter) {
			*base = prefixes[i].base;
			return digits + 2;
		}
	}
	*base = 8;
	return digits + 1;
}

static int digit_value(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : 16;
}

/* False when there are other characters than digits of the base, and single "_" between them. */
static bool are_digits(const char *p, const char *start, int base)
{
	bool digit = p > start; /* a prefix counts as one: "0x_1" */

	for (; *p; p++) {
		if (*p == '_' && (!digit || !p[1]))
			return false;
		if (*p != '_' && digit_value(*p) >= base)
			return false;
		digit = *p != '_';
	}
	return digit;
}

/* As Go's ParseInt(text, 0, 64) and ParseUint(text, 0, 16) and their errors. */
static int parse_number(const char *text, bool sign, uint64_t max, int64_t *ret, struct err *e)
{
	bool minus = sign && *text == '-';
	const char *start = text + (minus || (sign && *text == '+')), *digits;
	const char *name = sign ? "ParseInt" : "ParseUint";
	uint64_t v = 0;
	int base;

	digits = number_base(start, &base);
	if (!are_digits(digits, start, base) || (digits == start + 2 && !*digits))
		return err_set(e, ERR_INVALID, "strconv.%s: parsing \"%.100s\": invalid syntax",
			       name, text);
	for (; *digits; digits++) {
		if (*digits == '_')
			continue;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_value(*digits), &v) ||
		    v > max + minus)
			return err_set(e, ERR_INVALID,
				       "strconv.%s: parsing \"%.100s\": value out of range", name,
				       text);
	}
	*ret = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

static int parse_int(const char *text, int64_t *ret, struct err *e)
{
	return parse_number(text, true, INT64_MAX, ret, e);
}

/* A decimal number of processors, exact to 1e-9. */
static int parse_cpus(const char *text, int64_t *ret, struct err *e)
{
	bool minus = *text == '-';
	const char *number = text + (minus || *text == '+');
	size_t whole = strspn(number, "0123456789");
	const char *fraction = number[whole] == '.' ? number + whole + 1 : number + whole;
	size_t digits = strspn(fraction, "0123456789");
	int64_t v = 0;

	if (fraction[digits] || whole + digits == 0)
		return err_set(e, ERR_INVALID, "failed to parse %.100s as a rational number", text);
	for (size_t i = 0; i < whole && v <= CPUS_MAX; i++)
		v = v * 10 + (number[i] - '0');
	if (v > CPUS_MAX)
		return err_set(e, ERR_INVALID, "value is too large");
	for (size_t i = 0; i < CPUS_DIGITS; i++)
		v = v * 10 + (i < digits ? fraction[i] - '0' : 0);
	if (digits > CPUS_DIGITS && strspn(fraction + CPUS_DIGITS, "0") != digits - CPUS_DIGITS)
		return err_set(e, ERR_INVALID, "value is too precise");
	*ret = minus ? -v : v;
	return 0;
}

static int parse_swap(const char *text, int64_t *ret, struct err *e)
{
	if (strcmp(text, "-1") != 0)
		return parse_size(text, ret, e);
	*ret = -1;
	return 0;
}

static int parse_time(const char *text, int64_t *ret, struct err *e)
{
	return parse_duration(text, ret, e) < 0 ? err_wrap(e, "time") : 0;
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

	if (o->check && o->check(text, e) < 0)
		return -1;
	switch (o->kind) {
	case OPT_KIND_BOOL:
		return set_bool((void *)field, text, e);
	case OPT_KIND_STR:
		memcpy(field, &text, sizeof(text));
		return 0;
	case OPT_KIND_INT:
	case OPT_KIND_UINT16:
		number = (void *)field;
		if (o->kind == OPT_KIND_INT
			    ? parse_int(text, &number->v, e) < 0
			    : parse_number(text, false, UINT16_MAX, &number->v, e) < 0)
			return -1;
		number->set = true;
		return 0;
	case OPT_KIND_LIST:
		strv_add((void *)field, text);
		return 0;
	case OPT_KIND_SIZE:
		return parse_size(text, (void *)field, e);
	case OPT_KIND_SWAP:
		return parse_swap(text, (void *)field, e);
	case OPT_KIND_DURATION:
		return parse_time(text, (void *)field, e);
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

static int set_help(struct parser *p, const char *value, struct err *e)
{
	struct err why = ERR_INIT;

	p->result->help = true;
	if (!value || set_bool(&p->result->help, value, &why) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "invalid argument \"%.100s\" for \"--help\" flag: %s", value,
		       why.msg);
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
	if (!o && n == strlen("help") && memcmp(name, "help", n) == 0)
		return set_help(p, value, e);
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
		if (o->kind == OPT_KIND_INT || o->kind == OPT_KIND_UINT16)
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
