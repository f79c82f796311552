/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/human.h"

#include <math.h>
#include <string.h>

#define SECOND	      INT64_C(1000000000)
#define HOURS_A_DAY   24
#define HOURS_A_WEEK  168
#define HOURS_A_MONTH 720
#define HOURS_A_YEAR  8760

void human_duration(struct str *out, int64_t ns)
{
	int64_t seconds = ns / SECOND, minutes = seconds / 60;
	int64_t hours = (seconds + 1800) / 3600; /* rounded */

	if (seconds < 1)
		str_add(out, "Less than a second");
	else if (seconds == 1)
		str_add(out, "1 second");
	else if (seconds < 60)
		str_addf(out, "%d seconds", (int)seconds);
	else if (minutes == 1)
		str_add(out, "About a minute");
	else if (minutes < 60)
		str_addf(out, "%d minutes", (int)minutes);
	else if (hours == 1)
		str_add(out, "About an hour");
	else if (hours < 2 * HOURS_A_DAY)
		str_addf(out, "%d hours", (int)hours);
	else if (hours < 2 * HOURS_A_WEEK)
		str_addf(out, "%d days", (int)(hours / HOURS_A_DAY));
	else if (hours < 2 * HOURS_A_MONTH)
		str_addf(out, "%d weeks", (int)(hours / HOURS_A_WEEK));
	else if (hours < 2 * HOURS_A_YEAR)
		str_addf(out, "%d months", (int)(hours / HOURS_A_MONTH));
	else
		str_addf(out, "%d years", (int)(hours / HOURS_A_YEAR));
}

/* `digits` significant ones; a value that rounds up to the next unit is written in that. */
static void scaled(struct str *out, int64_t bytes, double base, int digits,
		   const char *const *units)
{
	double v = (double)bytes, step = pow(10, digits);
	int unit = 0;

	while (units[unit + 1] && v >= base) {
		v /= base;
		unit++;
	}
	/* 999.6 in three digits would be "1e+03" */
	if (units[unit + 1] && v >= step - 0.5) {
		v /= base;
		unit++;
	}
	str_addf(out, "%.*g%s", digits, v, units[unit]);
}

void human_size(struct str *out, int64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", NULL };

	scaled(out, bytes, 1000, 3, units);
}

void human_memory(struct str *out, int64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };

	scaled(out, bytes, 1024, 4, units);
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void human_ellipsis(struct str *out, const char *text, size_t max)
{
	size_t n = 0, cut = 0;

	for (size_t i = 0; text[i]; i++) {
		if (continues(text[i]))
			continue;
		if (n++ == max - 1)
			cut = i;
	}
	if (n <= max) {
		str_add(out, text);
		return;
	}
	str_addn(out, text, cut);
	str_add(out, "\342\200\246");
}

void human_quote(struct str *out, const char *text)
{
	static const char plain[] = "\a\b\f\n\r\t\v\"\\";
	static const char letter[] = "abfnrtv\"\\";
	bool utf8 = utf8_is_valid(text, strlen(text));

	str_addc(out, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		const char *known = strchr(plain, c);

		if (known)
			str_addf(out, "\\%c", letter[known - plain]);
		else if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
			str_addf(out, "\\x%02x", c);
		else
			str_addc(out, *text);
	}
	str_addc(out, '"');
}

void human_id(char ret[HUMAN_ID_SIZE], const char *id)
{
	const char *hex = str_has_prefix(id, "sha256:") ? id + 7 : id;
	size_t n = strnlen(hex, HUMAN_ID_SIZE - 1);

	memcpy(ret, hex, n);
	ret[n] = '\0';
}

void human_status(struct str *out, const struct human_state *s)
{
	bool restarting = str_eq(s->state, "restarting");

	if (str_eq(s->state, "running") || str_eq(s->state, "paused")) {
		str_add(out, "Up ");
		human_duration(out, s->now - s->started);
		if (str_eq(s->state, "paused"))
			str_add(out, " (Paused)");
		else if (s->health && *s->health)
			str_addf(out, " (%s%s)", str_eq(s->health, "starting") ? "health: " : "",
				 s->health);
	} else if (restarting || str_eq(s->state, "exited")) {
		str_addf(out, "%s (%d) ", restarting ? "Restarting" : "Exited", s->exit_code);
		human_duration(out, s->now - s->finished);
		str_add(out, " ago");
	} else if (str_eq(s->state, "removing")) {
		str_add(out, "Removal In Progress");
	} else if (str_eq(s->state, "dead")) {
		str_add(out, "Dead");
	} else {
		str_add(out, "Created");
	}
}
