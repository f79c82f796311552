/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters are interpreted here call by call, compared with what libseccomp makes of the same
 * rules, and loaded.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dl.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/capability.h"
#include "engine/seccomp.h"
#include "engine/seccomp_priv.h"

#define ALLOW	  SECCOMP_RET_ALLOW
#define ERROR(n)  (SECCOMP_RET_ERRNO | (uint32_t)(n))
#define KILL	  SECCOMP_RET_KILL_THREAD
#define SYS_ADMIN ((uint64_t)1 << 21)

#if defined(__x86_64__)
#define AUDIT_OWN AUDIT_ARCH_X86_64
#else
#define AUDIT_OWN AUDIT_ARCH_AARCH64
#endif

/* What the kernel does with the instructions that a filter may have. */
static uint32_t run(const struct str *filter, const struct seccomp_data *data)
{
	const struct sock_filter *f = (const void *)filter->buf;
	size_t n = filter->len / sizeof(*f);
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		bool jump;

		switch (f[pc].code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f[pc].k % 4 == 0 && f[pc].k < sizeof(*data));
			memcpy(&a, (const char *)data + f[pc].k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f[pc].k;
			continue;
		case BPF_RET | BPF_K:
			return f[pc].k;
		case BPF_JMP | BPF_JA:
			pc += f[pc].k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == f[pc].k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = a >= f[pc].k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			jump = a > f[pc].k;
			break;
		default:
			fail_msg("instruction %zu has code %#x", pc, f[pc].code);
			return 0;
		}
		pc += jump ? f[pc].jt : f[pc].jf;
	}
	fail_msg("the program has no end");
	return 0;
}

static uint32_t call(const struct str *filter, long number, uint64_t a0, uint64_t a1)
{
	struct seccomp_data data = { .nr = (int)number, .arch = AUDIT_OWN, .args = { a0, a1 } };

	return run(filter, &data);
}

static void compile(const char *profile, const char *kernel, uint64_t caps, struct str *ret)
{
	struct err e = ERR_INIT;

	str_init(ret, SECCOMP_FILTER_MAX);
	assert_ok(seccomp_compile(profile, kernel, caps, ret, &e));
	assert_true(ret->len > 0 && ret->len % sizeof(struct sock_filter) == 0);
}

/* ---- Docker's default profile ---- */

struct call_case {
	long number;
	uint64_t arg;
	uint64_t cap; /* with this capability on top of the default ones it is allowed */
	uint32_t want;
};

static void the_default_profile_answers_as_dockers(void **state)
{
	static const struct call_case cases[] = {
		{ SYS_read, 0, 0, ALLOW },
		{ SYS_execve, 0, 0, ALLOW },
		{ SYS_ptrace, 0, 0, ALLOW },
		{ SYS_landlock_create_ruleset, 0, 0, ALLOW },
		{ SYS_mount, 0, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_umount2, 0, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_unshare, 0, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_setns, 0, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_bpf, 0, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_bpf, 0, (uint64_t)1 << 39, ERROR(EPERM) },
		{ SYS_perf_event_open, 0, (uint64_t)1 << 38, ERROR(EPERM) },
		{ SYS_syslog, 0, (uint64_t)1 << 34, ERROR(EPERM) },
		{ SYS_reboot, 0, (uint64_t)1 << 22, ERROR(EPERM) },
		{ SYS_init_module, 0, (uint64_t)1 << 16, ERROR(EPERM) },
		{ SYS_clock_settime, 0, (uint64_t)1 << 25, ERROR(EPERM) },
		{ SYS_mbind, 0, (uint64_t)1 << 23, ERROR(EPERM) },
		{ SYS_open_by_handle_at, 0, (uint64_t)1 << 2, ERROR(EPERM) },
		{ SYS_chroot, 0, 0, ALLOW }, /* CAP_SYS_CHROOT is a default one */
		{ SYS_keyctl, 0, 0, ERROR(EPERM) },
		{ SYS_io_uring_setup, 0, 0, ERROR(EPERM) },
		{ SYS_userfaultfd, 0, 0, ERROR(EPERM) },
		{ SYS_swapon, 0, 0, ERROR(EPERM) },
		{ SYS_clone3, 0, SYS_ADMIN, ERROR(ENOSYS) },
		{ SYS_clone, SIGCHLD, 0, ALLOW },
		{ SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SETTLS, 0, ALLOW },
		{ SYS_clone, CLONE_NEWUSER, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_clone, CLONE_NEWNS | SIGCHLD, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_clone, CLONE_NEWCGROUP, SYS_ADMIN, ERROR(EPERM) },
		{ SYS_personality, 0, 0, ALLOW },
		{ SYS_personality, PER_LINUX32, 0, ALLOW },
		{ SYS_personality, UNAME26, 0, ALLOW },
		{ SYS_personality, UNAME26 | PER_LINUX32, 0, ALLOW },
		{ SYS_personality, 0xffffffff, 0, ALLOW },
		{ SYS_personality, ADDR_NO_RANDOMIZE, 0, ERROR(EPERM) },
		{ SYS_personality, UINT64_MAX, 0, ERROR(EPERM) },
		{ SYS_socket, AF_UNIX, 0, ALLOW },
		{ SYS_socket, AF_INET6, 0, ALLOW },
		{ SYS_socket, 37, 0, ALLOW },
		{ SYS_socket, AF_ALG, 0, ERROR(EPERM) },
		{ SYS_socket, 39, 0, ALLOW },
		{ SYS_socket, AF_VSOCK, 0, ERROR(EPERM) },
		{ SYS_socket, 41, 0, ALLOW },
		/* the kernel takes an int */
		{ SYS_socket, (uint64_t)1 << 32 | AF_VSOCK, 0, ERROR(EPERM) },
		{ SYS_socket, (uint64_t)1 << 32 | AF_INET, 0, ALLOW },
		{ SYS_socket, (uint64_t)-1 << 32 | AF_ALG, 0, ERROR(EPERM) },
		/* newer than libseccomp's tables, newer than the profile */
		{ 452, 0, 0, ALLOW },
		{ 462, 0, 0, ALLOW },
		{ 459, 0, SYS_ADMIN, ERROR(EPERM) },
		{ 467, 0, 0, ERROR(ENOSYS) },
		{ 5000, 0, 0, ERROR(ENOSYS) },
		{ -1, 0, 0, ERROR(ENOSYS) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct call_case *c = &cases[i];
		auto_str struct str plain, more;
		uint32_t got;

		compile("", "", CAPABILITY_DEFAULT, &plain);
		got = call(&plain, c->number, c->arg, 0);
		if (got != c->want)
			fail_msg("case %zu (%ld): %#x, not %#x", i, c->number, got, c->want);
		compile("builtin", "", CAPABILITY_DEFAULT | c->cap, &more);
		if (c->cap)
			assert_int_equal(call(&more, c->number, c->arg, 0), ALLOW);
	}
}

#if defined(__x86_64__)
static void each_architecture_of_the_machine_has_its_own_numbers(void **state)
{
	auto_str struct str f;
	struct seccomp_data data = { .arch = AUDIT_ARCH_I386 };

	(void)state;
	compile("", "", CAPABILITY_DEFAULT, &f);
	data.nr = 21; /* mount; access on x86-64 */
	assert_int_equal(run(&f, &data), ERROR(EPERM));
	data.nr = 3; /* read */
	assert_int_equal(run(&f, &data), ALLOW);
	data.nr = 435; /* clone3 */
	assert_int_equal(run(&f, &data), ERROR(ENOSYS));
	data.arch = AUDIT_ARCH_X86_64;
	data.nr = 0x40000000 | SYS_read;
	assert_int_equal(run(&f, &data), ALLOW);
	data.nr = 0x40000000 | SYS_mount;
	assert_int_equal(run(&f, &data), ERROR(EPERM));
	data.arch = AUDIT_ARCH_AARCH64;
	assert_int_equal(run(&f, &data), KILL);
}
#endif

static void the_default_program_is_small(void **state)
{
	auto_str struct str f;

	(void)state;
	compile("", "", CAPABILITY_DEFAULT, &f);
	/* libseccomp's has 937 */
	assert_in_range(f.len / sizeof(struct sock_filter), 100, 600);
}

/* ---- against libseccomp ---- */

struct lib_api {
	__typeof__(&seccomp_init) init;
	__typeof__(&seccomp_arch_add) arch_add;
	__typeof__(&seccomp_syscall_resolve_name) number;
	__typeof__(&seccomp_rule_add_array) rule_add;
	__typeof__(&seccomp_export_bpf) export_bpf;
	__typeof__(&seccomp_release) release;
};

static struct lib_api api;
static const struct dl_symbol symbols[] = {
	DL_SYMBOL(struct lib_api, init, seccomp_init),
	DL_SYMBOL(struct lib_api, arch_add, seccomp_arch_add),
	DL_SYMBOL(struct lib_api, number, seccomp_syscall_resolve_name),
	DL_SYMBOL(struct lib_api, rule_add, seccomp_rule_add_array),
	DL_SYMBOL(struct lib_api, export_bpf, seccomp_export_bpf),
	DL_SYMBOL(struct lib_api, release, seccomp_release),
};
static struct dl_library lib = DL_LIBRARY("libseccomp.so.2", "libseccomp2", symbols, &api);

/* libseccomp's words for ours. */
static uint32_t scmp_action(uint32_t action)
{
	return action; /* SCMP_ACT_* have SECCOMP_RET_*'s values */
}

static void scmp_add(scmp_filter_ctx ctx, const struct seccomp_rule *r)
{
	static const enum scmp_compare ops[] = {
		SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,	      SCMP_CMP_EQ,
		SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ,
	};
	struct scmp_arg_cmp args[SECCOMP_ARGS];

	for (size_t i = 0; i < r->nargs; i++) {
		const struct seccomp_arg *a = &r->args[i];
		bool masked = a->op == SECCOMP_OP_MASKED_EQ;

		args[i] = (struct scmp_arg_cmp){ a->index, ops[a->op], masked ? a->mask : a->value,
						 masked ? a->value : 0 };
	}
	for (size_t i = 0; i < r->names.n; i++) {
		int number = api.number(r->names.v[i]);

		if (number != __NR_SCMP_ERROR)
			api.rule_add(ctx, scmp_action(r->action), number, (unsigned int)r->nargs,
				     args);
	}
}

/*
 * The same profile by libseccomp, for this machine's own architecture and (x86) the others it
 * runs.
 */
static void reference(const struct seccomp_profile *p, struct str *ret)
{
	struct err e = ERR_INIT;
	scmp_filter_ctx ctx;
	uint64_t size;
	int fd;

	assert_ok(dl_open(&lib, &e));
	ctx = api.init(scmp_action(p->action));
	assert_non_null(ctx);
#if defined(__x86_64__)
	if (p->arches & 2)
		assert_int_equal(api.arch_add(ctx, SCMP_ARCH_X32), 0);
	if (p->arches & 4)
		assert_int_equal(api.arch_add(ctx, SCMP_ARCH_X86), 0);
#endif
	for (size_t i = 0; i < p->n; i++)
		if (p->rules[i].action != p->action)
			scmp_add(ctx, &p->rules[i]);
	assert_ok(fd_memfd("reference", &fd, &e));
	assert_int_equal(api.export_bpf(ctx, fd), 0);
	api.release(ctx);
	assert_ok(fd_size(fd, &size, &e));
	str_init(ret, SECCOMP_FILTER_MAX);
	assert_non_null(str_reserve(ret, size));
	assert_true(fd_pread_full(fd, ret->buf, size, 0, &e) == (ssize_t)size);
	str_grow(ret, size);
	close(fd);
}

/* Newer than libseccomp 2.5.4 knows: there our program knows more. */
#define LAST_COMPARED 450

/*
 * libseccomp has no numbers for what is newer, nor for uretprobe (335); it compares all of an
 * int, and half of everything on architectures of 32 bits, which x32 is to it.
 */
static bool agree(uint32_t ours, uint32_t theirs, const struct seccomp_data *d)
{
	bool narrow = d->arch != AUDIT_OWN || d->nr >= 0x40000000;

	if (narrow && (d->args[0] > UINT32_MAX || d->args[1] > UINT32_MAX))
		return true;
	return ours == theirs || d->nr == 335 || (ours == ERROR(ENOSYS) && theirs != ALLOW) ||
	       ((d->nr & 0xffff) == SYS_socket && d->args[0] > UINT32_MAX);
}

static const uint64_t values[] = {
	0,
	1,
	2,
	8,
	37,
	38,
	39,
	40,
	41,
	0x20000,
	0x20008,
	0x7e020000,
	0x20000000,
	0xffffffff,
	1ull << 32,
	(1ull << 32) + 2,
	(1ull << 32) + 40,
	(3ull << 32) + 1,
	UINT64_MAX,
};

static void compare_call(const struct str *ours, const struct str *theirs, uint32_t audit,
			 uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(values) * ARRAY_LEN(values); i += 3) {
		uint64_t v = values[i % ARRAY_LEN(values)], w = values[i / ARRAY_LEN(values)];
		struct seccomp_data d = { (int)number, audit, 0, { v, w, v } };
		uint32_t a = run(ours, &d), b = run(theirs, &d);

		if (!agree(a, b, &d))
			fail_msg("%#x %#x (%#llx, %#llx): %#x, libseccomp %#x", audit, number,
				 (unsigned long long)v, (unsigned long long)w, a, b);
	}
}

static void compare(const struct str *ours, const struct str *theirs)
{
	for (uint32_t n = 0; n <= LAST_COMPARED; n++) {
		compare_call(ours, theirs, AUDIT_OWN, n);
#if defined(__x86_64__)
		compare_call(ours, theirs, AUDIT_OWN, 0x40000000 | n);
		compare_call(ours, theirs, AUDIT_ARCH_I386, n);
#endif
	}
}

static void the_default_program_agrees_with_libseccomps(void **state)
{
	static const uint64_t caps[] = { 0, CAPABILITY_DEFAULT, CAPABILITY_ALL, SYS_ADMIN };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
		struct seccomp_target t = { caps[i], "" };
		auto_seccomp_profile struct seccomp_profile p;
		auto_str struct str ours, theirs;

		seccomp_default(&t, &p);
		compile("", "", caps[i], &ours);
		reference(&p, &theirs);
		compare(&ours, &theirs);
	}
}

static void programs_of_users_agree_with_libseccomps(void **state)
{
	static const char *const profiles[] = {
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[]}",
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
		"{\"names\":[\"chmod\",\"fchmod\",\"read\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
		"{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"architectures\":[\"SCMP_ARCH_X86_"
		"64\"],"
		"\"syscalls\":[{\"names\":[\"read\",\"write\",\"exit_group\"],"
		"\"action\":\"SCMP_ACT_ALLOW\"}]}",
		/* each comparison, on the first and on the second argument */
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_LE\"},"
		"{\"index\":1,\"value\":4294967296,\"op\":\"SCMP_CMP_NE\"}]},"
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_TRAP\",\"args\":["
		"{\"index\":0,\"value\":4294967298,\"op\":\"SCMP_CMP_GE\"}]},"
		"{\"names\":[\"close\"],\"action\":\"SCMP_ACT_LOG\",\"args\":["
		"{\"index\":1,\"value\":4294967298,\"op\":\"SCMP_CMP_LT\"}]},"
		"{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_KILL\",\"args\":["
		"{\"index\":0,\"value\":40,\"op\":\"SCMP_CMP_GT\"},"
		"{\"index\":1,\"value\":255,\"valueTwo\":8,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}",
		/* two conditions on one argument are two rules */
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
		"{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		/* a rule without conditions decides */
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_TRAP\",\"args\":["
		"{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]},"
		"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		struct seccomp_target t = { 0, "" };
		auto_seccomp_profile struct seccomp_profile p;
		auto_str struct str ours, theirs;
		struct err e = ERR_INIT;

		assert_ok(seccomp_profile_read(profiles[i], strlen(profiles[i]), &t, &p, &e));
		compile(profiles[i], "", 0, &ours);
		reference(&p, &theirs);
		compare(&ours, &theirs);
	}
}

/* ---- users' profiles ---- */

static void conditions_decide_which_rules_count(void **state)
{
	static const char profile[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
		"{\"name\":\"read\",\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5,"
		" \"includes\":{\"caps\":[\"CAP_CHOWN\",\"CAP_KILL\"]}},"
		"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ERRNO\","
		" \"excludes\":{\"caps\":[\"CAP_CHOWN\",\"CAP_KILL\"]}},"
		"{\"names\":[\"close\"],\"action\":\"SCMP_ACT_TRAP\",\"includes\":{\"minKernel\":"
		"\"6.2\"}},"
		"{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_TRAP\",\"excludes\":{\"minKernel\":\"6."
		"2\"}},"
		"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_TRAP\",\"includes\":{\"arches\":["
		"\"s390\"]}},"
		"{\"names\":[\"no_such_call\"],\"action\":\"SCMP_ACT_TRAP\"},"
		"{\"names\":[\"pipe2\"],\"action\":\"SCMP_ACT_TRAP\",\"includes\":{\"caps\":[\"CAP_"
		"NO\"]}}]}";
	auto_str struct str none, one, both, old;

	(void)state;
	compile(profile, "6.12.90-kvbox", 0, &none);
	compile(profile, "6.2", 1 << 0, &one);
	compile(profile, "", 1 << 0 | 1 << 5, &both);
	compile(profile, "5.19.7", 0, &old);
	assert_int_equal(call(&none, SYS_read, 0, 0), ALLOW);
	assert_int_equal(call(&one, SYS_read, 0, 0), ALLOW);
	assert_int_equal(call(&both, SYS_read, 0, 0), ERROR(5));
	assert_int_equal(call(&none, SYS_write, 0, 0), ERROR(EPERM));
	assert_int_equal(call(&one, SYS_write, 0, 0), ALLOW);
	assert_int_equal(call(&none, SYS_close, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(call(&one, SYS_close, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(call(&both, SYS_close, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(call(&old, SYS_close, 0, 0), ALLOW);
	assert_int_equal(call(&none, SYS_dup, 0, 0), ALLOW);
	assert_int_equal(call(&old, SYS_dup, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(call(&none, SYS_mount, 0, 0), ALLOW);
	assert_int_equal(call(&none, SYS_pipe2, 0, 0), ALLOW);
	/* and what is new is let through, as the default action says */
	assert_int_equal(call(&none, 5000, 0, 0), ALLOW);
}

#if defined(__x86_64__)
static void a_rule_about_sockets_holds_for_socketcall_too(void **state)
{
	static const char profile[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{\"architecture\":"
		"\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],\"syscalls\":["
		"{\"names\":[\"connect\",\"shmat\"],\"action\":\"SCMP_ACT_ERRNO\"}]}";
	struct seccomp_data d = { .arch = AUDIT_ARCH_I386, .nr = 102, .args = { 3 } };
	auto_str struct str f;

	(void)state;
	compile(profile, "", 0, &f);
	assert_int_equal(run(&f, &d), ERROR(EPERM));
	d.args[0] = 1;
	assert_int_equal(run(&f, &d), ALLOW);
	d.nr = 117; /* ipc, with a version above the number */
	d.args[0] = 1 << 16 | 21;
	assert_int_equal(run(&f, &d), ERROR(EPERM));
	d.nr = 362; /* connect */
	assert_int_equal(run(&f, &d), ERROR(EPERM));
	/* x32 is not in the map */
	d.arch = AUDIT_ARCH_X86_64;
	d.nr = 0x40000000;
	assert_int_equal(run(&f, &d), KILL);
}
#endif

static void without_a_filter_nothing_is_made(void **state)
{
	static const char *const none[] = { "unconfined", "{}", "{\"syscalls\":[]}",
					    "{\"defaultAction\":\"\"}" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		auto_str struct str f = STR_INIT(SECCOMP_FILTER_MAX);

		assert_ok(seccomp_compile(none[i], "", 0, &f, &e));
		assert_int_equal(f.len, 0);
	}
}

static void a_bad_profile_is_refused_with_the_place(void **state)
{
#define RULE(text) "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[" text "]}"
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "Decoding seccomp profile failed" },
		{ "[]", "is not an object" },
		{ "7", "is not an object" },
		{ "{\"defaultAction\":7}", "'defaultAction'" },
		{ "{\"defaultAction\":\"SCMP_ACT_HUG\"}",
		  "string SCMP_ACT_HUG is not a valid action for seccomp" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "not supported" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":70000}", "errnoRet" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":\"x\"}", "errnoRet" },
		{ "{\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
		  "defaultAction" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"VAX\"]}",
		  "string VAX is not a valid arch for seccomp" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],"
		  "\"archMap\":[{}]}",
		  "both 'architectures' and 'archMap'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}", "'syscalls'" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":{}}", "'archMap'" },
		{ RULE("7"), "syscalls[0]" },
		{ RULE("{}"), "'action'" },
		{ RULE("{\"action\":\"SCMP_ACT_ALLOW\"},{\"action\":\"X\"}"), "syscalls[1]" },
		{ RULE("{\"names\":\"read\",\"action\":\"SCMP_ACT_ALLOW\"}"), "'names'" },
		{ RULE("{\"names\":[\"a\"],\"name\":\"b\",\"action\":\"SCMP_ACT_ALLOW\"}"),
		  "both 'name' and 'names'" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":-1}"),
		  "errnoRet" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"args\":7}"), "'args'" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"args\":[{}]}"), "args[0]" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":6,"
		       "\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}"),
		  "index is not a number from 0 to 5" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":1,"
		       "\"value\":1,\"op\":\"==\"}]}"),
		  "not a valid operator" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"args\":[{},{},{},{},{},{},{}"
		       "]}"),
		  "more than 6" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"minKernel\":"
		       "\"4\"}}"),
		  "invalid kernel version: \"4\"" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"excludes\":{\"minKernel\":"
		       "\"0.0\"}}"),
		  "invalid kernel version" },
		{ RULE("{\"name\":\"a\",\"action\":\"SCMP_ACT_KILL\",\"excludes\":[]}"),
		  "excludes: is not an object" },
	};
	auto_str struct str f = STR_INIT(SECCOMP_FILTER_MAX);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *text = cases[i].text;

		assert_fails(seccomp_check(text, strlen(text), &e), cases[i].message);
		if (*text)
			assert_fails(seccomp_compile(text, "", 0, &f, &e), cases[i].message);
	}
	assert_int_equal(f.len, 0);
}

static void a_profile_without_end_is_refused(void **state)
{
	auto_str struct str text = STR_INIT(2 * SECCOMP_PROFILE_MAX);
	auto_str struct str f = STR_INIT(SECCOMP_FILTER_MAX);
	struct err e = ERR_INIT;

	(void)state;
	str_add(&text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
	for (int i = 0; i < 4000; i++)
		str_addf(&text,
			 "%s{\"name\":\"write\",\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":"
			 "0,"
			 "\"value\":%d,\"op\":\"SCMP_CMP_EQ\"}]}",
			 i ? "," : "", i);
	str_add(&text, "]}");
	assert_ok(seccomp_check(text.buf, text.len, &e));
	assert_fails(seccomp_compile(text.buf, "", 0, &f, &e), "more than 4096 instructions");
	while (text.len <= SECCOMP_PROFILE_MAX)
		str_addc(&text, ' ');
	assert_fails(seccomp_check(text.buf, text.len, &e), "longer than");
}

/* ---- remembered ---- */

static void recall(int dir, uint64_t caps, struct str *ret)
{
	struct err e = ERR_INIT;

	str_init(ret, SECCOMP_FILTER_MAX);
	assert_ok(seccomp_recall("", caps, dir, ret, &e));
}

static void the_usual_program_is_remembered_and_damage_is_not_believed(void **state)
{
	char name[] = "/tmp/kvbox-test-XXXXXX";
	auto_str struct str want = STR_INIT(0), f = STR_INIT(0), text = STR_INIT(1 << 20);
	auto_close int dir = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(name));
	assert_ok(fd_open_dir(AT_FDCWD, name, &dir, &e));
	compile("", "", CAPABILITY_ALL, &want);
	recall(dir, CAPABILITY_ALL, &f);
	assert_int_equal(f.len, want.len);
	assert_false(file_exists(dir, "seccomp"));
	str_release(&want);
	compile("", "", CAPABILITY_DEFAULT, &want);
	/* Made; then found; then with one byte after the other that is wrong, or missing. */
	for (size_t i = 0; i < 200; i++) {
		str_release(&f);
		recall(dir, CAPABILITY_DEFAULT, &f);
		assert_int_equal(f.len, want.len);
		assert_memory_equal(f.buf, want.buf, want.len);
		str_clear(&text);
		assert_ok(file_read(dir, "seccomp", &text, &e));
		assert_true(text.len > want.len);
		if (i < 2)
			continue;
		text.buf[i * (text.len - 1) / 199] ^= 1;
		assert_ok(file_write_replace(dir, "seccomp", text.buf, text.len - i % 2, 0600, &e));
	}
	assert_ok(dir_remove_tree(AT_FDCWD, name, &e));
}

/* ---- loaded ---- */

static int answer(long number, long a0, long a1)
{
	return syscall(number, a0, a1, 0, 0, 0) < 0 ? errno : 0;
}

/*
 * In a child that has the filter: what the calls really answer, the first that is wrong as the
 * exit code.
 */
static int try_calls(const struct str *filter)
{
	struct sock_fprog program = {
		.len = (unsigned short)(filter->len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(void *)filter->buf,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return 1;
	/* Without the filter: EFAULT, or EPERM for want of a capability, or EINVAL. */
	if (answer(SYS_mount, 0, 0) != EPERM || answer(SYS_userfaultfd, -1, 0) != EPERM)
		return 2;
	if (answer(SYS_clone3, 0, 0) != ENOSYS || answer(9999, 0, 0) != ENOSYS)
		return 3;
	if (answer(SYS_personality, 0xffffffff, 0) != 0 ||
	    answer(SYS_personality, ADDR_NO_RANDOMIZE, 0) != EPERM)
		return 4;
	if (answer(SYS_socket, AF_VSOCK, SOCK_STREAM) != EPERM ||
	    answer(SYS_socket, AF_ALG, SOCK_SEQPACKET) != EPERM ||
	    answer(SYS_socket, AF_UNIX, SOCK_STREAM) != 0)
		return 5;
	if (answer(SYS_clone, CLONE_NEWUSER, 0) != EPERM ||
	    answer(SYS_unshare, CLONE_NEWUSER, 0) != EPERM)
		return 6;
	if (answer(SYS_getpid, 0, 0) != 0 || answer(SYS_close, -1, 0) != EBADF)
		return 7;
	return 0;
}

static void the_kernel_takes_the_program_and_answers(void **state)
{
	auto_str struct str f;
	int status;
	pid_t pid;

	(void)state;
	compile("", "", CAPABILITY_DEFAULT, &f);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(try_calls(&f));
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_call_that_kills_kills(void **state)
{
	static const char profile[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"uname\"],"
		"\"action\":\"SCMP_ACT_KILL_PROCESS\"}]}";
	auto_str struct str f;
	int status;
	pid_t pid;

	(void)state;
	compile(profile, "", 0, &f);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sock_fprog program = { (unsigned short)(f.len / 8), (void *)f.buf };

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
			_exit(1);
		_exit(answer(SYS_uname, 0, 0));
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_profile_answers_as_dockers),
#if defined(__x86_64__)
		cmocka_unit_test(each_architecture_of_the_machine_has_its_own_numbers),
		cmocka_unit_test(a_rule_about_sockets_holds_for_socketcall_too),
#endif
		cmocka_unit_test(the_default_program_is_small),
		cmocka_unit_test(the_default_program_agrees_with_libseccomps),
		cmocka_unit_test(programs_of_users_agree_with_libseccomps),
		cmocka_unit_test(conditions_decide_which_rules_count),
		cmocka_unit_test(without_a_filter_nothing_is_made),
		cmocka_unit_test(a_bad_profile_is_refused_with_the_place),
		cmocka_unit_test(a_profile_without_end_is_refused),
		cmocka_unit_test(the_usual_program_is_remembered_and_damage_is_not_believed),
		cmocka_unit_test(the_kernel_takes_the_program_and_answers),
		cmocka_unit_test(a_call_that_kills_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
