/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "engine/container_match.h"
#include "engine/container_priv.h"
#include "engine/labels.h"

#define PATTERNS_MAX	64
#define PATTERN_LEN_MAX 1024

struct patterns {
	regex_t *v;
	size_t n;
};

/* A filter made ready: expressions compiled, containers that it names looked up. */
struct prepared {
	const struct container_filter *f;
	struct patterns names, ids;
	int64_t before_ns; /* 0: no limit */
	int64_t since_ns;
};

void container_filter_release(struct container_filter *f)
{
	strv_release(&f->names);
	strv_release(&f->ids);
	strv_release(&f->labels);
	strv_release(&f->ancestors);
	strv_release(&f->statuses);
	strv_release(&f->exited);
	strv_release(&f->before);
	strv_release(&f->since);
	strv_release(&f->healths);
	strv_release(&f->exposed);
	strv_release(&f->published);
	strv_release(&f->networks);
	strv_release(&f->volumes);
	*f = (struct container_filter){ .all = false };
}

void container_list_release(struct container_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		container_release(&l->v[i]);
	free(l->v);
	*l = (struct container_list)CONTAINER_LIST_INIT;
}

static void patterns_release(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		regfree(&p->v[i]);
	free(p->v);
}

static void prepared_release(struct prepared *p)
{
	patterns_release(&p->names);
	patterns_release(&p->ids);
}
#define auto_prepared __attribute__((cleanup(prepared_release)))

/* ---- preparing ---- */

static int prepare_patterns(const char *key, const struct strv *texts, struct patterns *ret,
			    struct err *e)
{
	if (texts->n > PATTERNS_MAX)
		return err_set(e, ERR_INVALID, "more than %d %s filters", PATTERNS_MAX, key);
	ret->v = xcalloc(texts->n, sizeof(*ret->v));
	for (size_t i = 0; i < texts->n; i++) {
		if (strlen(texts->v[i]) > PATTERN_LEN_MAX ||
		    regcomp(&ret->v[i], texts->v[i], REG_EXTENDED | REG_NOSUB) != 0)
			return err_set(e, ERR_INVALID, "invalid filter '%s=%.200s'", key,
				       texts->v[i]);
		ret->n++;
	}
	return 0;
}

static int prepare_limit(struct store *s, const struct strv *which, bool earliest, int64_t *ret,
			 struct err *e)
{
	for (size_t i = 0; i < which->n; i++) {
		auto_container struct container c = CONTAINER_INIT;

		if (container_find(s, which->v[i], &c, e) < 0)
			return -1;
		if (*ret == 0 || (earliest ? c.created_ns < *ret : c.created_ns > *ret))
			*ret = c.created_ns;
	}
	return 0;
}

static int check_words(const struct container_filter *f, struct err *e)
{
	for (size_t i = 0; i < f->statuses.n; i++) {
		if (!state_word_is_valid(f->statuses.v[i]))
			return err_set(e, ERR_INVALID, "invalid filter 'status=%.200s'",
				       f->statuses.v[i]);
	}
	for (size_t i = 0; i < f->exited.n; i++) {
		struct err why = ERR_INIT;
		int64_t code;

		if (parse_i64(f->exited.v[i], INT32_MIN, INT32_MAX, &code, &why) < 0)
			return err_set(e, ERR_INVALID, "invalid filter 'exited=%.200s'",
				       f->exited.v[i]);
	}
	return 0;
}

static int prepare(struct store *s, struct prepared *p, struct err *e)
{
	if (check_words(p->f, e) < 0 || container_match_check(p->f, e) < 0 ||
	    prepare_patterns("name", &p->f->names, &p->names, e) < 0 ||
	    prepare_patterns("id", &p->f->ids, &p->ids, e) < 0 ||
	    prepare_limit(s, &p->f->before, true, &p->before_ns, e) < 0 ||
	    prepare_limit(s, &p->f->since, false, &p->since_ns, e) < 0)
		return -1;
	return 0;
}

/* ---- matching ---- */

/* Docker's names begin with a slash, and so may the expression. */
static bool name_matches(const char *name, const regex_t *re)
{
	char with_slash[512];

	if (regexec(re, name, 0, NULL, 0) == 0)
		return true;
	snprintf(with_slash, sizeof(with_slash), "/%.500s", name);
	return regexec(re, with_slash, 0, NULL, 0) == 0;
}

/* An id, the beginning of one, or the reference as it was written, the tag "latest" understood. */
static bool ancestor_matches(const struct container *c, const char *want)
{
	const char *hex = str_has_prefix(want, "sha256:") ? want + 7 : want;
	const char *id = str_has_prefix(c->image_id, "sha256:") ? c->image_id + 7 : c->image_id;
	size_t n = strlen(want);

	if (hex[0] && hex_is(hex, strlen(hex)) && str_has_prefix(id, hex))
		return true;
	if (str_has_prefix(c->image_ref, want) &&
	    (!c->image_ref[n] || str_eq(c->image_ref + n, ":latest")))
		return true;
	n = strlen(c->image_ref);
	return str_has_prefix(want, c->image_ref) && str_eq(want + n, ":latest");
}

static bool exited_matches(const struct container *c, const char *want)
{
	struct err ignored = ERR_INIT;
	int64_t code;

	return c->state == ST_EXITED &&
	       parse_i64(want, INT32_MIN, INT32_MAX, &code, &ignored) == 0 && code == c->exit_code;
}

/* One value of a list against a container. */
typedef bool matcher(const struct container *c, const struct prepared *p, size_t i);

static bool match_name(const struct container *c, const struct prepared *p, size_t i)
{
	return name_matches(c->name, &p->names.v[i]);
}

static bool match_id(const struct container *c, const struct prepared *p, size_t i)
{
	return regexec(&p->ids.v[i], c->id, 0, NULL, 0) == 0;
}

static bool match_ancestor(const struct container *c, const struct prepared *p, size_t i)
{
	return ancestor_matches(c, p->f->ancestors.v[i]);
}

static bool match_status(const struct container *c, const struct prepared *p, size_t i)
{
	return str_eq(state_word(c->state), p->f->statuses.v[i]);
}

static bool match_exited(const struct container *c, const struct prepared *p, size_t i)
{
	return exited_matches(c, p->f->exited.v[i]);
}

static bool match_health(const struct container *c, const struct prepared *p, size_t i)
{
	const char *word = container_health_word(c);

	return str_eq(*word ? word : "none", p->f->healths.v[i]);
}

/* An empty list lets everything pass. */
static bool any_of(const struct container *c, const struct prepared *p, const struct strv *list,
		   matcher *matches)
{
	for (size_t i = 0; i < list->n; i++) {
		if (matches(c, p, i))
			return true;
	}
	return list->n == 0;
}

/* What does not depend on the state, and so can be asked before the locks are looked at. */
static bool fits(const struct container *c, const struct prepared *p)
{
	if (p->before_ns && c->created_ns >= p->before_ns)
		return false;
	if (p->since_ns && c->created_ns <= p->since_ns)
		return false;
	return any_of(c, p, &p->f->names, match_name) && any_of(c, p, &p->f->ids, match_id) &&
	       any_of(c, p, &p->f->ancestors, match_ancestor) &&
	       labels_have_all(&c->labels, &p->f->labels); /* all of them, as with Docker */
}

/* Not only those that run. */
static bool shows_all(const struct container_filter *f)
{
	return f->all || f->last > 0 || f->statuses.n > 0;
}

static bool state_fits(const struct container *c, const struct prepared *p)
{
	if (!shows_all(p->f) && (!state_is_active(c->state) || c->state == ST_STARTING))
		return false;
	return any_of(c, p, &p->f->statuses, match_status) &&
	       any_of(c, p, &p->f->exited, match_exited) &&
	       any_of(c, p, &p->f->healths, match_health);
}

/* A container whose definition cannot be read fits no question about it. */
static bool spec_fits(struct store *s, const struct container *c, const struct prepared *p)
{
	auto_spec struct container_spec spec = { .name = NULL };
	struct err ignored = ERR_INIT;

	return container_spec_load(s, c->id, &spec, &ignored) == 0 &&
	       container_match_spec(p->f, &spec);
}

/* ---- listing ---- */

static int read_rows(struct store *s, const struct prepared *p, struct container_list *ret,
		     struct err *e)
{
	auto_stmt struct stmt st = STMT_INIT;
	auto_container struct container c = CONTAINER_INIT;
	size_t cap = 0;
	int r;

	/* Whoever runs has an active state in its row, whatever may have become of it since. */
	stmt_prepare(&st, store_db(s),
		     "SELECT " CONTAINER_COLUMNS
		     " FROM containers WHERE ?1 OR state BETWEEN ?2 AND ?3"
		     " ORDER BY created_ns DESC, id");
	stmt_bind_int(&st, 1, shows_all(p->f));
	stmt_bind_int(&st, 2, ST_STARTING);
	stmt_bind_int(&st, 3, ST_RESTARTING);
	while ((r = stmt_step(&st, e)) > 0) {
		if (row_fill(&st, &c, e) < 0)
			return -1;
		if (!fits(&c, p))
			continue;
		if (ret->n == cap) {
			cap = cap ? cap * 2 : 64;
			ret->v = xreallocarray(ret->v, cap, sizeof(*ret->v));
		}
		ret->v[ret->n++] = c;
		c = (struct container)CONTAINER_INIT;
	}
	return r;
}

/* One container whose truth cannot be had must not hide the others. 1: it is there, 0: it went
 * away. */
static int settle(struct store *s, struct container *c)
{
	struct err why = ERR_INIT;
	int r = row_settle(s, c, &why);

	if (r >= 0)
		return r;
	c->state = ST_DEAD;
	free(c->error);
	c->error = xstrdup(why.msg);
	return 1;
}

/* Brings the rows up to date and keeps those that fit. */
static void settle_rows(struct store *s, const struct prepared *p, struct container_list *l)
{
	bool needs_spec = container_match_needs_spec(p->f);
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct container c = l->v[i];
		bool full = p->f->last > 0 && kept == (size_t)p->f->last;

		if (!full && settle(s, &c) > 0 && state_fits(&c, p) &&
		    (!needs_spec || spec_fits(s, &c, p)))
			l->v[kept++] = c;
		else
			container_release(&c);
	}
	l->n = kept;
}

int container_list(struct store *s, const struct container_filter *f, struct container_list *ret,
		   struct err *e)
{
	static const struct container_filter everything = { .all = true };
	auto_prepared struct prepared p = { .f = f ? f : &everything };
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;

	if (prepare(s, &p, e) < 0 || read_rows(s, &p, &l, e) < 0)
		return -1;
	settle_rows(s, &p, &l);
	container_list_release(ret);
	*ret = l;
	l = (struct container_list)CONTAINER_LIST_INIT;
	return 0;
}
