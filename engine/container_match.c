/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_match.h"

#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

#define PORT_MAX 65535

/* "80", "80/udp" or "80-90/tcp". */
struct ports {
	uint64_t first, last;
	char protocol[8];
};

static int parse_port(const char *text, size_t n, uint64_t *ret, struct err *e)
{
	auto_free char *number = xstrndup(text, n);

	return parse_u64(number, PORT_MAX, ret, e);
}

static int parse_ports(const char *text, struct ports *ret, struct err *e)
{
	size_t n = strcspn(text, "/"), first = strcspn(text, "-/");
	const char *protocol = text[n] && text[n + 1] ? text + n + 1 : "tcp";

	if (strlen(protocol) >= sizeof(ret->protocol))
		return err_set(e, ERR_INVALID, "invalid proto: %.100s", protocol);
	memcpy(ret->protocol, protocol, strlen(protocol) + 1);
	if (parse_port(text, first, &ret->first, e) < 0)
		return -1;
	ret->last = ret->first;
	if (text[first] == '-' && parse_port(text + first + 1, n - first - 1, &ret->last, e) < 0)
		return -1;
	if (ret->last < ret->first)
		return err_set(e, ERR_INVALID, "invalid range specified for port: %.100s", text);
	return 0;
}

static int check_ports(const char *key, const struct strv *values, struct err *e)
{
	for (size_t i = 0; i < values->n; i++) {
		struct err why = ERR_INIT;
		struct ports ports;

		if (strchr(values->v[i], ':'))
			return err_set(e, ERR_INVALID,
				       "filter for '%s' should not contain ':': %.200s", key,
				       values->v[i]);
		if (parse_ports(values->v[i], &ports, &why) < 0)
			return err_set(e, ERR_INVALID, "error while looking up for %s %.200s: %s",
				       key, values->v[i], why.msg);
	}
	return 0;
}

static int check_health(const struct strv *values, struct err *e)
{
	static const char *const words[] = { "none", "starting", "healthy", "unhealthy" };

	for (size_t i = 0; i < values->n; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(words) && strcmp(words[k], values->v[i]) != 0)
			k++;
		if (k == ARRAY_LEN(words))
			return err_set(e, ERR_INVALID,
				       "unrecognized filter value for health: %.200s",
				       values->v[i]);
	}
	return 0;
}

int container_match_check(const struct container_filter *f, struct err *e)
{
	if (check_health(&f->healths, e) < 0 || check_ports("expose", &f->exposed, e) < 0 ||
	    check_ports("publish", &f->published, e) < 0)
		return -1;
	return 0;
}

bool container_match_needs_spec(const struct container_filter *f)
{
	return f->exposed.n || f->published.n || f->networks.n || f->volumes.n;
}

static bool port_is_in(const char *port, const char *wanted)
{
	struct err ignored = ERR_INIT;
	struct ports has, want;

	return parse_ports(port, &has, &ignored) == 0 &&
	       parse_ports(wanted, &want, &ignored) == 0 &&
	       strcmp(has.protocol, want.protocol) == 0 && has.first >= want.first &&
	       has.last <= want.last;
}

static bool ports_fit(const struct strv *ports, const struct strv *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		for (size_t k = 0; k < ports->n; k++) {
			if (port_is_in(ports->v[k], wanted->v[i]))
				return true;
		}
	}
	return wanted->n == 0;
}

/* A volume by its name or by where it is in the container. */
static bool volumes_fit(const struct container_spec *spec, const struct strv *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		if (strv_has(&spec->volumes, wanted->v[i]))
			return true;
	}
	return wanted->n == 0;
}

bool container_match_spec(const struct container_filter *f, const struct container_spec *spec)
{
	/* nothing is published where there are no networks */
	static const struct strv nothing = STRV_INIT;

	if (f->networks.n && !strv_has(&f->networks, spec->network_mode))
		return false;
	return ports_fit(&spec->exposed_ports, &f->exposed) && ports_fit(&nothing, &f->published) &&
	       volumes_fit(spec, &f->volumes);
}
