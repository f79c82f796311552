/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the agent's list of processes, and printing it. */
#include "cmd/ps_format.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/ps_priv.h"

#define HZ_MAX	   1000000
#define NUMBER_MAX ((int64_t)1 << 50)
#define WIDTH_MIN  20
#define PADDING	   3
#define CELL_LIMIT (64u << 10)
/* Of a tree; a guest can tell of thousands of processes, each the child of the one before. */
#define DEPTH_MAX 100

/* ---- reading ---- */

static const struct json_field process_fields[] = {
	JSON_INT("pid", true, struct ps_process, pid),
	JSON_INT("ns_pid", false, struct ps_process, ns_pid),
	JSON_INT("ppid", false, struct ps_process, ppid),
	JSON_INT("pgid", false, struct ps_process, pgid),
	JSON_INT("sid", false, struct ps_process, sid),
	JSON_INT("tpgid", false, struct ps_process, tpgid),
	JSON_INT("uid", false, struct ps_process, uid),
	JSON_INT("euid", false, struct ps_process, euid),
	JSON_INT("gid", false, struct ps_process, gid),
	JSON_INT("egid", false, struct ps_process, egid),
	JSON_STR("user", false, struct ps_process, user),
	JSON_STR("group", false, struct ps_process, group),
	JSON_STR("tty", false, struct ps_process, tty),
	JSON_STR("state", false, struct ps_process, state),
	JSON_INT("nice", false, struct ps_process, nice),
	JSON_INT("priority", false, struct ps_process, priority),
	JSON_INT("start_ticks", false, struct ps_process, start_ticks),
	JSON_INT("cpu_ticks", false, struct ps_process, cpu_ticks),
	JSON_INT("threads", false, struct ps_process, threads),
	JSON_INT("rss_kib", false, struct ps_process, rss_kib),
	JSON_INT("vsz_kib", false, struct ps_process, vsz_kib),
	JSON_INT("locked_kib", false, struct ps_process, locked_kib),
	JSON_INT("minor_faults", false, struct ps_process, minor_faults),
	JSON_INT("major_faults", false, struct ps_process, major_faults),
	JSON_STR("comm", false, struct ps_process, comm),
	JSON_STRV("args", false, struct ps_process, args),
	JSON_END,
};

struct document {
	struct json_list processes;
	int64_t hz, now_ticks, memory_kib;
};

static const struct json_field document_fields[] = {
	JSON_LIST("processes", true, struct document, processes, struct ps_process, process_fields),
	JSON_INT("hz", false, struct document, hz),
	JSON_INT("now_ticks", false, struct document, now_ticks),
	JSON_INT("memory_kib", false, struct document, memory_kib),
	JSON_END,
};

/* So that no sum or product of them overflows. */
static void limit(int64_t *v)
{
	if (*v < -NUMBER_MAX || *v > NUMBER_MAX)
		*v = 0;
}

/* What would move the cursor, or end the line, becomes a question mark, as in ps. */
static void clean(char *text)
{
	for (; text && *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
		/* The C1 controls are C2 80 to C2 9F in UTF-8. */
		if ((unsigned char)*text == 0xc2 && (unsigned char)text[1] >= 0x80 &&
		    (unsigned char)text[1] < 0xa0)
			text[0] = text[1] = '?';
	}
}

static char *join_args(const struct strv *args)
{
	auto_str struct str line = STR_INIT(CELL_LIMIT);

	for (size_t i = 0; i < args->n; i++) {
		if (i)
			str_addc(&line, ' ');
		str_add(&line, args->v[i]);
	}
	return xstrdup(line.buf);
}

static void tidy(struct ps_process *p)
{
	limit(&p->priority);
	limit(&p->start_ticks);
	limit(&p->cpu_ticks);
	limit(&p->rss_kib);
	limit(&p->vsz_kib);
	if (p->cpu_ticks < 0)
		p->cpu_ticks = 0;
	p->command = join_args(&p->args);
	clean(p->command);
	clean(p->comm);
	clean(p->user);
	clean(p->group);
	clean(p->tty);
	clean(p->state);
}

static int compare_pids(const void *a, const void *b)
{
	const struct ps_process *left = a, *right = b;

	return (left->pid > right->pid) - (left->pid < right->pid);
}

/* What the guest's number is inside the container; 0: it is of nobody there. The list is sorted. */
static int64_t inside(const struct ps_list *l, int64_t pid)
{
	const struct ps_process key = { .pid = pid };
	const struct ps_process *p = NULL;

	if (pid > 0 && l->n)
		p = bsearch(&key, l->v, l->n, sizeof(*l->v), compare_pids);
	return !p ? 0 : p->ns_pid > 0 ? p->ns_pid : pid;
}

/* The guest's numbers become those that hold inside the container. */
static void renumber(struct ps_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct ps_process *p = &l->v[i];

		p->ppid = inside(l, p->ppid);
		p->pgid = inside(l, p->pgid);
		p->sid = inside(l, p->sid);
		p->tpgid = inside(l, p->tpgid);
		if (p->tpgid == 0)
			p->tpgid = -1;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].ns_pid > 0)
			l->v[i].pid = l->v[i].ns_pid;
	}
}

int ps_list_add(struct ps_list *l, const struct json *document, struct err *e)
{
	struct document d = { .hz = 100 };
	struct ps_process *v;
	int r = json_read(document, document_fields, &d, e);

	if (l->n + d.processes.n > 0) {
		l->v = xreallocarray(l->v, l->n + d.processes.n, sizeof(*l->v));
		v = d.processes.v;
		for (size_t i = 0; i < d.processes.n; i++)
			l->v[l->n++] = v[i];
	}
	free(d.processes.v);
	l->hz = d.hz > 0 && d.hz <= HZ_MAX ? d.hz : 100;
	l->now_ticks = d.now_ticks;
	l->memory_kib = d.memory_kib;
	return r < 0 ? err_wrap(e, "bad list of processes") : 0;
}

static void order(struct ps_list *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), compare_pids);
}

void ps_list_end(struct ps_list *l, int64_t now)
{
	l->now = now;
	limit(&l->now_ticks);
	limit(&l->memory_kib);
	for (size_t i = 0; i < l->n; i++)
		tidy(&l->v[i]);
	order(l);
	renumber(l);
	order(l);
}

void ps_list_release(struct ps_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct ps_process *p = &l->v[i];

		free(p->user);
		free(p->group);
		free(p->tty);
		free(p->state);
		free(p->comm);
		free(p->command);
		strv_release(&p->args);
	}
	free(l->v);
	*l = (struct ps_list){ .v = NULL };
}

/* ---- choosing and sorting ---- */

/* The processes to be printed, in order. */
struct chosen {
	const struct ps_format *f;
	const struct ps_list *l;
	const struct ps_process **v;
	size_t n;
	char **lines; /* of the forest, what stands before each command; entries may be NULL */
};

static bool has_number(const struct strv *list, int64_t v)
{
	auto_free char *text = xasprintf("%lld", (long long)v);

	return strv_has(list, text);
}

static bool is_chosen(const struct ps_format *f, const struct ps_process *p)
{
	const char *user = p->user ? p->user : "", *tty = p->tty ? p->tty : "";
	const char *name = p->comm ? p->comm : "";

	if (f->running_only && !str_eq(p->state, "R") && !str_eq(p->state, "D"))
		return false;
	if (f->all || f->pids.n + f->ppids.n + f->users.n + f->names.n + f->ttys.n == 0)
		return true;
	return has_number(&f->pids, p->pid) || has_number(&f->ppids, p->ppid) ||
	       strv_has(&f->users, user) || has_number(&f->users, p->euid) ||
	       strv_has(&f->names, name) || strv_has(&f->ttys, tty);
}

static int compare(const struct chosen *c, const struct ps_process *a, const struct ps_process *b)
{
	for (size_t i = 0; i < c->f->n_keys; i++) {
		int order = ps_column_compare(c->f->keys[i].column, c->l, a, b);

		if (order)
			return c->f->keys[i].down ? -order : order;
	}
	return 0;
}

/* Merge sort: equal ones stay in the order of their pids. */
static void sort(const struct chosen *c, const struct ps_process **v, const struct ps_process **tmp,
		 size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort(c, v, tmp, half);
	sort(c, v + half, tmp, n - half);
	while (i < half && j < n)
		tmp[k++] = compare(c, v[i], v[j]) <= 0 ? v[i++] : v[j++];
	while (i < half)
		tmp[k++] = v[i++];
	while (j < n)
		tmp[k++] = v[j++];
	memcpy(v, tmp, n * sizeof(*v));
}

static void choose(struct chosen *c)
{
	auto_free const struct ps_process **tmp = xcalloc(c->l->n + 1, sizeof(*tmp));

	c->v = xcalloc(c->l->n + 1, sizeof(*c->v));
	c->lines = xcalloc(c->l->n + 1, sizeof(*c->lines));
	for (size_t i = 0; i < c->l->n; i++) {
		if (is_chosen(c->f, &c->l->v[i]))
			c->v[c->n++] = &c->l->v[i];
	}
	if (c->f->n_keys)
		sort(c, c->v, tmp, c->n);
}

static void chosen_release(struct chosen *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->lines[i]);
	free(c->lines);
	free(c->v);
}

/* ---- the forest ---- */

struct forest {
	struct chosen *c;
	const struct ps_process **from; /* in their order without a forest */
	bool *taken;
	size_t planted;
};

/* The next child of `parent` that is not planted yet; false when there is none. */
static bool next_child(const struct forest *t, const struct ps_process *parent, size_t *ret)
{
	for (size_t i = 0; i < t->c->n; i++) {
		if (t->taken[i] || t->from[i]->ppid != parent->pid || t->from[i] == parent)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* One process and what is below it, down to `depth`. `line` stands before its command, `below` before those
 * of its children. */
static void plant(struct forest *t, size_t at, const char *line, const char *below, int depth)
{
	const struct ps_process *p = t->from[at];
	size_t child, ignored;

	t->taken[at] = true;
	t->c->lines[t->planted] = xstrdup(line);
	t->c->v[t->planted++] = p;
	while (depth > 0 && next_child(t, p, &child)) {
		auto_free char *own = xasprintf("%s \\_ ", below), *next = NULL;

		t->taken[child] = true;
		next = xasprintf("%s %c  ", below, next_child(t, p, &ignored) ? '|' : ' ');
		plant(t, child, own, next, depth - 1);
	}
}

static bool has_parent(const struct forest *t, const struct ps_process *p)
{
	for (size_t i = 0; i < t->c->n; i++) {
		if (t->from[i]->pid == p->ppid && t->from[i] != p)
			return true;
	}
	return false;
}

static void make_forest(struct chosen *c)
{
	auto_free const struct ps_process **from = xcalloc(c->n + 1, sizeof(*from));
	auto_free bool *taken = xcalloc(c->n + 1, sizeof(*taken));
	struct forest t = { .c = c, .from = from, .taken = taken };

	memcpy(from, c->v, c->n * sizeof(*from));
	for (size_t i = 0; i < c->n; i++) {
		if (!taken[i] && !has_parent(&t, from[i]))
			plant(&t, i, "", "", DEPTH_MAX);
	}
	/* Only who lies about its parents is left, or is too deep. */
	for (size_t i = 0; i < c->n; i++) {
		if (!taken[i])
			plant(&t, i, "", "", DEPTH_MAX);
	}
}

/* ---- printing ---- */

static int check_titles(const struct ps_format *f, struct err *e)
{
	for (size_t i = 0; i < f->n && !f->no_titles; i++) {
		if (strcmp(f->columns[i].title, "PID") == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "Couldn't find PID field in ps output");
}

static void add_cell(const struct chosen *c, size_t row, size_t column, struct strv *cells)
{
	const struct ps_column *what = c->f->columns[column].column;
	auto_str struct str text = STR_INIT(2 * CELL_LIMIT);

	if (what->is_command && c->lines[row])
		str_add(&text, c->lines[row]);
	if (what->is_command && c->f->short_names)
		str_add(&text, c->v[row]->comm ? c->v[row]->comm : "");
	else
		ps_column_text(what, c->l, c->v[row], &text);
	strv_add(cells, text.buf);
}

/* Characters, for the terminal. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_cells(const struct strv *cells, size_t columns, struct str *out)
{
	size_t width[PS_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < cells->n; i++) {
		size_t want = width_of(cells->v[i]) + PADDING;

		if (want > width[i % columns])
			width[i % columns] = want;
	}
	for (size_t i = 0; i < cells->n; i++) {
		size_t want = width[i % columns] < WIDTH_MIN ? WIDTH_MIN : width[i % columns];

		str_add(out, cells->v[i]);
		if (i % columns + 1 == columns) {
			str_addc(out, '\n');
			continue;
		}
		for (size_t n = width_of(cells->v[i]); n < want; n++)
			str_addc(out, ' ');
	}
}

int ps_format_print(const struct ps_format *f, const struct ps_list *l, struct str *out,
		    struct err *e)
{
	auto_strv struct strv cells = STRV_INIT;
	struct chosen c = { .f = f, .l = l };

	if (check_titles(f, e) < 0)
		return -1;
	choose(&c);
	if (f->forest)
		make_forest(&c);
	for (size_t i = 0; i < f->n; i++)
		strv_add(&cells, f->columns[i].title);
	for (size_t row = 0; row < c.n; row++) {
		for (size_t i = 0; i < f->n; i++)
			add_cell(&c, row, i, &cells);
	}
	print_cells(&cells, f->n, out);
	chosen_release(&c);
	return 0;
}
