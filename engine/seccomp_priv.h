/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a profile and its program: rules that are known to count (conditions on capabilities,
 * kernel and architecture are decided), by name. seccomp_profile.c and seccomp_default.c make
 * them, seccomp_bpf.c takes them.
 */
#ifndef KVBOX_ENGINE_SECCOMP_PRIV_H
#define KVBOX_ENGINE_SECCOMP_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"

#define SECCOMP_ARGS  6
#define SECCOMP_RULES 4096
#define SECCOMP_NAMES 32768 /* of all rules together */

/* What the conditions of rules are decided by. */
struct seccomp_target {
	uint64_t caps;
	const char *kernel; /* release, "" is the newest */
};

enum seccomp_op {
	SECCOMP_OP_NE,
	SECCOMP_OP_LT,
	SECCOMP_OP_LE,
	SECCOMP_OP_EQ,
	SECCOMP_OP_GE,
	SECCOMP_OP_GT,
	SECCOMP_OP_MASKED_EQ, /* (argument & mask) == value */
	SECCOMP_OP_COUNT,
};

struct seccomp_arg {
	unsigned int index;
	enum seccomp_op op;
	uint64_t value, mask; /* mask: of SECCOMP_OP_MASKED_EQ */
	bool is_int; /* only the lower 32 bits count, as to the kernel where it takes an int */
};

struct seccomp_rule {
	struct strv names;
	uint32_t action; /* SECCOMP_RET_* with its data */
	size_t nargs;	 /* all have to hold */
	struct seccomp_arg args[SECCOMP_ARGS];
};

struct seccomp_profile {
	bool none;	     /* no filter at all */
	uint32_t action;     /* for what no rule is about */
	unsigned int arches; /* bit n: architecture n of seccomp_arch_name() */
	struct seccomp_rule *rules;
	size_t n, names;
};

/* The default action, the machine's own architecture, no rules. */
void seccomp_profile_init(struct seccomp_profile *p, uint32_t action);
void seccomp_profile_release(struct seccomp_profile *p);
#define auto_seccomp_profile __attribute__((cleanup(seccomp_profile_release)))
/* A new rule at the end, empty but for its action; valid until the next one is added. */
struct seccomp_rule *seccomp_profile_add(struct seccomp_profile *p, uint32_t action);

/*
 * The architectures that run on this machine, its own first; NULL behind the last.
 * "SCMP_ARCH_X86_64".
 */
const char *seccomp_arch_name(unsigned int n);
/* What Docker's profiles call this machine in their conditions: "amd64". */
extern const char seccomp_arch_docker[];

/* Docker's default profile for a target. */
void seccomp_default(const struct seccomp_target *t, struct seccomp_profile *ret);
/* A user's; `ret` is initialised here, on success only. */
int seccomp_profile_read(const char *text, size_t n, const struct seccomp_target *t,
			 struct seccomp_profile *ret, struct err *e) MUST_CHECK;
/*
 * Whether a release ("6.12.90-kvbox") is at least a version. What is no release counts as the
 * newest.
 */
bool seccomp_kernel_at_least(const char *release, unsigned int version, unsigned int patchlevel);

/* The program, appended to `ret`. */
int seccomp_assemble(const struct seccomp_profile *p, struct str *ret, struct err *e) MUST_CHECK;

#endif
