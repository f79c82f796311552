/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/platform.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"

static const struct {
	const char *alias, *arch, *variant;
} aliases[] = {
	{ "x86_64", "amd64", "" },    { "x86-64", "amd64", "" }, { "i386", "386", "" },
	{ "i486", "386", "" },	      { "i586", "386", "" },	 { "i686", "386", "" },
	{ "aarch64", "arm64", "" },   { "armhf", "arm", "" },	 { "armel", "arm", "v6" },
	{ "ppc64el", "ppc64le", "" },
};

/* Architectures whose variants are numbers, each of which runs the lower ones. */
static const struct {
	const char *arch;
	unsigned variant; /* the one meant by "" */
	bool told;	  /* Docker's messages name it */
} defaults[] = {
	{ "amd64", 1, false },
	{ "arm64", 8, true },
	{ "arm", 7, true },
};

#if defined(__x86_64__)
#define HOST_ARCH "amd64"
#elif defined(__aarch64__)
#define HOST_ARCH "arm64"
#else
#error "no guest is known for this architecture"
#endif

static bool is_known_arch(const char *text)
{
	static const char *const names[] = { "386",	 "amd64",   "arm",     "arm64", "loong64",
					     "mips64le", "ppc64le", "riscv64", "s390x" };

	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (str_eq(text, aliases[i].alias))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(text, names[i]))
			return true;
	return false;
}

static unsigned default_variant(const char *arch)
{
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (str_eq(arch, defaults[i].arch))
			return defaults[i].variant;
	return 0;
}

/* "v8" as 8; 0 when it is not of that form. */
static unsigned variant_number(const char *variant)
{
	struct err ignored = ERR_INIT;
	uint64_t n;

	if (variant[0] != 'v' || parse_u64(variant + 1, 99, &n, &ignored) < 0)
		return 0;
	return (unsigned)n;
}

/* `text` is a word that fits. */
static void copy_word(char ret[PLATFORM_WORD + 1], const char *text)
{
	memcpy(ret, text, strlen(text) + 1);
}

static int set_word(char ret[PLATFORM_WORD + 1], const char *text, struct err *e)
{
	size_t n = text ? strlen(text) : 0;

	if (n > PLATFORM_WORD)
		return err_set(e, ERR_INVALID, "a platform's name is longer than %d characters",
			       PLATFORM_WORD);
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return err_set(e, ERR_INVALID, "'%s' is no name of a platform", text);
		ret[i] = (char)tolower((unsigned char)text[i]);
	}
	ret[n] = '\0';
	return 0;
}

static void normalise(struct platform *p)
{
	unsigned number;

	if (str_eq(p->os, "macos"))
		copy_word(p->os, "darwin");
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (!str_eq(p->arch, aliases[i].alias))
			continue;
		copy_word(p->arch, aliases[i].arch);
		if (!p->variant[0])
			copy_word(p->variant, aliases[i].variant);
		break;
	}
	/* "8" is a usual slip for "v8". */
	if (isdigit((unsigned char)p->variant[0]) && strlen(p->variant) < PLATFORM_WORD) {
		memmove(p->variant + 1, p->variant, strlen(p->variant) + 1);
		p->variant[0] = 'v';
	}
	number = variant_number(p->variant);
	if (number && number == default_variant(p->arch))
		p->variant[0] = '\0';
}

int platform_set(struct platform *p, const char *os, const char *arch, const char *variant,
		 struct err *e)
{
	struct platform n = PLATFORM_INIT;

	if (set_word(n.os, os, e) < 0 || set_word(n.arch, arch, e) < 0 ||
	    set_word(n.variant, variant, e) < 0)
		return -1;
	normalise(&n);
	*p = n;
	return 0;
}

void platform_host(struct platform *ret)
{
	*ret = (struct platform){ "linux", HOST_ARCH, "" };
}

int platform_parse(const char *text, struct platform *ret, struct err *e)
{
	auto_strv struct strv part = STRV_INIT;
	const char *os, *arch = HOST_ARCH;

	strv_split(&part, text, '/');
	if (part.n > 3)
		return err_set(e, ERR_INVALID,
			       "\"%.200s\": cannot parse platform specifier: invalid argument",
			       text);
	for (size_t i = 0; i < part.n; i++)
		if (!part.v[i][0])
			return err_set(
				e, ERR_INVALID,
				"\"%.200s\": cannot parse platform specifier: invalid argument",
				text);
	os = part.v[0];
	if (part.n > 1) {
		arch = part.v[1];
	} else if (is_known_arch(os)) {
		arch = os;
		os = "linux";
	} else if (!str_eq(os, "linux") && !str_eq(os, "windows") && !str_eq(os, "darwin") &&
		   !str_eq(os, "freebsd")) {
		return err_set(
			e, ERR_INVALID,
			"\"%.200s\": unknown operating system or architecture: invalid argument",
			text);
	}
	return platform_set(ret, os, arch, part.n > 2 ? part.v[2] : NULL, e);
}

static void format(const struct platform *p, const char *variant, char ret[PLATFORM_TEXT_SIZE])
{
	const char *word[] = { p->os, p->arch, variant };
	char *at = ret;

	for (size_t i = 0; i < ARRAY_LEN(word); i++) {
		size_t n = strlen(word[i]);

		if (n == 0)
			continue;
		if (at != ret)
			*at++ = '/';
		memcpy(at, word[i], n);
		at += n;
	}
	*at = '\0';
}

void platform_format(const struct platform *p, char ret[PLATFORM_TEXT_SIZE])
{
	format(p, p->variant, ret);
}

void platform_format_full(const struct platform *p, char ret[PLATFORM_TEXT_SIZE])
{
	char variant[PLATFORM_WORD + 1];

	copy_word(variant, p->variant);
	for (size_t i = 0; i < ARRAY_LEN(defaults) && !variant[0]; i++) {
		if (!defaults[i].told || !str_eq(p->arch, defaults[i].arch))
			continue;
		variant[0] = 'v';
		variant[1] = (char)('0' + defaults[i].variant);
		variant[2] = '\0';
	}
	format(p, variant, ret);
}

int platform_match(const struct platform *want, const struct platform *has)
{
	unsigned wanted, given;

	if (!str_eq(want->os, has->os) || !str_eq(want->arch, has->arch))
		return 0;
	if (str_eq(want->variant, has->variant))
		return 1000;
	wanted = want->variant[0] ? variant_number(want->variant) : default_variant(want->arch);
	given = has->variant[0] ? variant_number(has->variant) : default_variant(has->arch);
	return wanted && given && given <= wanted ? (int)given : 0;
}
