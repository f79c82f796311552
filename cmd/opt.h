/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines: one table per verb, from which parsing, --help, completions and manual pages are made.
 *
 *	struct kill_args { const char *signal; };
 *	static const struct opt kill_opts[] = {
 *		OPT_STR('s', "signal", struct kill_args, signal, "string", "Signal to send", COMP_SIGNAL),
 *		OPT_END
 *	};
 *	const struct verb verb_kill = { .name = "kill", .operands = "CONTAINER [CONTAINER...]", ... };
 *
 * An option whose member has the wrong type does not compile. Values are parsed as Docker's client does
 * (pflag): short options combine ("-itd", "-uroot", "-p8080:80"), "--name=v" and "--name v" are the same,
 * a truth value takes only "=v", the last of several wins, "--" ends the options. Options may stand after
 * operands unless the verb says stop_at_operand. Strings are borrowed from argv.
 */
#ifndef KVBOX_CMD_OPT_H
#define KVBOX_CMD_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_BOOL, /* bool */
	OPT_KIND_STR,  /* const char *, NULL when not given */
	OPT_KIND_INT, /* struct opt_int; also "0x1f", "0b11", "017" and "1_000", as Go reads them */
	OPT_KIND_UINT16,   /* struct opt_int, the same from 0 to 65535 */
	OPT_KIND_LIST,	   /* struct strv, one entry for each time it was given */
	OPT_KIND_SIZE,	   /* int64_t, bytes: "512m" */
	OPT_KIND_SWAP,	   /* the same, or -1 for no limit */
	OPT_KIND_DURATION, /* int64_t, nanoseconds: "1m30s" */
	OPT_KIND_CPUS,	   /* int64_t, 1e-9 processors: "1.5" */
	OPT_KIND_COUNT,
};

/* What a completion offers for a value. */
enum opt_comp {
	COMP_NONE,
	COMP_FILE,
	COMP_DIR,
	COMP_CONTAINER,
	COMP_IMAGE,
	COMP_SIGNAL,
	COMP_COUNT,
};

struct opt_int {
	bool set;
	int64_t v;
};

struct opt {
	char letter;	  /* 0: has no short form */
	const char *name; /* NULL ends the table; --help sorts */
	enum opt_kind kind;
	size_t offset;
	const char *metavar;
	const char *help; /* one sentence without full stop */
	enum opt_comp comp;
	const char *value; /* at the start, as text; --help shows it. NULL: zero */
	bool hidden;	   /* accepted, but shown nowhere: Docker's older names */
	/* Of texts and lists: may refuse a value. NULL: any will do. */
	int (*check)(const char *text, struct err *e);
};

#define OPT_AT_(type, member, want)                                                          \
	(offsetof(type, member) +                                                            \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->member), want) \
				 ? 1                                                         \
				 : -1]))
/* Further members may follow: OPT_STR(..., COMP_NONE, .value = "missing"). */
#define OPT_BOOL(c, n, t, m, h, ...)                                                              \
	{                                                                                         \
		.letter = (c), .name = (n), .kind = OPT_KIND_BOOL, .offset = OPT_AT_(t, m, bool), \
		.help = (h), ##__VA_ARGS__                                                        \
	}
#define OPT_VALUE_(k, c, n, o, v, h, co, ...)                                           \
	{                                                                               \
		.letter = (c), .name = (n), .kind = (k), .offset = (o), .metavar = (v), \
		.help = (h), .comp = (co), ##__VA_ARGS__                                \
	}
#define OPT_STR(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_STR, c, n, OPT_AT_(t, m, const char *), v, h, co, ##__VA_ARGS__)
#define OPT_INT(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_INT, c, n, OPT_AT_(t, m, struct opt_int), v, h, co, ##__VA_ARGS__)
#define OPT_LIST(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_LIST, c, n, OPT_AT_(t, m, struct strv), v, h, co, ##__VA_ARGS__)
#define OPT_SIZE(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_SIZE, c, n, OPT_AT_(t, m, int64_t), v, h, co, ##__VA_ARGS__)
#define OPT_SWAP(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_SWAP, c, n, OPT_AT_(t, m, int64_t), v, h, co, ##__VA_ARGS__)
#define OPT_DURATION(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_DURATION, c, n, OPT_AT_(t, m, int64_t), v, h, co, ##__VA_ARGS__)
#define OPT_UINT16(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_UINT16, c, n, OPT_AT_(t, m, struct opt_int), v, h, co, ##__VA_ARGS__)
#define OPT_CPUS(c, n, t, m, v, h, co, ...) \
	OPT_VALUE_(OPT_KIND_CPUS, c, n, OPT_AT_(t, m, int64_t), v, h, co, ##__VA_ARGS__)
#define OPT_END              \
	{                    \
		.name = NULL \
	}

#define OPT_MANY (-1)

struct cmd;

struct operands {
	char **v; /* points into argv's texts */
	int n;
};

struct verb {
	const char *name;
	const char *operands;		/* "IMAGE [COMMAND] [ARG...]"; NULL: none */
	int min_operands, max_operands; /* OPT_MANY: no limit */
	const char *summary;		/* one line */
	const struct opt *opts;		/* NULL: only --help */
	size_t argsize;
	bool stop_at_operand;
	enum opt_comp comp; /* of operands */
	/* Returns the exit code. `args` points to the struct of `argsize` bytes. */
	int (*main)(struct cmd *cmd, void *args, const struct operands *operands);
	int refuse_code; /* exit code when the command line is wrong (cmd_refuse); 0: 1 */
	int fail_code;	 /* when the engine says no (cmd_fail); 0: 1 */
};

struct opt_result {
	struct operands operands; /* `v` is the caller's to free */
	bool help;		  /* --help was met; nothing else is checked then */
};

/*
 * Parses what follows the verb's name into `args`, which is zeroed. Operands are not counted. On failure
 * `e` has Docker's words ("unknown flag: --bad").
 */
int opt_parse(const struct verb *verb, int argc, char **argv, void *args, struct opt_result *ret,
	      struct err *e) MUST_CHECK;
/* Frees what the options own. */
void opt_release(const struct verb *verb, void *args);

/* "requires at least 1 argument", or NULL when the number of operands is right. The caller frees. */
char *opt_count_problem(const struct verb *verb, int n);

#endif
