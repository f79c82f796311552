/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at every moment: a child does the operation and is killed before its first, second,
 * third ... system call that changes anything outside (ptrace), until it comes to its end. After
 * each, the next command must find or make a store in which nothing is wrong.
 */
#include "tests/unit/fixture_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "engine/check.h"

#define CALLS_MAX 5000

typedef void (*operation)(struct fixture *f, const char *id);

/* In the child, which never returns. */
static void run_child(struct fixture *f, operation op, const char *id)
{
	struct err e = ERR_INIT;

	f->paths = (struct paths)PATHS_INIT;
	if (paths_open(f->root, f->run, false, &f->paths, &e) < 0 ||
	    store_open(&f->paths, &f->store, &e) < 0)
		_exit(1);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
		_exit(2);
	op(f, id);
	_exit(0);
}

/* Calls after which the world outside is as before: to be killed at them would prove nothing
 * new. */
static bool changes_nothing(const struct __ptrace_syscall_info *info)
{
	static const int harmless[] = {
		SYS_read,	    SYS_pread64,      SYS_fstat,      SYS_newfstatat,
		SYS_lseek,	    SYS_mmap,	      SYS_munmap,     SYS_mprotect,
		SYS_madvise,	    SYS_brk,	      SYS_getrandom,  SYS_geteuid,
		SYS_getpid,	    SYS_getdents64,   SYS_close,      SYS_fcntl,
		SYS_futex,	    SYS_readlink,     SYS_getcwd,     SYS_clock_gettime,
		SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_fsync,      SYS_fdatasync,
		SYS_sched_yield,    SYS_gettid,	      SYS_prctl,      SYS_sysinfo,
		SYS_sigaltstack,    SYS_faccessat,    SYS_faccessat2,
	};

	for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
		if (info->entry.nr == (uint64_t)harmless[i])
			return true;
	}
	return info->entry.nr == SYS_openat && !(info->entry.args[2] & (O_CREAT | O_TMPFILE));
}

/* True when the child was killed before its n-th change, false when it ended. */
static bool killed_at(struct fixture *f, operation op, const char *id, int n)
{
	pid_t pid = fork();
	int status, sig = 0;

	assert_true(pid >= 0);
	if (pid == 0)
		run_child(f, op, id);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD), 0);
	while (n > 0) {
		struct __ptrace_syscall_info info;

		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		sig = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
		if (sig)
			continue;
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !changes_nothing(&info))
			n--;
	}
	/* A system call that is stopped at its entry is not made any more. */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return true;
}

static void show(void *ctx, const char *line)
{
	(void)ctx;
	print_message("%s\n", line);
}

static void assert_healthy(struct fixture *f, int n)
{
	struct err e = ERR_INIT;
	struct check check = { .report = show };

	assert_ok(store_recover(f->store, &e));
	if (check_run(f->store, &check, &e) != 0)
		fail_msg("killed at change %d: %s", n, e.msg);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM sandboxes") -
				 fixture_count(f, "SELECT count(*) FROM containers"),
			 0);
}

static void must(int r)
{
	if (r < 0)
		_exit(10);
}

static void op_create(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;

	(void)id;
	fixture_spec(&s, "web");
	must(container_create(f->store, &s, NULL, &e));
}

static void op_run_rm(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;

	(void)id;
	fixture_spec(&s, "web");
	s.auto_remove = true;
	must(container_create(f->store, &s, &l, &e));
	must(container_begin_start(&l, &e));
}

static void op_finish(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;

	must(container_finish(f->store, id, &e));
}

static void op_remove(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;

	must(container_remove(f->store, id, 0, &e));
}

static void op_first_write(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;
	int64_t intent;

	must(intent_add(f->store, "test", id, NULL, &intent, &e));
	must(intent_end(f->store, intent, &e));
}

/* Before each round: nothing but the image. */
static void empty(struct fixture *f)
{
	struct err e = ERR_INIT;
	auto_container_list struct container_list l = CONTAINER_LIST_INIT;

	assert_ok(container_list(f->store, NULL, &l, &e));
	for (size_t i = 0; i < l.n; i++)
		assert_ok(container_remove(f->store, l.v[i].id, REMOVE_FORCE, &e));
}

static void creation(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	bool killed = true;
	int kills = 0;

	assert_ok(disk_prepare(&f->paths, DISK_SIZE_MIN, &e));
	for (int n = 1; killed && n < CALLS_MAX; n++, kills++) {
		char id[ID_TEXT_SIZE];

		fixture_close_store(f);
		killed = killed_at(f, op_create, NULL, n);
		fixture_open_store(f);
		assert_healthy(f, n);
		/* All of it or nothing, and in the latter case the name is free. */
		if (fixture_count(f, "SELECT count(*) FROM containers") == 0)
			fixture_create(f, "web", false, id);
		assert_healthy(f, n);
		empty(f);
	}
	assert_false(killed);
	assert_true(kills > 20);
}

static void run_rm(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	bool killed = true;
	int kills = 0;

	assert_ok(disk_prepare(&f->paths, DISK_SIZE_MIN, &e));
	for (int n = 1; killed && n < CALLS_MAX; n++, kills++) {
		fixture_close_store(f);
		killed = killed_at(f, op_run_rm, NULL, n);
		fixture_open_store(f);
		assert_healthy(f, n);
		/* --rm: whatever happened, nothing of it is left. */
		assert_int_equal(fixture_count(f, "SELECT count(*) FROM containers"), 0);
	}
	assert_false(killed);
	assert_true(kills > 20);
}

static void end_of_life(struct fixture *f, bool auto_remove)
{
	struct vmstate vm = {
		.phase = VM_EXITED, .started_at = 5, .finished_at = 6, .exit_code = 9
	};
	bool killed = true;
	int kills = 0;

	for (int n = 1; killed && n < CALLS_MAX; n++, kills++) {
		char id[ID_TEXT_SIZE];

		fixture_create(f, "web", auto_remove, id);
		fixture_begin_start(f, id);
		fixture_write_state(f, id, &vm);
		fixture_close_store(f);
		killed = killed_at(f, op_finish, id, n);
		fixture_open_store(f);
		assert_healthy(f, n);
		if (auto_remove) {
			assert_int_equal(fixture_state(f, id), ST_NONE);
		} else {
			assert_int_equal(fixture_state(f, id), ST_EXITED);
			assert_int_equal(fixture_count(f, "SELECT exit_code FROM containers"), 9);
		}
		empty(f);
	}
	assert_false(killed);
	assert_true(kills > 10);
}

static void finishing(void **state)
{
	end_of_life(*state, false);
}

static void finishing_with_rm(void **state)
{
	end_of_life(*state, true);
}

/* The monitor lives, and has `kvbox finish` do it when the client that it asked first was killed. */
static void finishing_goes_on_where_a_client_was_killed(void **state)
{
	struct fixture *f = *state;
	struct vmstate vm = {
		.phase = VM_EXITED, .started_at = 5, .finished_at = 6, .exit_code = 9
	};
	bool killed = true;
	int kills = 0;

	for (int n = 1; killed && n < CALLS_MAX; n++, kills++) {
		struct err e = ERR_INIT;
		char id[ID_TEXT_SIZE];
		pid_t monitor;

		fixture_create(f, "web", true, id);
		fixture_begin_start(f, id);
		fixture_write_state(f, id, &vm);
		monitor = fixture_play(f, id, PLAY_MONITOR);
		fixture_close_store(f);
		killed = killed_at(f, op_finish, id, n);
		fixture_open_store(f);
		assert_ok(container_finish(f->store, id, &e));
		assert_int_equal(fixture_state(f, id), ST_NONE);
		assert_false(fixture_exists(f, "containers", id));
		assert_healthy(f, n);
		assert_false(fixture_exists(f, "run", id));
		fixture_kill(monitor);
	}
	assert_false(killed);
	assert_true(kills > 10);
}

static int64_t count_destroyed(struct fixture *f)
{
	auto_str struct str text = STR_INIT(STR_HUGE);
	struct err e = ERR_INIT;
	int64_t n = 0;

	assert_ok(file_read(f->paths.root_fd, "events.log", &text, &e));
	for (const char *at = text.buf; (at = strstr(at, "\"action\":\"destroy\"")); at++)
		n++;
	return n;
}

/* A client that comes late, `kvbox finish`, and a command that meets the container. */
static void what_several_finish_at_a_time_is_finished_once(void **state)
{
	enum { ROUNDS = 30, FINISHERS = 3 };
	struct vmstate vm = { .phase = VM_EXITED, .started_at = 5, .finished_at = 6 };
	struct fixture *f = *state;

	for (int n = 1; n <= ROUNDS; n++) {
		pid_t pids[FINISHERS];
		char id[ID_TEXT_SIZE];
		int status;

		fixture_create(f, "web", true, id);
		fixture_begin_start(f, id);
		fixture_write_state(f, id, &vm);
		fixture_close_store(f);
		for (size_t i = 0; i < FINISHERS; i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0) {
				fixture_open_store(f);
				op_finish(f, id);
				_exit(0);
			}
		}
		for (size_t i = 0; i < FINISHERS; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		fixture_open_store(f);
		assert_int_equal(fixture_state(f, id), ST_NONE);
		assert_false(fixture_exists(f, "containers", id));
		assert_false(fixture_exists(f, "run", id));
		assert_int_equal(count_destroyed(f), n);
		assert_healthy(f, n);
	}
}

static void removal(void **state)
{
	struct fixture *f = *state;
	bool killed = true;
	int kills = 0;

	for (int n = 1; killed && n < CALLS_MAX; n++, kills++) {
		char id[ID_TEXT_SIZE];

		fixture_create(f, "web", false, id);
		fixture_close_store(f);
		killed = killed_at(f, op_remove, id, n);
		fixture_open_store(f);
		assert_healthy(f, n);
		empty(f);
	}
	assert_false(killed);
	assert_true(kills > 10);
}

static void the_very_first_write_to_a_root(void **state)
{
	struct fixture *f = *state;
	bool killed = true;
	int kills = 0;

	for (int n = 1; killed && n < CALLS_MAX; n++, kills++) {
		struct err e = ERR_INIT;

		fixture_close_store(f);
		assert_ok(dir_remove_tree(AT_FDCWD, f->root, &e));
		assert_ok(dir_remove_tree(AT_FDCWD, f->run, &e));
		killed = killed_at(f, op_first_write, "x", n);
		fixture_open_store(f);
		assert_int_equal(fixture_count(f, "SELECT count(*) FROM containers"), 0);
		fixture_add_image(f);
		assert_int_equal(fixture_count(f, "SELECT count(*) FROM chains"), 1);
		assert_true(db_exists(store_db(f->store)));
	}
	assert_false(killed);
	assert_true(kills > 20);
}

/* ---- what recovery leaves alone ---- */

static void what_somebody_is_at_work_on_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;
	struct container_lock l = CONTAINER_LOCK_INIT;
	struct store *other;

	fixture_spec(&s, "web");
	s.auto_remove = true;
	assert_ok(container_create(f->store, &s, &l, &e));
	assert_ok(store_open(&f->paths, &other, &e));
	assert_ok(store_recover(other, &e));
	assert_int_equal(fixture_state(f, s.id), ST_STARTING);
	assert_true(fixture_exists(f, "containers", s.id));
	assert_true(fixture_exists(f, "run", s.id));
	store_close(other);
	container_unlock(&l);
	assert_int_equal(fixture_state(f, s.id), ST_NONE);
}

/* By a process of its own, which is dead when this returns. */
static void begin_restart_and_die(struct fixture *f, const char *id)
{
	int status;
	pid_t pid;

	fixture_close_store(f);
	pid = fork();
	if (pid == 0) {
		struct container c = { .auto_remove = true };
		struct err e = ERR_INIT;

		memcpy(c.id, id, sizeof(c.id));
		fixture_open_store(f);
		_exit(container_begin_restart(f->store, &c, &e) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fixture_open_store(f);
}

/* What its monitor leaves when it was told that somebody starts it again. */
static const struct vmstate kept = {
	.phase = VM_EXITED, .started_at = 5, .finished_at = 6, .exit_code = 9, .keep = true
};

static void a_restart_that_died_before_its_start_leaves_no_container_of_rm(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "web", true, id);
	begin_restart_and_die(f, id);
	fixture_begin_start(f, id);
	/* That start is not the one: it ends the intent. */
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
	begin_restart_and_die(f, id);
	assert_ok(store_recover(f->store, &e));
	assert_int_equal(fixture_state(f, id), ST_STARTING);
	fixture_write_state(f, id, &kept);
	assert_ok(container_finish(f->store, id, &e));
	assert_int_equal(fixture_state(f, id), ST_EXITED);
	assert_ok(store_recover(f->store, &e));
	assert_int_equal(fixture_state(f, id), ST_NONE);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void a_restart_that_is_under_way_is_left_alone(void **state)
{
	struct fixture *f = *state;
	auto_container struct container c = CONTAINER_INIT;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	fixture_create(f, "web", true, id);
	fixture_begin_start(f, id);
	fixture_write_state(f, id, &kept);
	assert_ok(container_find(f->store, id, &c, &e));
	assert_int_equal(c.state, ST_EXITED);
	assert_ok(container_begin_restart(f->store, &c, &e));
	assert_ok(store_recover(f->store, &e));
	assert_int_equal(fixture_state(f, id), ST_EXITED);
	fixture_begin_start(f, id);
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 0);
}

static void intents_of_a_newer_version_stay(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	random_id(id);
	assert_ok(intent_add(f->store, "tap.create", id, "{}", NULL, &e));
	assert_ok(intent_add(f->store, "tap.create", "not an id", "{}", NULL, &e));
	assert_ok(store_recover(f->store, &e));
	assert_int_equal(fixture_count(f, "SELECT count(*) FROM intents"), 2);
}

/* ---- files ---- */

static void put(struct fixture *f, const char *path)
{
	struct err e = ERR_INIT;

	assert_ok(file_write_replace(f->paths.root_fd, path, "x", 1, 0600, &e));
}

#define STRAY "blobs/sha256/9999999999999999999999999999999999999999999999999999999999999999"

static void op_write_and_die(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;

	(void)id;
	must(store_collector_lock(f->store, LOCK_SHARED, true, &e));
	must(file_write_replace(f->paths.root_fd, STRAY, "x", 1, 0600, &e));
}

static void what_a_dead_writer_did_not_name_is_collected(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	bool killed = true;
	int left = 0;

	assert_ok(store_recover(f->store, &e));
	for (int n = 1; killed; n++) {
		fixture_close_store(f);
		killed = killed_at(f, op_write_and_die, NULL, n);
		fixture_open_store(f);
		left += file_exists(f->paths.root_fd, STRAY);
		assert_healthy(f, n);
		assert_false(file_exists(f->paths.root_fd, STRAY));
	}
	assert_true(left > 0);
}

static void writers_that_live_are_left_in_peace(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	struct store *other;

	assert_ok(store_open(&f->paths, &other, &e));
	assert_int_equal(store_collector_lock(other, LOCK_SHARED, true, &e), 1);
	put(f, STRAY);
	assert_ok(store_recover(f->store, &e));
	assert_true(file_exists(f->paths.root_fd, STRAY));
	store_close(other);
	assert_ok(store_recover(f->store, &e));
	assert_false(file_exists(f->paths.root_fd, STRAY));
}

static void the_first_command_after_a_boot_collects(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	assert_ok(store_recover(f->store, &e));
	put(f, STRAY);
	assert_ok(store_recover(f->store, &e));
	assert_true(file_exists(f->paths.root_fd, STRAY));
	/* A new boot: the run root is empty, or not even there. */
	fixture_close_store(f);
	assert_ok(dir_remove_tree(AT_FDCWD, f->run, &e));
	assert_ok(paths_open(f->root, f->run, false, &f->paths, &e));
	assert_ok(store_open(&f->paths, &f->store, &e));
	assert_ok(store_recover(f->store, &e));
	assert_false(file_exists(f->paths.root_fd, STRAY));
}

static void containers_that_ran_when_the_power_went_are_finished(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	auto_container struct container c = CONTAINER_INIT;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	fixture_create(f, "keep", false, a);
	fixture_create(f, "rm", true, b);
	fixture_begin_start(f, a);
	fixture_begin_start(f, b);
	assert_ok(container_started(f->store, a, 7, &e));
	fixture_close_store(f);
	assert_ok(dir_remove_tree(AT_FDCWD, f->run, &e));
	assert_ok(paths_open(f->root, f->run, false, &f->paths, &e));
	assert_ok(store_open(&f->paths, &f->store, &e));
	assert_ok(container_find(f->store, "keep", &c, &e));
	assert_int_equal(c.state, ST_EXITED);
	assert_int_equal(c.exit_code, 137);
	assert_fails(container_find(f->store, "rm", &c, &e), "No such container: rm");
	assert_healthy(f, 0);
}

#ifdef KVBOX_FAULTS
/* ---- faults: the same operations with their first, second, third ... call that can fail
 * failing ---- */

struct faulty {
	const char *name;
	operation op;
	bool wants_container, wants_start, auto_remove;
};
static const struct faulty faulty[] = {
	{ "create", op_create, false, false, false }, { "run-rm", op_run_rm, false, false, true },
	{ "finish", op_finish, true, true, false },   { "finish-rm", op_finish, true, true, true },
	{ "remove", op_remove, true, false, false },
};

/* This program again: fault <root> <run> <operation> <id>. */
static int run_faulty(char **argv)
{
	struct fixture f = { .root = argv[2], .run = argv[3], .paths = PATHS_INIT };
	struct err e = ERR_INIT;

	if (paths_open(f.root, f.run, false, &f.paths, &e) < 0 ||
	    store_open(&f.paths, &f.store, &e) < 0)
		return 10;
	for (size_t i = 0; i < ARRAY_LEN(faulty); i++) {
		if (strcmp(faulty[i].name, argv[4]) == 0)
			faulty[i].op(&f, argv[5]);
	}
	return 0;
}

/* How many points were visited. */
static size_t spawn_faulty(struct fixture *f, const struct faulty *op, const char *id, int n)
{
	auto_strv struct strv args = STRV_INIT;
	auto_strv struct strv env = STRV_INIT;
	auto_strv struct strv visited = STRV_INIT;
	auto_str struct str log = STR_INIT(STR_HUGE);
	auto_free char *log_path = xasprintf("%s/faults", f->dir);
	struct err e = ERR_INIT;
	struct proc proc = PROC_INIT;
	struct spawn s = { .path = "/proc/self/exe", .cwd = -1, .cgroup = -1 };
	int status = -1;

	strv_add(&args, "test");
	strv_add(&args, "fault");
	strv_add(&args, f->root);
	strv_add(&args, f->run);
	strv_add(&args, op->name);
	strv_add(&args, id);
	strv_addf(&env, "KVBOX_FAULT=%d", n);
	strv_addf(&env, "KVBOX_FAULT_LOG=%s", log_path);
	s.argv = strv_args(&args);
	s.envp = strv_args(&env);
	assert_ok(file_remove(AT_FDCWD, log_path, &e));
	assert_ok(spawn_start(&s, &proc, &e));
	assert_ok(spawn_wait(&proc, &status, &e));
	if (status != 0 && status != 10)
		fail_msg("%s with fault %d ended with %d", op->name, n, status);
	assert_ok(file_read(AT_FDCWD, log_path, &log, &e));
	strv_split(&visited, log.buf, '\n');
	return visited.n - 1;
}

static void every_failure_is_survived(void **state)
{
	struct fixture *f = *state;
	struct vmstate vm = { .phase = VM_EXITED, .started_at = 5, .finished_at = 6 };
	struct err e = ERR_INIT;

	assert_ok(disk_prepare(&f->paths, DISK_SIZE_MIN, &e));
	for (size_t i = 0; i < ARRAY_LEN(faulty); i++) {
		size_t visited;
		int n = 0;

		/* Until the point that was to fail is not there any more. */
		do {
			char id[ID_TEXT_SIZE] = "none";

			if (faulty[i].wants_container)
				fixture_create(f, "web", faulty[i].auto_remove, id);
			if (faulty[i].wants_start) {
				fixture_begin_start(f, id);
				fixture_write_state(f, id, &vm);
			}
			fixture_close_store(f);
			visited = spawn_faulty(f, &faulty[i], id, ++n);
			fixture_open_store(f);
			assert_healthy(f, n);
			empty(f);
		} while (visited >= (size_t)n);
		assert_true(n > 20);
	}
}
#endif

/* The pid and its start time, as a monitor writes them. */
static void write_monitor(struct fixture *f, const char *id, pid_t pid)
{
	struct vmstate s = VMSTATE_INIT;
	struct err e = ERR_INIT;
	uint64_t start;

	assert_ok(proc_start_time(pid, &start, &e));
	s.phase = VM_EXITED;
	s.pid = pid;
	s.pid_start = (int64_t)start;
	fixture_write_state(f, id, &s);
}

static void a_start_waits_until_the_monitor_of_the_last_run_has_left(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;
	char id[ID_TEXT_SIZE];

	/* Without knowing its pid, and with. */
	fixture_create(f, "again", false, id);
	for (int known = 0; known < 2; known++) {
		auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;
		pid_t monitor = fixture_play(f, id, PLAY_MONITOR), killer;

		if (known)
			write_monitor(f, id, monitor);
		killer = fork();
		if (killer == 0) {
			poll(NULL, 0, 100);
			_exit(kill(monitor, SIGKILL) < 0);
		}
		assert_ok(container_lock_start(f->store, id, &l, &e));
		assert_int_equal(rundir_alive(&l.dir, &e), 0);
		assert_true(fixture_was_killed(monitor));
		assert_int_equal(waitpid(killer, NULL, 0), killer);
	}
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_up, fixture_down)
#define KILLED(name)                                                                             \
	{                                                                                        \
		"a_kill_at_any_moment_of_" #name "_is_repaired", name, fixture_up, fixture_down, \
			NULL                                                                     \
	}
	const struct CMUnitTest tests[] = {
		KILLED(creation),
		KILLED(run_rm),
		KILLED(finishing),
		KILLED(finishing_with_rm),
		KILLED(removal),
		TEST(finishing_goes_on_where_a_client_was_killed),
		TEST(what_several_finish_at_a_time_is_finished_once),
		KILLED(the_very_first_write_to_a_root),
		TEST(what_somebody_is_at_work_on_is_left_alone),
		TEST(a_restart_that_died_before_its_start_leaves_no_container_of_rm),
		TEST(a_restart_that_is_under_way_is_left_alone),
		TEST(intents_of_a_newer_version_stay),
		TEST(what_a_dead_writer_did_not_name_is_collected),
		TEST(writers_that_live_are_left_in_peace),
		TEST(the_first_command_after_a_boot_collects),
		TEST(containers_that_ran_when_the_power_went_are_finished),
		TEST(a_start_waits_until_the_monitor_of_the_last_run_has_left),
#ifdef KVBOX_FAULTS
		TEST(every_failure_is_survived),
#endif
	};

#ifdef KVBOX_FAULTS
	if (argc > 5)
		return run_faulty(argv);
#endif
	(void)argc;
	(void)argv;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
