/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "engine/image_config.h"

#define D(c)   "\"sha256:" c c c c c c c c c c c c c c c c "\""
#define HEAD   "{\"os\":\"linux\",\"architecture\":\"amd64\","
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" D("1234") "," D("abcd") "]}"

static int parse(const char *text, struct image_config *c, struct err *e)
{
	return image_config_parse(text, strlen(text), c, e);
}

static void a_full_configuration_arrives(void **state)
{
	static const char text[] = HEAD
		"\"created\":\"2024-05-06T07:08:09.5Z\",\"author\":\"me\",\"config\":{"
		"\"Env\":[\"PATH=/bin\",\"A=b=c\"],\"Entrypoint\":[\"/e\"],\"Cmd\":[\"x\",\"y\"],"
		"\"WorkingDir\":\"/w\",\"User\":\"u:g\",\"StopSignal\":\"SIGINT\","
		"\"Labels\":{\"k\":\"v\"},\"ExposedPorts\":{\"80/tcp\":{}},"
		"\"Volumes\":{\"/data\":{}},\"Healthcheck\":{\"Test\":[\"NONE\"]},"
		"\"Shell\":[\"/bin/ash\"],\"OnBuild\":null},"
		"\"history\":[{\"created_by\":\"x\"}]," ROOTFS "}";
	auto_image_config struct image_config c;
	struct err e = ERR_INIT;

	(void)state;
	image_config_init(&c);
	assert_ok(parse(text, &c, &e));
	assert_string_equal(c.platform.arch, "amd64");
	assert_int_equal(c.created, 1714979289500000000);
	assert_string_equal(c.env.v[1], "A=b=c");
	assert_string_equal(c.entrypoint.v[0], "/e");
	assert_int_equal(c.cmd.n, 2);
	assert_string_equal(c.workdir, "/w");
	assert_string_equal(c.user, "u:g");
	assert_string_equal(c.stop_signal, "SIGINT");
	assert_string_equal(c.labels.v[0], "k=v");
	assert_string_equal(c.exposed_ports.v[0], "80/tcp");
	assert_string_equal(c.volumes.v[0], "/data");
	assert_string_equal(c.healthcheck, "{\"Test\":[\"NONE\"]}");
	assert_string_equal(c.history, "[{\"created_by\":\"x\"}]");
	assert_string_equal(c.shell.v[0], "/bin/ash");
	assert_int_equal(c.layers.n, 2);
}

static void what_is_not_said_is_empty(void **state)
{
	auto_image_config struct image_config c;
	struct err e = ERR_INIT;

	(void)state;
	image_config_init(&c);
	assert_ok(parse(HEAD "\"created\":\"nonsense\",\"config\":null," ROOTFS "}", &c, &e));
	assert_int_equal(c.created, 0);
	assert_string_equal(c.user, "");
	assert_string_equal(c.workdir, "");
	assert_int_equal(c.env.n, 0);
	assert_null(c.healthcheck);
}

static void bad_configurations_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *message;
		enum err_kind kind;
	} cases[] = {
		{ "{", "invalid JSON", ERR_CORRUPT },
		{ "{" ROOTFS "}", "'os' is missing", ERR_CORRUPT },
		{ HEAD "\"rootfs\":{}}", "'diff_ids' is missing", ERR_CORRUPT },
		{ HEAD "\"rootfs\":{\"diff_ids\":[]}}", "no layers", ERR_INVALID },
		{ HEAD "\"rootfs\":{\"diff_ids\":[\"sha256:../x\"]}}", "is no sha256 digest",
		  ERR_CORRUPT },
		{ HEAD "\"config\":{\"Env\":\"x\"}," ROOTFS "}",
		  "config: field 'Env' is not a list", ERR_CORRUPT },
		{ HEAD "\"config\":{\"Cmd\":[\"a\",1]}," ROOTFS "}", "Cmd[1]", ERR_CORRUPT },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_image_config struct image_config c;

		image_config_init(&c);
		if (parse(cases[i].text, &c, &e) >= 0)
			fail_msg("'%s' was accepted", cases[i].text);
		if (!strstr(e.msg, cases[i].message) || e.kind != cases[i].kind)
			fail_msg("'%s': '%s' (%s)", cases[i].text, e.msg, err_kind_name(e.kind));
		err_clear(&e);
	}
}

static void the_number_of_layers_is_limited(void **state)
{
	auto_str struct str text = STR_INIT(IMAGE_CONFIG_MAX);
	auto_image_config struct image_config c;
	struct err e = ERR_INIT;

	(void)state;
	image_config_init(&c);
	str_add(&text, HEAD "\"rootfs\":{\"diff_ids\":[" D("1234"));
	for (unsigned i = 1; i < IMAGE_LAYERS_MAX; i++)
		str_add(&text, "," D("1234"));
	str_add(&text, "]}}");
	assert_ok(image_config_parse(text.buf, text.len, &c, &e));
	assert_int_equal(c.layers.n, IMAGE_LAYERS_MAX);
	str_truncate(&text, text.len - 3);
	str_add(&text, "," D("1234") "]}}");
	assert_fails(image_config_parse(text.buf, text.len, &c, &e), "more than 127 layers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_configuration_arrives),
		cmocka_unit_test(what_is_not_said_is_empty),
		cmocka_unit_test(bad_configurations_are_refused_with_a_reason),
		cmocka_unit_test(the_number_of_layers_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
