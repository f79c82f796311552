/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvbox: finds the verb, parses its options, calls it, and turns the result into an exit code. The only
 * place that knows how the program was called.
 *
 * The hidden verbs come first: they are started by kvbox itself, the monitor on the path of every run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/finish.h"
#include "cmd/help.h"
#include "cmd/verbs.h"
#include "cmd/version.h"
#include "engine/convert.h"
#include "engine/monitor.h"

#define HELP_LIMIT (64u * 1024)

struct global_args {
	bool debug, version;
	const char *config, *root, *runroot;
};

static const struct opt global_opts[] = {
	OPT_STR(0, "config", struct global_args, config, "string",
		"Folder of Docker's config.json, for passwords of registries (DOCKER_CONFIG)",
		COMP_DIR),
	OPT_BOOL('D', "debug", struct global_args, debug, "Tell on stderr what is being done"),
	OPT_STR(0, "root", struct global_args, root, "string",
		"Folder for images and containers (KVBOX_ROOT)", COMP_DIR),
	OPT_STR(0, "runroot", struct global_args, runroot, "string",
		"Folder for what ends with the machine (KVBOX_RUNROOT)", COMP_DIR),
	OPT_BOOL('v', "version", struct global_args, version, "Print the version and quit"),
	OPT_END
};

/* The program itself, as far as its options go. */
static const struct verb program = {
	.name = "kvbox",
	.operands = "COMMAND [ARG...]",
	.max_operands = OPT_MANY,
	.opts = global_opts,
	.argsize = sizeof(struct global_args),
	.stop_at_operand = true,
};

static const char *program_name(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	const char *name = slash ? slash + 1 : argv0;

	return str_eq(name, "docker") ? "docker" : "kvbox";
}

static void print_usage(FILE *to, const char *path, const struct verb *verb)
{
	auto_str struct str usage = STR_INIT(HELP_LIMIT);

	help_usage(&usage, path, verb);
	fprintf(to, "\nUsage:  %s\n", usage.buf);
}

static int bad_flag(const char *path, const struct verb *verb, const struct err *e)
{
	fprintf(stderr, "%s\n", e->msg);
	print_usage(stderr, path, verb);
	fprintf(stderr, "\nRun '%s --help' for more information\n", path);
	return EXIT_DOCKER;
}

static int bad_count(const struct cmd *c, const char *problem)
{
	fprintf(stderr, "%s: '%s' %s\n", c->prog, c->path, problem);
	print_usage(stderr, c->path, c->verb);
	fprintf(stderr, "\n%s '%s --help' for more information\n",
		c->verb->max_operands == OPT_MANY ? "See" : "Run", c->path);
	return 1;
}

static int print_help(const struct cmd *c)
{
	auto_str struct str text = STR_INIT(HELP_LIMIT);

	help_verb(&text, c->prog, c->path, c->verb, help_width());
	fputs(text.buf, stdout);
	return 0;
}

static int print_program_help(FILE *to, const char *prog)
{
	auto_str struct str text = STR_INIT(HELP_LIMIT);

	help_program(&text, prog, global_opts, help_width());
	fputs(text.buf, to);
	return 0;
}

/* `argv` begins after the verb's name. */
static int run_verb(struct cmd *c, int argc, char **argv)
{
	auto_free void *args = xcalloc(1, c->verb->argsize + 1);
	auto_free char *problem = NULL;
	auto_free char **operands = NULL;
	struct opt_result result;
	struct err e = ERR_INIT;
	int code;

	if (opt_parse(c->verb, argc, argv, args, &result, &e) < 0) {
		opt_release(c->verb, args);
		return bad_flag(c->path, c->verb, &e);
	}
	operands = result.operands.v;
	problem = opt_count_problem(c->verb, result.operands.n);
	if (result.help)
		code = print_help(c);
	else if (problem)
		code = bad_count(c, problem);
	else
		code = c->verb->main(c, args, &result.operands);
	opt_release(c->verb, args);
	return code;
}

static int unknown_command(const char *prog, const char *family, const char *name)
{
	fprintf(stderr, "%s: unknown command: %s %s%s%s\n", prog, prog, family ? family : "",
		family ? " " : "", name);
	if (family)
		fprintf(stderr, "\nUsage:  %s %s\n", prog, family);
	fprintf(stderr, "\nRun '%s%s%s --help' for more information\n", prog, family ? " " : "",
		family ? family : "");
	return 1;
}

/* A family has no options but --help. */
static int bad_family_flag(const char *path, const char *word)
{
	const struct verb none = { .name = path };
	struct err e = ERR_INIT;

	if (word[1] == '-')
		(void)err_set(&e, ERR_INVALID, "unknown flag: %.*s", (int)strcspn(word, "="), word);
	else
		(void)err_set(&e, ERR_INVALID, "unknown shorthand flag: '%c' in %s", word[1], word);
	return bad_flag(path, &none, &e);
}

/* `kvbox FAMILY` and what follows; `argv` begins after the family's name. */
static int run_family(struct cmd *c, const struct verb_family *family, int argc, char **argv)
{
	auto_str struct str text = STR_INIT(HELP_LIMIT);
	bool help = argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0);
	const struct verb_entry *entry;

	if (argc == 0 || help) {
		help_family(&text, c->prog, family);
		fputs(text.buf, help ? stdout : stderr);
		return 0;
	}
	c->path = xasprintf("%s %s", c->prog, family->name);
	if (argv[0][0] == '-')
		return bad_family_flag(c->path, argv[0]);
	entry = verb_entry_find(family->name, argv[0]);
	if (!entry)
		return unknown_command(c->prog, family->name, argv[0]);
	free(c->path);
	c->path = xasprintf("%s %s %s", c->prog, family->name, entry->name);
	c->verb = entry->verb;
	return run_verb(c, argc - 1, argv + 1);
}

/* The verb's words, with its name as the first. */
static int run_named(struct cmd *c, int argc, char **argv)
{
	const struct verb_entry *entry = verb_entry_find(NULL, argv[0]);
	const struct verb_family *family = verb_family_find(argv[0]);

	if (family)
		return run_family(c, family, argc - 1, argv + 1);
	if (!entry)
		return unknown_command(c->prog, NULL, argv[0]);
	c->path = xasprintf("%s %s", c->prog, entry->name);
	c->verb = entry->verb;
	return run_verb(c, argc - 1, argv + 1);
}

/* `kvbox help [FAMILY] VERB` is `kvbox [FAMILY] VERB --help`. */
static int run_help(struct cmd *c, int argc, char **argv)
{
	static char help[] = "--help";
	char *words[3] = { NULL };
	int n = 0;

	if (argc == 0)
		return print_program_help(stdout, c->prog);
	if (!verb_entry_find(NULL, argv[0]) && !verb_family_find(argv[0])) {
		fprintf(stderr, "unknown help topic: %s\n", argv[0]);
		return 1;
	}
	for (; n < argc && n < 2; n++)
		words[n] = argv[n];
	words[n++] = help;
	return run_named(c, n, words);
}

static int run_program(const char *prog, int argc, char **argv)
{
	struct global_args global = { 0 };
	struct cmd c = { .prog = prog, .paths = PATHS_INIT };
	auto_free char **words = NULL;
	struct opt_result result;
	struct err e = ERR_INIT;
	int code;

	if (opt_parse(&program, argc - 1, argv + 1, &global, &result, &e) < 0)
		return bad_flag(prog, &program, &e);
	words = result.operands.v;
	if (global.debug)
		log_set_level(1);
	if (result.help)
		return print_program_help(stdout, prog);
	if (global.version)
		return version_print_line(prog);
	if (result.operands.n == 0)
		return print_program_help(stderr, prog);
	if (global.config)
		setenv("DOCKER_CONFIG", global.config, true);
	c.root = global.root;
	c.runroot = global.runroot;
	if (strcmp(words[0], "help") == 0)
		code = run_help(&c, result.operands.n - 1, words + 1);
	else
		code = run_named(&c, result.operands.n, words);
	cmd_release(&c);
	return code;
}

/* A caller may have closed some of 0, 1 and 2. They become /dev/null, so that reading gives the end and
 * nothing that is opened later is taken for them. */
static int open_standard(struct err *e)
{
	auto_close int null = -1;

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (null < 0 && fd_open(AT_FDCWD, "/dev/null", O_RDWR, 0, &null, e) < 0)
			return -1;
		if (dup2(null, fd) < 0)
			return err_sys(e, "cannot open descriptor %d", fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *prog = program_name(argv[0]);
	struct err e = ERR_INIT;
	int code;

	if (argc > 1 && strcmp(argv[1], "monitor") == 0)
		return monitor_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "join") == 0)
		return monitor_join_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "finish") == 0)
		return finish_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "convert") == 0)
		return convert_main(argc - 1, argv + 1);
	if (open_standard(&e) < 0)
		return EXIT_DOCKER;
	code = run_program(prog, argc, argv);
	if (fflush(stdout) == EOF && code == 0) {
		fprintf(stderr, "%s: cannot write to standard output\n", prog);
		code = 1;
	}
	return code;
}
