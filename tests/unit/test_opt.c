/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "cmd/opt.h"

struct args {
	bool detach, tty, proxy;
	const char *name, *user, *pull;
	struct strv env;
	struct opt_int timeout, weight;
	int64_t memory, cpus, swap, interval;
};

static int no_blanks(const char *text, struct err *e)
{
	return *text ? 0 : err_set(e, ERR_INVALID, "it is empty");
}

static const struct opt opts[] = {
	OPT_BOOL('d', "detach", struct args, detach, ""),
	OPT_BOOL('t', "tty", struct args, tty, ""),
	OPT_BOOL(0, "sig-proxy", struct args, proxy, "", .value = "true"),
	OPT_STR(0, "name", struct args, name, "string", "", COMP_NONE),
	OPT_STR('u', "user", struct args, user, "string", "", COMP_NONE),
	OPT_STR(0, "pull", struct args, pull, "string", "", COMP_NONE, .value = "missing"),
	OPT_LIST('e', "env", struct args, env, "list", "", COMP_NONE, .check = no_blanks),
	OPT_INT('n', "timeout", struct args, timeout, "int", "", COMP_NONE, .value = "-1"),
	OPT_SIZE('m', "memory", struct args, memory, "bytes", "", COMP_NONE),
	OPT_SWAP(0, "swap", struct args, swap, "bytes", "", COMP_NONE),
	OPT_DURATION(0, "interval", struct args, interval, "duration", "", COMP_NONE),
	OPT_UINT16(0, "weight", struct args, weight, "uint16", "", COMP_NONE),
	OPT_CPUS(0, "cpus", struct args, cpus, "decimal", "", COMP_NONE),
	OPT_END
};

static const struct verb early = {
	.name = "run",
	.max_operands = OPT_MANY,
	.min_operands = 1,
	.opts = opts,
	.argsize = sizeof(struct args),
	.stop_at_operand = true,
};
static const struct verb anywhere = {
	.name = "ps",
	.max_operands = OPT_MANY,
	.opts = opts,
	.argsize = sizeof(struct args),
};

/* Splits `line` at blanks and parses it; what is left over is joined by "|" in `operands`. */
static int parse(const struct verb *verb, const char *line, struct args *args, char operands[256],
		 struct err *e)
{
	auto_strv struct strv words = STRV_INIT;
	struct opt_result result;

	if (*line)
		strv_split(&words, line, ' ');
	memset(args, 0, sizeof(*args));
	operands[0] = '\0';
	if (opt_parse(verb, (int)words.n, words.v, args, &result, e) < 0) {
		opt_release(verb, args);
		return -1;
	}
	for (int i = 0; i < result.operands.n; i++) {
		strcat(operands, i ? "|" : "");
		strcat(operands, result.operands.v[i]);
	}
	if (result.help)
		strcpy(operands, "HELP");
	free(result.operands.v);
	return 0;
}

static void short_options_combine_and_take_their_value_from_the_rest_or_the_next_word(void **state)
{
	static const char *const lines[] = {
		"-dturoot -eA=b img",
		"-d -t -u root -e A=b img",
		"-dt --user=root --env A=b img",
		"--detach --tty=true -u=root -e=A=b img",
		"--user x -dturoot --env=A=b -- img",
	};
	struct err e = ERR_INIT;
	char operands[256];
	struct args a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_ok(parse(&early, lines[i], &a, operands, &e));
		assert_true(a.detach && a.tty);
		assert_int_equal(a.env.n, 1);
		assert_string_equal(a.env.v[0], "A=b");
		assert_string_equal(operands, "img");
		opt_release(&early, &a);
	}
}

static void options_after_an_operand_belong_to_the_command_only_where_the_verb_says_so(void **state)
{
	struct err e = ERR_INIT;
	char operands[256];
	struct args a;

	(void)state;
	assert_ok(parse(&early, "-d img ls -t --bad", &a, operands, &e));
	assert_string_equal(operands, "img|ls|-t|--bad");
	assert_false(a.tty);
	assert_ok(parse(&anywhere, "a -d b - -t", &a, operands, &e));
	assert_string_equal(operands, "a|b|-");
	assert_true(a.detach && a.tty);
	assert_ok(parse(&anywhere, "a -- -d", &a, operands, &e));
	assert_string_equal(operands, "a|-d");
	assert_false(a.detach);
}

static void values_at_the_start_come_from_the_table_and_do_not_count_as_given(void **state)
{
	struct err e = ERR_INIT;
	char operands[256];
	struct args a;

	(void)state;
	assert_ok(parse(&anywhere, "", &a, operands, &e));
	assert_true(a.proxy);
	assert_string_equal(a.pull, "missing");
	assert_false(a.timeout.set);
	assert_int_equal(a.timeout.v, -1);
	assert_null(a.name);
	assert_ok(parse(&anywhere, "--sig-proxy=false --timeout 0", &a, operands, &e));
	assert_false(a.proxy);
	assert_true(a.timeout.set);
	assert_int_equal(a.timeout.v, 0);
}

static void numbers_are_read_in_their_own_ways(void **state)
{
	struct err e = ERR_INIT;
	char operands[256];
	struct args a;

	(void)state;
	assert_ok(parse(&anywhere, "-m 512m --cpus 1.5 -n-3", &a, operands, &e));
	assert_int_equal(a.memory, 512 << 20);
	assert_int_equal(a.cpus, 1500000000);
	assert_int_equal(a.timeout.v, -3);
	assert_ok(parse(&anywhere, "--cpus=.25", &a, operands, &e));
	assert_int_equal(a.cpus, 250000000);
	assert_ok(parse(&anywhere, "--cpus=2.0000000000", &a, operands, &e));
	assert_int_equal(a.cpus, 2000000000);
	assert_ok(parse(&anywhere, "--cpus=-1.5 --swap -1 --interval 1m30s --weight 65535", &a,
			operands, &e));
	assert_int_equal(a.cpus, -1500000000);
	assert_int_equal(a.swap, -1);
	assert_int_equal(a.interval, INT64_C(90000000000));
	assert_int_equal(a.weight.v, 65535);
	assert_true(a.weight.set);
	assert_ok(parse(&anywhere, "--swap 2k --interval 0", &a, operands, &e));
	assert_int_equal(a.swap, 2048);
	assert_int_equal(a.interval, 0);
	assert_false(a.weight.set);
}

static void whole_numbers_are_read_as_go_reads_them(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "0", 0 },
		{ "-0", 0 },
		{ "+7", 7 },
		{ "0x1F", 31 },
		{ "-0xf", -15 },
		{ "0b101", 5 },
		{ "0o17", 15 },
		{ "017", 15 },
		{ "1_000", 1000 },
		{ "0x_1", 1 },
		{ "99999999999", 99999999999 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *line = xasprintf("--timeout=%s", cases[i].text);
		char operands[256];
		struct args a;

		assert_ok(parse(&anywhere, line, &a, operands, &e));
		assert_int_equal(a.timeout.v, cases[i].want);
		assert_true(a.timeout.set);
	}
}

static void what_is_wrong_is_said_in_dockers_words(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "--bad", "unknown flag: --bad" },
		{ "--bad=1", "unknown flag: --bad" },
		{ "--nam=x", "unknown flag: --nam" },
		{ "-dz", "unknown shorthand flag: 'z' in -z" },
		{ "--name", "flag needs an argument: --name" },
		{ "-e", "flag needs an argument: 'e' in -e" },
		{ "-de", "flag needs an argument: 'e' in -e" },
		{ "--=x", "bad flag syntax: --=x" },
		{ "---x", "bad flag syntax: ---x" },
		{ "--detach=3",
		  "invalid argument \"3\" for \"-d, --detach\" flag: strconv.ParseBool: parsing "
		  "\"3\": invalid syntax" },
		{ "-m xx",
		  "invalid argument \"xx\" for \"-m, --memory\" flag: invalid size: 'xx'" },
		{ "-n x", "strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ "-n 9223372036854775808",
		  "strconv.ParseInt: parsing \"9223372036854775808\": value out of range" },
		{ "-n -9223372036854775809", "value out of range" },
		{ "-n 99999999999999999999999", "value out of range" },
		{ "--timeout=", "strconv.ParseInt: parsing \"\": invalid syntax" },
		{ "-n -", "strconv.ParseInt: parsing \"-\": invalid syntax" },
		{ "-n 08", "invalid syntax" },
		{ "-n 0x", "invalid syntax" },
		{ "-n 0xg", "invalid syntax" },
		{ "-n 0b2", "invalid syntax" },
		{ "-n _1", "invalid syntax" },
		{ "-n 1_", "invalid syntax" },
		{ "-n 1__0", "invalid syntax" },
		{ "-n 1.0", "invalid syntax" },
		{ "--weight -1", "strconv.ParseUint: parsing \"-1\": invalid syntax" },
		{ "--weight +1", "strconv.ParseUint: parsing \"+1\": invalid syntax" },
		{ "--weight 65536", "strconv.ParseUint: parsing \"65536\": value out of range" },
		{ "--swap -2", "invalid argument \"-2\" for \"--swap\" flag: invalid size: '-2'" },
		{ "--interval 5", "time: missing unit in duration \"5\"" },
		{ "--env=", "invalid argument \"\" for \"-e, --env\" flag: it is empty" },
		{ "--cpus x", "invalid argument \"x\" for \"--cpus\" flag: failed to parse x as a "
			      "rational number" },
		{ "--cpus --1", "failed to parse --1 as a rational number" },
		{ "--cpus .", "failed to parse . as a rational number" },
		{ "--cpus 0.0000000001", "value is too precise" },
		{ "--cpus 99999999999999", "value is too large" },
	};
	struct err e = ERR_INIT;
	char operands[256];
	struct args a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_fails(parse(&anywhere, cases[i].line, &a, operands, &e), cases[i].text);
}

static void help_wins_over_everything_that_follows(void **state)
{
	struct err e = ERR_INIT;
	char operands[256];
	struct args a;

	(void)state;
	assert_ok(parse(&early, "--help --bad", &a, operands, &e));
	assert_string_equal(operands, "HELP");
	assert_ok(parse(&early, "-dh", &a, operands, &e));
	assert_string_equal(operands, "HELP");
	assert_ok(parse(&early, "img --help", &a, operands, &e));
	assert_string_equal(operands, "img|--help");
}

static void the_number_of_operands_is_told_as_docker_tells_it(void **state)
{
	static const struct {
		int min, max, n;
		const char *text;
	} cases[] = {
		{ 1, OPT_MANY, 0, "requires at least 1 argument" },
		{ 2, OPT_MANY, 1, "requires at least 2 arguments" },
		{ 1, 1, 0, "requires 1 argument" },
		{ 2, 2, 3, "requires 2 arguments" },
		{ 0, 0, 1, "accepts no arguments" },
		{ 0, 1, 2, "requires at most 1 argument" },
		{ 0, 1, 1, NULL },
		{ 1, OPT_MANY, 9, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct verb verb = { .min_operands = cases[i].min,
					   .max_operands = cases[i].max };
		char *problem = opt_count_problem(&verb, cases[i].n);

		if (cases[i].text)
			assert_string_equal(problem, cases[i].text);
		else
			assert_null(problem);
		free(problem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			short_options_combine_and_take_their_value_from_the_rest_or_the_next_word),
		cmocka_unit_test(
			options_after_an_operand_belong_to_the_command_only_where_the_verb_says_so),
		cmocka_unit_test(values_at_the_start_come_from_the_table_and_do_not_count_as_given),
		cmocka_unit_test(numbers_are_read_in_their_own_ways),
		cmocka_unit_test(whole_numbers_are_read_as_go_reads_them),
		cmocka_unit_test(what_is_wrong_is_said_in_dockers_words),
		cmocka_unit_test(help_wins_over_everything_that_follows),
		cmocka_unit_test(the_number_of_operands_is_told_as_docker_tells_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
