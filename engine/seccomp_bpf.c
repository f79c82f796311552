/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rules to the kernel's program.
 *
 * The numbers of system calls fall into ranges with the same outcome. The program is a binary
 * tree over the bounds of the ranges, for each architecture, with checks of arguments as leaves.
 *
 * libseccomp gives the numbers for names, and could make the program too. Measured with the default
 * profile: it takes 10 to 13 ms for 937 instructions, which the kernel loads in 0.70 ms (14 ms in an
 * emulated guest) at each start of a process, or for a tree of 1173, in 0.22 ms (2.0). This takes
 * 0.3 ms for 393 instructions, which load in 0.11 ms (0.9). tests/unit/test_seccomp.c compares the
 * answers of the two.
 */
#include "engine/seccomp_priv.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/dl.h"
#include "base/mem.h"
#include "engine/seccomp.h"

struct libseccomp_api {
	__typeof__(&seccomp_syscall_resolve_name_arch) number_of;
};

static struct libseccomp_api api;
static const struct dl_symbol symbols[] = {
	DL_SYMBOL(struct libseccomp_api, number_of, seccomp_syscall_resolve_name_arch),
};
static struct dl_library lib = DL_LIBRARY("libseccomp.so.2", "libseccomp2", symbols, &api);

/*
 * An architecture owns the numbers from `first` to `last` of what the kernel calls `audit`. Those
 * of one `audit` are neighbours here and ascend.
 */
struct arch {
	const char *name;
	uint32_t token; /* libseccomp's */
	uint32_t audit;
	uint32_t first, last;
	bool is_native;
};

#define X32_BIT 0x40000000u

static const struct arch arches[] = {
#if defined(__x86_64__)
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0, X32_BIT - 1, true },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64, X32_BIT, UINT32_MAX, false },
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86, AUDIT_ARCH_I386, 0, UINT32_MAX, false },
#elif defined(__aarch64__)
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, 0, UINT32_MAX, true },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM, AUDIT_ARCH_ARM, 0, UINT32_MAX, false },
#else
#error "no architectures are known for this machine"
#endif
};

#if defined(__x86_64__)
const char seccomp_arch_docker[] = "amd64";
#else
const char seccomp_arch_docker[] = "arm64";
#endif

/*
 * Numbers that the oldest supported libseccomp (2.5.4) has no names for. From 424 on they are the
 * same on every architecture.
 */
static const struct {
	const char *name;
	uint32_t number;
} newer[] = {
	{ "cachestat", 451 },	      { "fchmodat2", 452 },	   { "map_shadow_stack", 453 },
	{ "futex_wake", 454 },	      { "futex_wait", 455 },	   { "futex_requeue", 456 },
	{ "statmount", 457 },	      { "listmount", 458 },	   { "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
	{ "setxattrat", 463 },	      { "getxattrat", 464 },	   { "listxattrat", 465 },
	{ "removexattrat", 466 },     { "open_tree_attr", 467 },   { "file_getattr", 468 },
	{ "file_setattr", 469 },
};

#if defined(__x86_64__)
/*
 * Calls of 32-bit x86 for which libseccomp gives no numbers of their own, only what they are in
 * socketcall and ipc.
 */
static const struct {
	const char *name;
	uint32_t number;
} direct[] = {
	{ "recvmmsg", 337 },   { "sendmmsg", 345 },    { "socket", 359 },
	{ "socketpair", 360 }, { "bind", 361 },	       { "connect", 362 },
	{ "listen", 363 },     { "accept4", 364 },     { "getsockopt", 365 },
	{ "setsockopt", 366 }, { "getsockname", 367 }, { "getpeername", 368 },
	{ "sendto", 369 },     { "sendmsg", 370 },     { "recvfrom", 371 },
	{ "recvmsg", 372 },    { "shutdown", 373 },    { "semget", 393 },
	{ "semctl", 394 },     { "shmget", 395 },      { "shmctl", 396 },
	{ "shmat", 397 },      { "shmdt", 398 },       { "msgget", 399 },
	{ "msgsnd", 400 },     { "msgrcv", 401 },      { "msgctl", 402 },
};
#endif

/* A system call that a rule names. */
struct entry {
	uint32_t number;
	uint32_t rule;
};

/* From `start` to the next segment: one outcome, or (count != 0) what the arguments say. */
struct segment {
	uint32_t start;
	uint32_t action;
	size_t first, count; /* entries */
};

/* How far a condition's jump goes. */
#define REACH 255

struct assembly {
	const struct seccomp_profile *profile;
	/* Of the architectures with the same `audit`. */
	struct entry *entries;
	size_t nentries, entries_cap;
	struct segment *segments;
	size_t nsegments, segments_cap;
	struct sock_filter *code; /* BPF_MAXINSNS, used from `at` on */
	size_t at;
	bool over; /* the program is too long */
};

const char *seccomp_arch_name(unsigned int n)
{
	return n < ARRAY_LEN(arches) ? arches[n].name : NULL;
}

/* ---- names to numbers ---- */

static bool number_of(const struct arch *a, const char *name, uint32_t *ret)
{
	int number = api.number_of(a->token, name);

	/* Other negative numbers: libseccomp knows it, and this architecture has none. */
	if (number >= 0) {
		*ret = (uint32_t)number;
		return true;
	}
	for (size_t i = 0; number == __NR_SCMP_ERROR && i < ARRAY_LEN(newer); i++)
		if (strcmp(newer[i].name, name) == 0) {
			*ret = a->first + newer[i].number;
			return true;
		}
#if defined(__x86_64__)
	if (a->is_native && strcmp(name, "uretprobe") == 0) {
		*ret = 335;
		return true;
	}
	for (size_t i = 0; a->audit == AUDIT_ARCH_I386 && i < ARRAY_LEN(direct); i++)
		if (strcmp(direct[i].name, name) == 0) {
			*ret = direct[i].number;
			return true;
		}
#endif
	return false;
}

static void collect_entries(struct assembly *x, const struct arch *a)
{
	const struct seccomp_profile *p = x->profile;
	uint32_t number;

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->rules[i].names.n; k++) {
			if (!number_of(a, p->rules[i].names.v[k], &number))
				continue;
			if (x->nentries == x->entries_cap) {
				x->entries_cap = x->entries_cap ? 2 * x->entries_cap : 1024;
				x->entries = xreallocarray(x->entries, x->entries_cap,
							   sizeof(*x->entries));
			}
			x->entries[x->nentries++] = (struct entry){ number, (uint32_t)i };
		}
}

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* ---- numbers to segments ---- */

static void add_segment(struct assembly *x, struct segment s)
{
	const struct segment *last = x->nsegments ? &x->segments[x->nsegments - 1] : NULL;

	if (last && !last->count && !s.count && last->action == s.action)
		return;
	if (!x->segments || x->nsegments == x->segments_cap) {
		x->segments_cap = x->segments_cap ? 2 * x->segments_cap : 256;
		x->segments = xreallocarray(x->segments, x->segments_cap, sizeof(*x->segments));
	}
	x->segments[x->nsegments++] = s;
}

static void add_plain(struct assembly *x, uint32_t start, uint32_t action)
{
	add_segment(x, (struct segment){ start, action, 0, 0 });
}

/*
 * What the `count` rules about one number say. One without conditions decides, the first of them.
 */
static void add_call(struct assembly *x, size_t first, size_t count)
{
	const struct seccomp_profile *p = x->profile;
	uint32_t number = x->entries[first].number;
	bool checks = false;

	for (size_t i = first; i < first + count; i++) {
		const struct seccomp_rule *r = &p->rules[x->entries[i].rule];

		/* A rule that says what holds anyway is none, as runc has it. */
		if (r->action == p->action)
			continue;
		if (r->nargs == 0) {
			add_plain(x, number, r->action);
			return;
		}
		checks = true;
	}
	if (checks)
		add_segment(x, (struct segment){ number, 0, first, count });
	else
		add_plain(x, number, p->action);
}

/* What becomes of system calls that are newer than the profile. */
static uint32_t action_for_newer(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		return action;
	default:
		return SECCOMP_RET_ERRNO | ENOSYS;
	}
}

static void add_arch(struct assembly *x, const struct arch *a)
{
	uint32_t action = x->profile->action, next = a->first;
	size_t begin = x->nentries, end;

	collect_entries(x, a);
	if (x->nentries == begin) {
		add_plain(x, a->first, action);
		return;
	}
	qsort(x->entries + begin, x->nentries - begin, sizeof(*x->entries), by_number);
	for (; begin < x->nentries; begin = end) {
		uint32_t number = x->entries[begin].number;

		for (end = begin; end < x->nentries && x->entries[end].number == number; end++)
			;
		if (number > next)
			add_plain(x, next, action);
		add_call(x, begin, end - begin);
		next = number + 1;
	}
	add_plain(x, next, action_for_newer(action));
}

/* ---- segments to code ---- */

/*
 * Code is written from its end to its beginning, since jumps only go forward: whatever an
 * instruction jumps to is there already. A place is an index into `code`.
 */
static size_t emit(struct assembly *x, uint16_t code, size_t jt, size_t jf, uint32_t k)
{
	if (x->at == 0) {
		x->over = true;
		return 0;
	}
	x->code[--x->at] = (struct sock_filter){ code, (uint8_t)jt, (uint8_t)jf, k };
	return x->at;
}

static size_t emit_load(struct assembly *x, size_t offset)
{
	return emit(x, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* Where the action is returned: an instruction that is in reach, or a new one. */
static size_t place_of(struct assembly *x, uint32_t action)
{
	for (size_t i = x->at; i < BPF_MAXINSNS && i - x->at < REACH / 2; i++)
		if (x->code[i].code == (BPF_RET | BPF_K) && x->code[i].k == action)
			return i;
	return emit(x, BPF_RET | BPF_K, 0, 0, action);
}

/* A place no farther than a condition's jump goes: the one given, or a jump to it. */
static size_t within_reach(struct assembly *x, size_t place)
{
	if (place - x->at < REACH)
		return place;
	return emit(x, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(place - x->at));
}

/* Goes on at `yes` or `no`. */
static size_t emit_jump(struct assembly *x, uint16_t test, uint32_t k, size_t yes, size_t no)
{
	yes = within_reach(x, yes);
	no = within_reach(x, no);
	return emit(x, BPF_JMP | BPF_K | test, yes - x->at, no - x->at, k);
}

static size_t half_of(unsigned int index, bool high)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t) +
	       (high == little ? sizeof(uint32_t) : 0);
}

static size_t emit_equal(struct assembly *x, const struct seccomp_arg *a, size_t yes, size_t no)
{
	bool masked = a->op == SECCOMP_OP_MASKED_EQ;

	yes = emit_jump(x, BPF_JEQ, (uint32_t)a->value, yes, no);
	if (masked)
		emit(x, BPF_ALU | BPF_AND | BPF_K, 0, 0, (uint32_t)a->mask);
	yes = emit_load(x, half_of(a->index, false));
	if (a->is_int)
		return yes;
	emit_jump(x, BPF_JEQ, (uint32_t)(a->value >> 32), yes, no);
	if (masked)
		emit(x, BPF_ALU | BPF_AND | BPF_K, 0, 0, (uint32_t)(a->mask >> 32));
	return emit_load(x, half_of(a->index, true));
}

/* `test` (BPF_JGT or BPF_JGE) is for the lower halves, when the upper ones are equal. */
static size_t emit_greater(struct assembly *x, const struct seccomp_arg *a, uint16_t test,
			   size_t yes, size_t no)
{
	uint32_t high = (uint32_t)(a->value >> 32);
	size_t lower;

	emit_jump(x, test, (uint32_t)a->value, yes, no);
	lower = emit_load(x, half_of(a->index, false));
	if (a->is_int)
		return lower;
	no = emit_jump(x, BPF_JEQ, high, lower, no);
	emit_jump(x, BPF_JGT, high, yes, no);
	return emit_load(x, half_of(a->index, true));
}

static size_t emit_condition(struct assembly *x, const struct seccomp_arg *a, size_t yes, size_t no)
{
	switch (a->op) {
	case SECCOMP_OP_NE:
		return emit_equal(x, a, no, yes);
	case SECCOMP_OP_GE:
		return emit_greater(x, a, BPF_JGE, yes, no);
	case SECCOMP_OP_GT:
		return emit_greater(x, a, BPF_JGT, yes, no);
	case SECCOMP_OP_LT:
		return emit_greater(x, a, BPF_JGE, no, yes);
	case SECCOMP_OP_LE:
		return emit_greater(x, a, BPF_JGT, no, yes);
	case SECCOMP_OP_EQ:
	case SECCOMP_OP_MASKED_EQ:
	case SECCOMP_OP_COUNT:
		break;
	}
	return emit_equal(x, a, yes, no);
}

/* The rules one after the other; the first whose conditions all hold decides. */
static size_t emit_segment(struct assembly *x, const struct segment *s)
{
	const struct seccomp_profile *p = x->profile;
	size_t next;

	if (!s->count)
		return place_of(x, s->action);
	next = place_of(x, p->action);
	for (size_t i = s->first + s->count; i-- > s->first && !x->over;) {
		const struct seccomp_rule *r = &p->rules[x->entries[i].rule];
		size_t place;

		if (r->action == p->action)
			continue;
		place = place_of(x, r->action);
		for (size_t k = r->nargs; k-- > 0;)
			place = emit_condition(x, &r->args[k], place, next);
		next = place;
	}
	return next;
}

/*
 * The segments from `first` on, `n` of them; the number is in the accumulator. The depth is log2
 * of `n`.
 */
static size_t emit_tree(struct assembly *x, size_t first, size_t n)
{
	size_t half = n / 2, low, high;

	if (n == 1 || x->over)
		return emit_segment(x, &x->segments[first]);
	high = emit_tree(x, first + half, n - half);
	low = emit_tree(x, first, half);
	return emit_jump(x, BPF_JGE, x->segments[first + half].start, high, low);
}

/*
 * The architectures from `first` to before `end`, which have the same `audit`; at `other` the
 * next ones.
 */
static size_t emit_arches(struct assembly *x, size_t first, size_t end, size_t other)
{
	size_t place;

	x->nentries = x->nsegments = 0;
	for (size_t i = first; i < end; i++) {
		if (x->profile->arches & 1u << i)
			add_arch(x, &arches[i]);
		else
			add_plain(x, arches[i].first, SECCOMP_RET_KILL_THREAD);
	}
	place = emit_tree(x, 0, x->nsegments);
	if (x->nsegments > 1 || x->segments[0].count) {
		/* A tree is where it was begun last; a lone return may be anywhere. */
		place = emit_load(x, offsetof(struct seccomp_data, nr));
	}
	return emit_jump(x, BPF_JEQ, arches[first].audit, place, other);
}

int seccomp_assemble(const struct seccomp_profile *p, struct str *ret, struct err *e)
{
	struct assembly x = { .profile = p, .at = BPF_MAXINSNS };
	size_t place;

	if (dl_open(&lib, e) < 0)
		return -1;
	x.code = xcalloc(BPF_MAXINSNS, sizeof(*x.code));
	/* Of an architecture that the profile is not for: as libseccomp has it. */
	place = place_of(&x, SECCOMP_RET_KILL_THREAD);
	for (size_t end = ARRAY_LEN(arches), first; end > 0 && !x.over; end = first) {
		for (first = end - 1; first && arches[first - 1].audit == arches[first].audit;)
			first--;
		place = emit_arches(&x, first, end, place);
	}
	emit_load(&x, offsetof(struct seccomp_data, arch));
	if (!x.over)
		str_addn(ret, x.code + x.at, (BPF_MAXINSNS - x.at) * sizeof(*x.code));
	free(x.entries);
	free(x.segments);
	free(x.code);
	if (x.over || ret->over)
		return err_set(e, ERR_INVALID,
			       "the seccomp profile makes a program of more than %d instructions",
			       BPF_MAXINSNS);
	return 0;
}
