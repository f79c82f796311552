/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `run` and `create` about names and networks. Pure. See run_part.h. */
#ifndef KVBOX_CMD_RUN_NETWORK_H
#define KVBOX_CMD_RUN_NETWORK_H

#include "base/err.h"
#include "cmd/opt.h"
#include "engine/spec.h"

struct run_network {
	const char *hostname, *domainname, *network;
	struct strv extra_hosts, dns, dns_search, dns_options, expose;
};

/* Entries of an option table for the member `in` of the struct `t`. */
#define RUN_NETWORK_OPTS(t, in)                                                                  \
	OPT_LIST(0, "add-host", t, in.extra_hosts, "list",                                       \
		 "Line for /etc/hosts: <name>:<address>", COMP_NONE, .check = run_network_host), \
		OPT_LIST(0, "dns", t, in.dns, "list", "Name server to ask", COMP_NONE,           \
			 .check = run_network_dns),                                              \
		OPT_LIST(0, "dns-opt", t, in.dns_options, "list", "As --dns-option", COMP_NONE,  \
			 .hidden = true),                                                        \
		OPT_LIST(0, "dns-option", t, in.dns_options, "list",                             \
			 "Option of the resolver, as in resolv.conf", COMP_NONE),                \
		OPT_LIST(0, "dns-search", t, in.dns_search, "list",                              \
			 "Domain to look short names up in", COMP_NONE,                          \
			 .check = run_network_search),                                           \
		OPT_STR(0, "domainname", t, in.domainname, "string",                             \
			"The container's NIS domain name", COMP_NONE),                           \
		OPT_LIST(0, "expose", t, in.expose, "list",                                      \
			 "Port, or range of ports, that the container listens on", COMP_NONE),   \
		OPT_STR('h', "hostname", t, in.hostname, "string", "The container's host name",  \
			COMP_NONE),                                                              \
		OPT_STR(0, "net", t, in.network, "network", "As --network", COMP_NONE,           \
			.hidden = true),                                                         \
		OPT_STR(0, "network", t, in.network, "network",                                  \
			"Network to connect to: only none so far", COMP_NONE)

/* Checks of the table. */
int run_network_host(const char *text, struct err *e) MUST_CHECK;
int run_network_dns(const char *text, struct err *e) MUST_CHECK;
int run_network_search(const char *text, struct err *e) MUST_CHECK;

int run_network_set(const struct run_network *a, struct container_spec *spec,
		    struct err *e) MUST_CHECK;
int run_network_check(const struct container_spec *spec, struct strv *warnings,
		      struct err *e) MUST_CHECK;
/* Adds the image's ports to those of --expose: sorted, each once. */
void run_network_image(struct container_spec *spec, const struct strv *exposed);

#endif
