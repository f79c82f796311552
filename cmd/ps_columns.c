/* SPDX-License-Identifier: Apache-2.0 */
/* ps(1)'s columns: names, headings, and how each value is written. */
#include <string.h>
#include <time.h>

#include "cmd/ps_priv.h"

#define SECOND	   INT64_C(1000000000)
#define DAY	   INT64_C(86400)
#define TEXT_LIMIT (64u << 10)

/* ---- times ---- */

static int64_t seconds_of(const struct ps_list *l, int64_t ticks)
{
	return ticks / l->hz;
}

static int64_t cpu_seconds(const struct ps_list *l, const struct ps_process *p)
{
	return seconds_of(l, p->cpu_ticks);
}

static int64_t elapsed(const struct ps_list *l, const struct ps_process *p)
{
	int64_t ticks = l->now_ticks - p->start_ticks;

	return ticks > 0 ? seconds_of(l, ticks) : 0;
}

/* Seconds of the epoch, by the host's clock. */
static int64_t started(const struct ps_list *l, const struct ps_process *p)
{
	return l->now / SECOND - elapsed(l, p);
}

static int64_t start_key(const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	return p->start_ticks;
}

/* [days-]hours:minutes:seconds; without hours when `brief` and there are none. */
static void put_clock(struct str *out, int64_t seconds, bool brief)
{
	long long s = (long long)seconds;

	if (s >= DAY)
		str_addf(out, "%lld-", s / DAY);
	if (!brief || s >= 3600)
		str_addf(out, "%02lld:", s % DAY / 3600);
	str_addf(out, "%02lld:%02lld", s % 3600 / 60, s % 60);
}

static void put_time(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	put_clock(out, cpu_seconds(l, p), false);
}

static void put_bsdtime(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	long long s = (long long)cpu_seconds(l, p);

	str_addf(out, "%lld:%02lld", s / 60, s % 60);
}

static void put_cputimes(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	str_addf(out, "%lld", (long long)cpu_seconds(l, p));
}

static void put_etime(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	put_clock(out, elapsed(l, p), true);
}

static void put_etimes(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	str_addf(out, "%lld", (long long)elapsed(l, p));
}

enum date { DATE_MINUTE, DATE_SECOND, DATE_DAY, DATE_DAY_APART, DATE_YEAR, DATE_ALL };

static size_t format_date(char *text, size_t n, enum date form, const struct tm *tm)
{
	switch (form) {
	case DATE_MINUTE:
		return strftime(text, n, "%H:%M", tm);
	case DATE_SECOND:
		return strftime(text, n, "%H:%M:%S", tm);
	case DATE_DAY:
		return strftime(text, n, "%b%d", tm);
	case DATE_DAY_APART:
		return strftime(text, n, "%b %d", tm);
	case DATE_YEAR:
		return strftime(text, n, "%Y", tm);
	case DATE_ALL:
		break;
	}
	return strftime(text, n, "%a %b %e %H:%M:%S %Y", tm);
}

static void put_date(struct str *out, time_t t, enum date form)
{
	char text[64];
	struct tm tm;

	if (localtime_r(&t, &tm) && format_date(text, sizeof(text), form, &tm) > 0)
		str_add(out, text);
}

/* "16:17" of today, "Nov21" of this year, else "2025". */
static void put_stime(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	time_t start = (time_t)started(l, p), now = (time_t)(l->now / SECOND);
	struct tm then, today;

	if (!localtime_r(&start, &then) || !localtime_r(&now, &today))
		return;
	if (then.tm_year != today.tm_year)
		put_date(out, start, DATE_YEAR);
	else
		put_date(out, start, then.tm_yday == today.tm_yday ? DATE_MINUTE : DATE_DAY);
}

static void put_start(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	put_date(out, (time_t)started(l, p), elapsed(l, p) >= DAY ? DATE_DAY_APART : DATE_SECOND);
}

static void put_bsdstart(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	put_date(out, (time_t)started(l, p), elapsed(l, p) >= DAY ? DATE_DAY_APART : DATE_MINUTE);
}

static void put_lstart(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	put_date(out, (time_t)started(l, p), DATE_ALL);
}

/* ---- shares ---- */

/* Of one processor since the process began, in thousandths. */
static int64_t cpu_share(const struct ps_list *l, const struct ps_process *p)
{
	int64_t ticks = l->now_ticks - p->start_ticks;

	return ticks > 0 ? (int64_t)((double)p->cpu_ticks * 1000 / (double)ticks) : 0;
}

static int64_t memory_share(const struct ps_list *l, const struct ps_process *p)
{
	int64_t share = l->memory_kib > 0
				? (int64_t)((double)p->rss_kib * 1000 / (double)l->memory_kib)
				: 0;

	return share > 999 ? 999 : share;
}

static void put_pcpu(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	long long share = (long long)cpu_share(l, p);

	if (share > 999)
		str_addf(out, "%lld", share / 10);
	else
		str_addf(out, "%lld.%lld", share / 10, share % 10);
}

static void put_pmem(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	long long share = (long long)memory_share(l, p);

	str_addf(out, "%lld.%lld", share / 10, share % 10);
}

static void put_c(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	long long share = (long long)cpu_share(l, p) / 10;

	str_addf(out, "%lld", share > 99 ? 99 : share);
}

static void put_cp(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	str_addf(out, "%lld", (long long)cpu_share(l, p));
}

/* ---- the rest ---- */

static void put_nothing(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	(void)p;
	str_addc(out, '-');
}

static void put_command(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	if (p->command && *p->command)
		str_add(out, p->command);
	else
		str_addf(out, "[%s]", p->comm ? p->comm : "");
}

static void put_stat(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	str_add(out, p->state ? p->state : "?");
	if (p->nice != 0)
		str_addc(out, p->nice < 0 ? '<' : 'N');
	if (p->locked_kib > 0)
		str_addc(out, 'L');
	if (p->sid == p->pid)
		str_addc(out, 's');
	if (p->threads > 1)
		str_addc(out, 'l');
	if (p->tpgid > 0 && p->pgid == p->tpgid)
		str_addc(out, '+');
}

static int64_t pages_key(const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	return p->vsz_kib;
}

static void put_pages(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	str_addf(out, "%lld", (long long)p->vsz_kib / 4);
}

static int64_t priority_key(const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	return p->priority;
}

/* Three ways to count the same: ps -o pri grows with importance, ps -l does not. */
static void put_pri(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	str_addf(out, "%lld", 39 - (long long)p->priority);
}

static void put_opri(struct str *out, const struct ps_list *l, const struct ps_process *p)
{
	(void)l;
	str_addf(out, "%lld", 60 + (long long)p->priority);
}

#define INT(n, t, m)                                                                 \
	{                                                                            \
		n, t, PS_KIND_INT, false, offsetof(struct ps_process, m), NULL, NULL \
	}
#define TEXT(n, t, m)                                                                 \
	{                                                                             \
		n, t, PS_KIND_TEXT, false, offsetof(struct ps_process, m), NULL, NULL \
	}
#define NAME(n, t)                                                                      \
	{                                                                               \
		n, t, PS_KIND_TEXT, true, offsetof(struct ps_process, comm), NULL, NULL \
	}
#define LINE(n, t)                                             \
	{                                                      \
		n, t, PS_KIND_CALL, true, 0, put_command, NULL \
	}
#define CALL(n, t, put, key)                           \
	{                                              \
		n, t, PS_KIND_CALL, false, 0, put, key \
	}

/* clang-format off */
static const struct ps_column columns[] = {
	CALL("%cpu", "%CPU", put_pcpu, cpu_share),
	CALL("%mem", "%MEM", put_pmem, memory_share),
	CALL("addr", "ADDR", put_nothing, NULL),
	LINE("args", "COMMAND"),
	CALL("bsdstart", "START", put_bsdstart, start_key),
	CALL("bsdtime", "TIME", put_bsdtime, cpu_seconds),
	CALL("c", "C", put_c, cpu_share),
	LINE("cmd", "CMD"),
	NAME("comm", "COMMAND"),
	LINE("command", "COMMAND"),
	CALL("cp", "CP", put_cp, cpu_share),
	CALL("cputime", "TIME", put_time, cpu_seconds),
	CALL("cputimes", "TIME", put_cputimes, cpu_seconds),
	INT("egid", "EGID", egid),
	TEXT("egroup", "EGROUP", group),
	CALL("etime", "ELAPSED", put_etime, elapsed),
	CALL("etimes", "ELAPSED", put_etimes, elapsed),
	INT("euid", "EUID", euid),
	TEXT("euser", "EUSER", user),
	CALL("f", "F", put_nothing, NULL),
	CALL("flag", "F", put_nothing, NULL),
	CALL("flags", "F", put_nothing, NULL),
	NAME("fname", "COMMAND"),
	INT("gid", "GID", egid),
	TEXT("group", "GROUP", group),
	CALL("lstart", "STARTED", put_lstart, start_key),
	INT("lwp", "LWP", pid),
	INT("maj_flt", "MAJFL", major_faults),
	INT("majflt", "MAJFLT", major_faults),
	INT("min_flt", "MINFL", minor_faults),
	INT("minflt", "MINFLT", minor_faults),
	INT("ni", "NI", nice),
	INT("nice", "NI", nice),
	INT("nlwp", "NLWP", threads),
	CALL("opri", "PRI", put_opri, priority_key),
	CALL("pcpu", "%CPU", put_pcpu, cpu_share),
	INT("pgid", "PGID", pgid),
	INT("pgrp", "PGRP", pgid),
	INT("pid", "PID", pid),
	CALL("pmem", "%MEM", put_pmem, memory_share),
	INT("ppid", "PPID", ppid),
	CALL("pri", "PRI", put_pri, priority_key),
	INT("priority", "PRI", priority),
	CALL("psr", "PSR", put_nothing, NULL),
	INT("rgid", "RGID", gid),
	INT("rss", "RSS", rss_kib),
	INT("rssize", "RSS", rss_kib),
	INT("rsz", "RSZ", rss_kib),
	INT("ruid", "RUID", uid),
	TEXT("s", "S", state),
	INT("sess", "SESS", sid),
	INT("session", "SESS", sid),
	INT("sid", "SID", sid),
	INT("spid", "SPID", pid),
	CALL("start", "STARTED", put_start, start_key),
	CALL("start_time", "START", put_stime, start_key),
	CALL("stat", "STAT", put_stat, NULL),
	TEXT("state", "S", state),
	CALL("stime", "STIME", put_stime, start_key),
	CALL("sz", "SZ", put_pages, pages_key),
	INT("thcount", "THCNT", threads),
	INT("tid", "TID", pid),
	CALL("time", "TIME", put_time, cpu_seconds),
	CALL("times", "TIME", put_cputimes, cpu_seconds),
	TEXT("tname", "TTY", tty),
	INT("tpgid", "TPGID", tpgid),
	TEXT("tt", "TT", tty),
	TEXT("tty", "TT", tty),
	NAME("ucmd", "CMD"),
	NAME("ucomm", "COMMAND"),
	INT("uid", "UID", euid),
	/* Of ps -f: the heading UID, and the name. */
	TEXT("uid_hack", "UID", user),
	TEXT("uname", "USER", user),
	TEXT("user", "USER", user),
	INT("vsize", "VSZ", vsz_kib),
	INT("vsz", "VSZ", vsz_kib),
	CALL("wchan", "WCHAN", put_nothing, NULL),
	{ NULL, NULL, PS_KIND_INT, false, 0, NULL, NULL },
};
/* clang-format on */

const struct ps_column *ps_column_find(const char *name, size_t n)
{
	for (const struct ps_column *c = columns; c->name; c++) {
		if (strlen(c->name) == n && memcmp(c->name, name, n) == 0)
			return c;
	}
	return NULL;
}

static int64_t int_of(const struct ps_column *c, const struct ps_process *p)
{
	int64_t v;

	memcpy(&v, (const char *)p + c->offset, sizeof(v));
	return v;
}

static const char *text_of(const struct ps_column *c, const struct ps_process *p)
{
	const char *text;

	memcpy(&text, (const char *)p + c->offset, sizeof(text));
	return text && *text ? text : "-";
}

void ps_column_text(const struct ps_column *c, const struct ps_list *l, const struct ps_process *p,
		    struct str *out)
{
	if (c->kind == PS_KIND_INT)
		str_addf(out, "%lld", (long long)int_of(c, p));
	else if (c->kind == PS_KIND_TEXT)
		str_add(out, text_of(c, p));
	else
		c->put(out, l, p);
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int ps_column_compare(const struct ps_column *c, const struct ps_list *l,
		      const struct ps_process *a, const struct ps_process *b)
{
	auto_str struct str left = STR_INIT(TEXT_LIMIT), right = STR_INIT(TEXT_LIMIT);

	if (c->kind == PS_KIND_INT)
		return compare_numbers(int_of(c, a), int_of(c, b));
	if (c->kind == PS_KIND_CALL && c->key)
		return compare_numbers(c->key(l, a), c->key(l, b));
	ps_column_text(c, l, a, &left);
	ps_column_text(c, l, b, &right);
	return strcmp(left.buf, right.buf);
}
