/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/resolv.h"

#include <stdbool.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

#define HOST_FILE     "/etc/resolv.conf"
#define RESOLVED_FILE "/run/systemd/resolve/resolv.conf"
#define RESOLVED_STUB "127.0.0.53"

struct content {
	struct strv servers, search, options;
};

static void content_release(struct content *c)
{
	strv_release(&c->servers);
	strv_release(&c->search);
	strv_release(&c->options);
}

static void add_words(char *words, struct strv *ret)
{
	char *word;

	while ((word = strsep(&words, " \t")))
		if (*word)
			strv_add(ret, word);
}

/* The last line of a kind wins, but for servers and options, which add up. */
static void parse(const char *text, struct content *ret)
{
	auto_free char *copy = xstrdup(text);
	char *save = copy, *line;

	while ((line = strsep(&save, "\n"))) {
		char *key;

		line[strcspn(line, "#;\r")] = '\0';
		line += strspn(line, " \t");
		key = strsep(&line, " \t");
		if (!line)
			continue;
		if (str_eq(key, "nameserver")) {
			add_words(line, &ret->servers);
		} else if (str_eq(key, "search") || str_eq(key, "domain")) {
			strv_clear(&ret->search);
			add_words(line, &ret->search);
		} else if (str_eq(key, "options")) {
			add_words(line, &ret->options);
		}
	}
}

static bool is_loopback(const char *server)
{
	return str_has_prefix(server, "127.") || str_eq(server, "::1");
}

static void add_line(const char *key, const struct strv *words, struct strv *ret)
{
	auto_str struct str line = STR_INIT(RESOLV_MAX);

	if (words->n == 0)
		return;
	str_add(&line, key);
	for (size_t i = 0; i < words->n; i++)
		str_addf(&line, " %s", words->v[i]);
	strv_add(ret, line.buf);
}

static void choose_servers(const struct content *host, const struct strv *wish, struct strv *ret)
{
	const struct strv *from = wish->n ? wish : &host->servers;

	for (size_t i = 0; i < from->n; i++)
		if (wish->n || !is_loopback(from->v[i]))
			strv_add(ret, from->v[i]);
	if (ret->n == 0) {
		strv_add(ret, "8.8.8.8");
		strv_add(ret, "8.8.4.4");
	}
}

void resolv_make(const char *host, const struct resolv_wish *wish, struct strv *ret)
{
	__attribute__((cleanup(content_release))) struct content c = { STRV_INIT, STRV_INIT,
								       STRV_INIT };
	auto_strv struct strv servers = STRV_INIT;

	parse(host, &c);
	choose_servers(&c, wish->servers, &servers);
	for (size_t i = 0; i < servers.n; i++)
		strv_addf(ret, "nameserver %s", servers.v[i]);
	if (wish->search->n == 0)
		add_line("search", &c.search, ret);
	else if (!(wish->search->n == 1 && str_eq(wish->search->v[0], ".")))
		add_line("search", wish->search, ret);
	add_line("options", wish->options->n ? wish->options : &c.options, ret);
}

void resolv_read_host(struct str *ret)
{
	__attribute__((cleanup(content_release))) struct content c = { STRV_INIT, STRV_INIT,
								       STRV_INIT };
	auto_str struct str other = STR_INIT(RESOLV_MAX);
	struct err e = ERR_INIT;

	str_clear(ret);
	if (file_read(AT_FDCWD, HOST_FILE, ret, &e) < 0) {
		str_clear(ret);
		return;
	}
	parse(ret->buf, &c);
	if (c.servers.n != 1 || !str_eq(c.servers.v[0], RESOLVED_STUB) ||
	    file_read(AT_FDCWD, RESOLVED_FILE, &other, &e) < 0)
		return;
	str_clear(ret);
	str_add(ret, other.buf);
}
