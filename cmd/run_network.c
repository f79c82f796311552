/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/run_part.h"

#define HOSTNAME_MAX 64
#define DOMAIN_MAX   255
#define HOST_GATEWAY "host-gateway"

static bool is_address(const char *text)
{
	unsigned char buf[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, buf) == 1 || inet_pton(AF_INET6, text, buf) == 1;
}

/* Blanks and the like would become other lines or words of the guest's files. */
static bool is_word(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == '\177')
			return false;
	}
	return n > 0;
}

/* ---- /etc/hosts ---- */

/* "name=address" or "name:address", the address perhaps in brackets, as "name:address". */
static int parse_host(const char *text, char **ret, struct err *e)
{
	size_t n = strcspn(text, "=");
	auto_free char *address = NULL;

	if (!text[n])
		n = strcspn(text, ":");
	if (!text[n] || !is_word(text, n) || memchr(text, ':', n))
		return err_set(e, ERR_INVALID, "bad format for add-host: \"%.200s\"", text);
	address = xstrdup(text + n + 1);
	if (*address == '[' && strlen(address) > 2 && str_has_suffix(address, "]")) {
		memmove(address, address + 1, strlen(address));
		address[strlen(address) - 1] = '\0';
	}
	if (strcmp(address, HOST_GATEWAY) != 0 && !is_address(address))
		return err_set(e, ERR_INVALID, "invalid IP address in add-host: \"%.100s\"",
			       address);
	*ret = xasprintf("%.*s:%s", (int)n, text, address);
	return 0;
}

int run_network_host(const char *text, struct err *e)
{
	auto_free char *ignored = NULL;

	return parse_host(text, &ignored, e);
}

/* ---- resolv.conf ---- */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " ");
}

int run_network_dns(const char *text, struct err *e)
{
	if (is_address(skip_blanks(text)))
		return 0;
	return err_set(e, ERR_INVALID, "IP address is not correctly formatted: %.100s", text);
}

/* Letters, digits and inner "-"; returns where it ends, NULL when it is none. */
static const char *skip_label(const char *p)
{
	const char *start = p;

	while (isalnum((unsigned char)*p) || *p == '-')
		p++;
	return p > start && *start != '-' && p[-1] != '-' ? p : NULL;
}

int run_network_search(const char *text, struct err *e)
{
	const char *p = skip_blanks(text);
	bool letter = strpbrk(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;

	if (strcmp(p, ".") == 0)
		return 0;
	for (p = strlen(p) < DOMAIN_MAX ? skip_label(p) : NULL; p && *p == '.' && p[1];)
		p = skip_label(p + 1);
	if (letter && p && (!*p || strcmp(p, ".") == 0))
		return 0;
	return err_set(e, ERR_INVALID, "%.300s is not a valid domain", text);
}

/* ---- ports ---- */

static int parse_port(const char *text, size_t n, uint64_t *ret, struct err *why)
{
	auto_free char *number = xstrndup(text, n);
	struct err ignored = ERR_INIT;

	if (parse_u64(number, UINT16_MAX, ret, &ignored) == 0)
		return 0;
	return err_set(why, ERR_INVALID, "strconv.ParseUint: parsing \"%.60s\": %s", number,
		       n && strspn(number, "0123456789") == n ? "value out of range"
							      : "invalid syntax");
}

/* "80" or "8000-8010" */
static int parse_ports(const char *text, uint64_t *first, uint64_t *last, struct err *why)
{
	size_t n = strcspn(text, "-");

	if (!*text)
		return err_set(why, ERR_INVALID, "empty string specified for ports");
	if (parse_port(text, n, first, why) < 0)
		return -1;
	*last = *first;
	if (text[n] && parse_port(text + n + 1, strlen(text + n + 1), last, why) < 0)
		return -1;
	if (*last < *first)
		return err_set(why, ERR_INVALID, "invalid range specified for port: %.60s", text);
	return 0;
}

static int set_expose(const char *text, struct container_spec *spec, struct err *e)
{
	auto_strv struct strv parts = STRV_INIT;
	struct err why = ERR_INIT;
	const char *protocol;
	uint64_t first, last;

	if (strchr(text, ':'))
		return err_set(e, ERR_INVALID, "invalid port format for --expose: %.200s", text);
	strv_split(&parts, text, '/');
	protocol = parts.n > 1 && parts.v[1][0] ? parts.v[1] : "tcp";
	if (parse_ports(parts.v[0], &first, &last, &why) < 0)
		return err_set(e, ERR_INVALID,
			       "invalid range format for --expose: %.200s, error: %.200s", text,
			       why.msg);
	for (; first <= last; first++)
		strv_addf(&spec->exposed_ports, "%u/%s", (unsigned)first, protocol);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void run_network_image(struct container_spec *spec, const struct strv *exposed)
{
	auto_strv struct strv all = STRV_INIT;

	strv_add_all(&all, &spec->exposed_ports);
	strv_add_all(&all, exposed);
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), compare);
	strv_clear(&spec->exposed_ports);
	for (size_t i = 0; i < all.n; i++) {
		if (i == 0 || strcmp(all.v[i], all.v[i - 1]) != 0)
			strv_add(&spec->exposed_ports, all.v[i]);
	}
}

/* ---- all ---- */

int run_network_set(const struct run_network *a, struct container_spec *spec, struct err *e)
{
	if (a->network && strcmp(a->network, "none") != 0)
		return err_set(e, ERR_INVALID,
			       "network '%.100s' cannot be had: this version of kvbox has only "
			       "--network none",
			       a->network);
	run_text(&spec->hostname, a->hostname);
	run_text(&spec->domainname, a->domainname);
	for (size_t i = 0; i < a->extra_hosts.n; i++) {
		char *host = NULL;

		if (parse_host(a->extra_hosts.v[i], &host, e) < 0)
			return -1;
		strv_add_take(&spec->extra_hosts, host);
	}
	for (size_t i = 0; i < a->dns.n; i++)
		strv_add(&spec->dns, skip_blanks(a->dns.v[i]));
	for (size_t i = 0; i < a->dns_search.n; i++)
		strv_add(&spec->dns_search, skip_blanks(a->dns_search.v[i]));
	strv_copy(&spec->dns_options, &a->dns_options);
	for (size_t i = 0; i < a->expose.n; i++) {
		if (set_expose(a->expose.v[i], spec, e) < 0)
			return -1;
	}
	return 0;
}

static int check_name(const char *what, const char *name, struct err *e)
{
	if (strlen(name) > HOSTNAME_MAX)
		return err_set(e, ERR_INVALID, "invalid %s '%.100s': longer than %d bytes", what,
			       name, HOSTNAME_MAX);
	if (*name && !is_word(name, strlen(name)))
		return err_set(e, ERR_INVALID, "invalid %s '%.100s'", what, name);
	return 0;
}

static int check_protocol(const char *port, struct err *e)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };
	const char *protocol = strchr(port, '/') + 1;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(protocol, known[i]) == 0)
			return 0;
	}
	return err_set(e, ERR_INVALID, "invalid proto: %.60s", protocol);
}

int run_network_check(const struct container_spec *spec, struct strv *warnings, struct err *e)
{
	if (check_name("hostname", spec->hostname, e) < 0 ||
	    check_name("domainname", spec->domainname, e) < 0)
		return -1;
	for (size_t i = 0; i < spec->dns_options.n; i++) {
		if (!is_word(spec->dns_options.v[i], strlen(spec->dns_options.v[i])))
			return err_set(e, ERR_INVALID, "invalid DNS option '%.100s'",
				       spec->dns_options.v[i]);
	}
	for (size_t i = 0; i < spec->dns.n; i++) {
		if (str_has_prefix(spec->dns.v[i], "127.") || strcmp(spec->dns.v[i], "::1") == 0)
			strv_addf(warnings,
				  "Localhost DNS setting (--dns=%s) may fail in containers.",
				  spec->dns.v[i]);
	}
	for (size_t i = 0; i < spec->exposed_ports.n; i++) {
		if (check_protocol(spec->exposed_ports.v[i], e) < 0)
			return -1;
	}
	return 0;
}
