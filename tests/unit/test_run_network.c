/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/run_line.h"

static void names_are_checked(void **state)
{
	static const struct line_case cases[] = {
		{ "-h|box|--domainname|example.org", LINE_OK, "Config.Hostname=\"box\"" },
		{ "--domainname|example.org", LINE_OK, "Config.Domainname=\"example.org\"" },
		{ "-h|0123456789012345678901234567890123456789012345678901234567890123x",
		  LINE_ENGINE, "invalid hostname" },
		{ "--domainname|0123456789012345678901234567890123456789012345678901234567890123x",
		  LINE_ENGINE, "invalid domainname" },
		{ "-h|a b", LINE_ENGINE, "invalid hostname 'a b'" },
		{ "-h|a\nb", LINE_ENGINE, "invalid hostname" },
		{ "--network|bridge", LINE_CLIENT, "network 'bridge' cannot be had" },
		{ "--net|none", LINE_OK, "HostConfig.NetworkMode=\"none\"" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void lines_for_the_hosts_file_are_checked_as_docker_does(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.ExtraHosts=null" },
		{ "--add-host|a:1.2.3.4|--add-host|b=::1|--add-host|c=[fe80::1]", LINE_OK,
		  "HostConfig.ExtraHosts=[\"a:1.2.3.4\",\"b:::1\",\"c:fe80::1\"]" },
		{ "--add-host|a:::1", LINE_OK, "HostConfig.ExtraHosts=[\"a:::1\"]" },
		{ "--add-host|h:host-gateway", LINE_OK,
		  "HostConfig.ExtraHosts=[\"h:host-gateway\"]" },
		{ "--add-host|", LINE_FLAG,
		  "invalid argument \"\" for \"--add-host\" flag: bad format for add-host: \"\"" },
		{ "--add-host|foo", LINE_FLAG, "bad format for add-host: \"foo\"" },
		{ "--add-host|:1.2.3.4", LINE_FLAG, "bad format for add-host: \":1.2.3.4\"" },
		{ "--add-host|a:b=1.2.3.4", LINE_FLAG, "bad format for add-host" },
		{ "--add-host|a b:1.2.3.4", LINE_FLAG, "bad format for add-host" },
		{ "--add-host|foo:", LINE_FLAG, "invalid IP address in add-host: \"\"" },
		{ "--add-host|foo:bar", LINE_FLAG, "invalid IP address in add-host: \"bar\"" },
		{ "--add-host|a=b=c", LINE_FLAG, "invalid IP address in add-host: \"b=c\"" },
		{ "--add-host|a:1.2.3.4:5", LINE_FLAG,
		  "invalid IP address in add-host: \"1.2.3.4:5\"" },
		{ "--add-host|a:1.2.3.256", LINE_FLAG, "invalid IP address in add-host" },
		{ "--add-host|a=[]", LINE_FLAG, "invalid IP address in add-host: \"[]\"" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void name_servers_are_checked_as_docker_does(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "HostConfig.Dns=[]" },
		{ "--dns|8.8.8.8|--dns| 2001:db8::1", LINE_OK,
		  "HostConfig.Dns=[\"8.8.8.8\",\"2001:db8::1\"]" },
		{ "--dns|x", LINE_FLAG, "IP address is not correctly formatted: x" },
		{ "--dns|", LINE_FLAG, "IP address is not correctly formatted: " },
		{ "--dns|fe80::1%eth0", LINE_FLAG, "IP address is not correctly formatted" },
		{ "--dns|127.0.0.1", LINE_WARNING,
		  "Localhost DNS setting (--dns=127.0.0.1) may fail in containers." },
		{ "", LINE_OK, "HostConfig.DnsSearch=[]" },
		{ "--dns-search|example.org|--dns-search|.", LINE_OK,
		  "HostConfig.DnsSearch=[\"example.org\",\".\"]" },
		{ "--dns-search|a.b.", LINE_OK, "" },
		{ "--dns-search|", LINE_FLAG, " is not a valid domain" },
		{ "--dns-search|a b", LINE_FLAG, "a b is not a valid domain" },
		{ "--dns-search|x.-y", LINE_FLAG, "x.-y is not a valid domain" },
		{ "--dns-search|x..y", LINE_FLAG, "x..y is not a valid domain" },
		{ "--dns-search|-x", LINE_FLAG, "-x is not a valid domain" },
		{ "--dns-search|1.2", LINE_FLAG, "1.2 is not a valid domain" },
		{ "", LINE_OK, "HostConfig.DnsOptions=[]" },
		{ "--dns-option|ndots:2|--dns-opt|rotate", LINE_OK,
		  "HostConfig.DnsOptions=[\"ndots:2\",\"rotate\"]" },
		{ "--dns-option|a\nnameserver 1.2.3.4", LINE_ENGINE, "invalid DNS option" },
		{ "--dns-option|", LINE_ENGINE, "invalid DNS option ''" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void ports_are_exposed_one_by_one_and_in_ranges(void **state)
{
	static const struct line_case cases[] = {
		{ "", LINE_OK, "Config.ExposedPorts=-" },
		{ "--expose|80", LINE_OK, "Config.ExposedPorts={\"80/tcp\":{}}" },
		{ "--expose|80/|--expose|53/udp", LINE_OK,
		  "Config.ExposedPorts={\"80/tcp\":{},\"53/udp\":{}}" },
		{ "--expose|8000-8002/sctp", LINE_OK,
		  "Config.ExposedPorts={\"8000/sctp\":{},\"8001/sctp\":{},\"8002/sctp\":{}}" },
		{ "--expose|65535", LINE_OK, "" },
		{ "--expose|", LINE_CLIENT,
		  "invalid range format for --expose: , error: empty string specified for ports" },
		{ "--expose|/tcp", LINE_CLIENT, "empty string specified for ports" },
		{ "--expose|x", LINE_CLIENT,
		  "invalid range format for --expose: x, error: strconv.ParseUint: parsing \"x\": "
		  "invalid syntax" },
		{ "--expose|80,90", LINE_CLIENT, "parsing \"80,90\": invalid syntax" },
		{ "--expose|99999", LINE_CLIENT, "parsing \"99999\": value out of range" },
		{ "--expose|1-", LINE_CLIENT, "parsing \"\": invalid syntax" },
		{ "--expose|-1", LINE_CLIENT, "parsing \"\": invalid syntax" },
		{ "--expose|90-80", LINE_CLIENT, "invalid range specified for port: 90-80" },
		{ "--expose|80:90", LINE_CLIENT, "invalid port format for --expose: 80:90" },
		{ "--expose|80/foo", LINE_ENGINE, "invalid proto: foo" },
	};

	(void)state;
	line_check_all(cases, ARRAY_LEN(cases));
}

static void the_images_ports_are_added(void **state)
{
	auto_strv struct strv image = STRV_INIT;
	auto_spec struct container_spec spec;

	(void)state;
	spec_init(&spec);
	strv_add(&spec.exposed_ports, "80/tcp");
	strv_add(&spec.exposed_ports, "8080/tcp");
	strv_add(&image, "80/tcp");
	strv_add(&image, "22/tcp");
	run_network_image(&spec, &image);
	assert_int_equal(spec.exposed_ports.n, 3);
	assert_string_equal(spec.exposed_ports.v[0], "22/tcp");
	assert_string_equal(spec.exposed_ports.v[1], "80/tcp");
	assert_string_equal(spec.exposed_ports.v[2], "8080/tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(lines_for_the_hosts_file_are_checked_as_docker_does),
		cmocka_unit_test(name_servers_are_checked_as_docker_does),
		cmocka_unit_test(ports_are_exposed_one_by_one_and_in_ranges),
		cmocka_unit_test(the_images_ports_are_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
