/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000LL

static int64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_now(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

void clock_format_fixed(int64_t ns, char ret[CLOCK_TEXT_SIZE])
{
	time_t s = (time_t)(ns / NS_PER_S);
	long frac = (long)(ns % NS_PER_S);
	struct tm tm;
	size_t n;

	if (frac < 0) {
		frac += NS_PER_S;
		s--;
	}
	gmtime_r(&s, &tm);
	n = strftime(ret, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + n, CLOCK_TEXT_SIZE - n, ".%09ldZ", frac);
}

void clock_format(int64_t ns, char ret[CLOCK_TEXT_SIZE])
{
	char *end;

	if (ns == 0) {
		memcpy(ret, "0001-01-01T00:00:00Z", 21);
		return;
	}
	clock_format_fixed(ns, ret);
	end = ret + strlen(ret) - 1; /* at the Z */
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	end[0] = 'Z';
	end[1] = '\0';
}

/* Exactly `n` digits at *p, which moves behind them; -1 when they are not there. */
static int digits(const char **p, int n)
{
	int v = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* "Z" or "+hh:mm" in seconds. */
static bool parse_zone(const char **p, long *ret)
{
	int h, m, sign;

	if (take_char(p, 'Z') || take_char(p, 'z')) {
		*ret = 0;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	sign = *(*p)++ == '-' ? -1 : 1;
	h = digits(p, 2);
	if (h < 0 || !take_char(p, ':'))
		return false;
	m = digits(p, 2);
	if (m < 0)
		return false;
	*ret = sign * (h * 3600L + m * 60L);
	return true;
}

static bool parse_fraction(const char **p, int64_t *ret)
{
	int64_t unit = NS_PER_S / 10;

	*ret = 0;
	if (!take_char(p, '.'))
		return true;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
		*ret += (**p - '0') * unit;
	return true;
}

static bool parse_date(const char **p, struct tm *tm)
{
	if ((tm->tm_year = digits(p, 4)) < 0 || !take_char(p, '-') ||
	    (tm->tm_mon = digits(p, 2)) < 1 || tm->tm_mon > 12 || !take_char(p, '-') ||
	    (tm->tm_mday = digits(p, 2)) < 1 || tm->tm_mday > 31)
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

static bool parse_time(const char **p, struct tm *tm)
{
	return (tm->tm_hour = digits(p, 2)) >= 0 && tm->tm_hour < 24 && take_char(p, ':') &&
	       (tm->tm_min = digits(p, 2)) >= 0 && tm->tm_min < 60 && take_char(p, ':') &&
	       (tm->tm_sec = digits(p, 2)) >= 0 && tm->tm_sec <= 60;
}

/* As timegm, which would read the time zone's file first. The year counts from March, so that a leap day is its
 * last. */
static int64_t seconds_of(const struct tm *tm)
{
	int64_t year = 1900 + tm->tm_year - (tm->tm_mon < 2), month = (tm->tm_mon + 10) % 12;
	int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
		       tm->tm_mday - 719469;

	return ((days * 24 + tm->tm_hour) * 60 + tm->tm_min) * 60 + tm->tm_sec;
}

int clock_parse(const char *text, int64_t *ret, struct err *e)
{
	const char *p = text;
	struct tm tm = { 0 };
	int64_t frac;
	long zone;

	if (!parse_date(&p, &tm) || !(take_char(&p, 'T') || take_char(&p, ' ')) ||
	    !parse_time(&p, &tm) || !parse_fraction(&p, &frac) || !parse_zone(&p, &zone) || *p)
		return err_set(e, ERR_INVALID, "'%.64s' is not a time of RFC 3339", text);
	if (tm.tm_year < 1678 - 1900 || tm.tm_year > 2261 - 1900)
		*ret = 0; /* outside what nanoseconds in 64 bits can hold; the zero time is year 1 */
	else
		*ret = (seconds_of(&tm) - zone) * NS_PER_S + frac;
	return 0;
}
