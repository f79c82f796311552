/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store with one container, and monitor, starter and client of it as processes of their own, with the
 * fake VMM: a test program is also the `kvbox monitor`, the `kvbox finish` and the VMM of its tests.
 */
#ifndef KVBOX_TESTS_FIXTURE_MONITOR_H
#define KVBOX_TESTS_FIXTURE_MONITOR_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "engine/client.h"
#include "engine/logread.h"
#include "engine/monitor.h"
#include "base/random.h"
#include "engine/rundir.h"
#include "engine/spec.h"
#include "engine/start.h"
#include "engine/state.h"
#include "vmm/fake.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MARK   "finished.json"

struct fixture {
	char path[64];
	struct paths paths;
	struct container_spec spec;
	int dir; /* containers/<id> */
	struct rundir run;
	struct client *client;
	pid_t monitor; /* the last one that was started; a child of this process */
	int out;       /* reads what the container writes */
	int err;
	int in;
	bool trace;
	int sinks[3];
	struct client_io io;
};

static struct err e;
/* A container's own in each test: cgroups are the host's, and other tests run at the same time. */
static char container_id[ID_TEXT_SIZE];

/* ---- fixture ----------------------------------------------------------------------------------- */

static inline void make_file(int dir, const char *name, const char *text, size_t size)
{
	char block[4096] = { 0 };

	memcpy(block, text, strlen(text));
	assert_ok(file_write_replace(dir, name, block, size, 0644, &e));
}

static inline void make_store(struct fixture *f)
{
	auto_free char *root = xasprintf("%s/root", f->path), *run = xasprintf("%s/run", f->path);
	auto_free char *kernel = xasprintf("%s/kernel", f->path);
	char name[PATH_NAME_SIZE];

	assert_ok(paths_open(root, run, true, &f->paths, &e));
	assert_ok(dir_make(f->paths.root_fd, path_container(container_id, NULL, name), 0700, &e));
	assert_ok(fd_open_dir(f->paths.root_fd, name, &f->dir, &e));
	make_file(f->paths.root_fd, path_chain(DIGEST, name), "", 4096);
	make_file(f->paths.root_fd, path_layer(DIGEST, name), "", 4096);
	make_file(f->dir, "upper.img", "", 4096);
	make_file(AT_FDCWD, kernel, "\177ELF\2\1\1", 4096);
	setenv("KVBOX_KERNEL", kernel, 1);
	setenv("KVBOX_INITRAMFS", kernel, 1);
	assert_ok(rundir_open(&f->paths, container_id, true, &f->run, &e));
}

static inline void set_text(char **field, const char *text)
{
	free(*field);
	*field = xstrdup(text);
}

static inline int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	err_clear(&e);
	random_id(container_id);
	snprintf(f->path, sizeof(f->path), "%s/kvbox-monitor-XXXXXX", test_base());
	if (!mkdtemp(f->path))
		return -1;
	f->paths = (struct paths)PATHS_INIT;
	f->out = f->err = f->in = -1;
	f->sinks[0] = f->sinks[1] = f->sinks[2] = -1;
	f->io = (struct client_io)CLIENT_IO_INIT;
	setenv("KVBOX_ACCEL", "tcg", 1);
	unsetenv("KVBOX_FAKE");
	unsetenv("KVBOX_BOOT_TIMEOUT");
	unsetenv("KVBOX_SHUTDOWN_TIMEOUT");
	unsetenv("KVBOX_FINISH_TIMEOUT");
	make_store(f);
	spec_init(&f->spec);
	set_text(&f->spec.id, container_id);
	set_text(&f->spec.name, "test");
	set_text(&f->spec.image_ref, "image");
	set_text(&f->spec.chain, DIGEST);
	set_text(&f->spec.hostname, "host");
	strv_add(&f->spec.layers, DIGEST);
	strv_add(&f->spec.env, "PATH=/usr/bin:/bin");
	*state = f;
	return 0;
}

static inline void close_sinks(struct fixture *f)
{
	size_t i;

	for (i = 0; i < 3; i++)
		fd_close(take_fd(&f->sinks[i]));
}

/* All waiting ends after this many naps of 5 ms, which is 100 seconds and more: that only ends what hangs. */
#define NAPS_MAX 20000

static inline void take_nap(void)
{
	const struct timespec nap = { 0, 5000000 };

	nanosleep(&nap, NULL);
}

/* 1 when the monitor has ended, with its status. One that a failed test left running is killed. */
static inline int wait_for_monitor(struct fixture *f, int *status)
{
	int i;

	for (i = 0; i < NAPS_MAX; i++) {
		if (waitpid(f->monitor, status, WNOHANG) == f->monitor)
			return 1;
		take_nap();
	}
	kill(f->monitor, SIGKILL);
	waitpid(f->monitor, status, 0);
	return 0;
}

/* 0 and 1 are its own words, anything else is a crash, or a sanitizer's report. */
static inline int reap_monitor(struct fixture *f)
{
	auto_str struct str text = STR_INIT(STR_HUGE);
	int status, ended;

	if (f->monitor == 0)
		return 0;
	ended = wait_for_monitor(f, &status);
	f->monitor = 0;
	if (ended && (WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) <= 1))
		return 0;
	if (file_read(f->dir, "monitor.log", &text, &e) == 0)
		print_error("monitor: status %d, ended %d\n%s\n", status, ended, text.buf);
	return -1;
}

/* What `finish` does after a kill; the fake VMM's end does not take along all that ran "in" it. */
static inline void remove_cgroup(struct fixture *f)
{
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	auto_free char *order = NULL;
	int i, fd;

	if (vmstate_read(f->run.fd, &st, &e) < 0 || !*st.cgroup) {
		err_clear(&e);
		return;
	}
	order = xasprintf("%s/cgroup.kill", st.cgroup);
	if (fd_open(AT_FDCWD, order, O_WRONLY, 0, &fd, &e) < 0) {
		err_clear(&e);
		return;
	}
	if (write(fd, "1", 1) != 1)
		print_error("cannot kill what is left\n");
	fd_close(fd);
	for (i = 0; i < NAPS_MAX && rmdir(st.cgroup) < 0 && errno == EBUSY; i++)
		take_nap();
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	int r, crashed;

	client_free(f->client);
	crashed = reap_monitor(f);
	remove_cgroup(f);
	close_sinks(f);
	fd_close(f->out);
	fd_close(f->err);
	fd_close(f->in);
	rundir_release(&f->run);
	fd_close(f->dir);
	spec_release(&f->spec);
	paths_release(&f->paths);
	r = dir_remove_tree(AT_FDCWD, f->path, &e);
	free(f);
	return r < 0 ? r : crashed;
}

/* ---- steps ------------------------------------------------------------------------------------- */

static inline void command(struct fixture *f, const char *script)
{
	strv_clear(&f->spec.args);
	strv_add(&f->spec.args, "/bin/sh");
	strv_add(&f->spec.args, "-c");
	strv_add(&f->spec.args, script);
}

static inline int begin(struct fixture *f)
{
	const struct start_options options = { .trace = f->trace };
	auto_vmstate struct vmstate st = VMSTATE_INIT;
	auto_str struct str text = STR_INIT(STR_HUGE);

	spec_write(&f->spec, &text);
	assert_ok(file_write_replace(f->dir, SPEC_FILE, text.buf, text.len, 0600, &e));
	if (container_start(&f->paths, container_id, &options, &f->client, &e) < 0)
		return -1;
	assert_ok(vmstate_read(f->run.fd, &st, &e));
	f->monitor = (pid_t)st.pid;
	return 0;
}

/* Pipes for all streams; the container's output is read from f->out and f->err. */
static inline void make_pipes(struct fixture *f)
{
	int pair[2];

	assert_ok(fd_pipe(pair, &e));
	f->out = pair[0];
	f->sinks[1] = f->io.out = pair[1];
	assert_ok(fd_pipe(pair, &e));
	f->err = pair[0];
	f->sinks[2] = f->io.err = pair[1];
	assert_ok(fd_pipe(pair, &e));
	f->in = pair[1];
	f->sinks[0] = f->io.in = pair[0];
}

static const struct client_streams no_streams = { false, false, false };
static const struct client_streams output_only = { false, true, true };
static const struct client_streams all_streams = { true, true, true };

static inline void start_detached(struct fixture *f)
{
	assert_ok(begin(f));
	assert_ok(client_start(f->client, &no_streams, NULL, &e));
}

/* Starts, copies to the pipes and gives the result; output must fit the pipes. */
static inline struct client_result run_attached(struct fixture *f)
{
	struct client_result result = { 0 };

	make_pipes(f);
	assert_ok(begin(f));
	assert_ok(client_start(f->client, &output_only, NULL, &e));
	assert_ok(client_run_streams(f->client, &f->io, &result, &e));
	close_sinks(f);
	return result;
}

static inline void assert_reads(int fd, const char *want)
{
	char buf[4096];
	ssize_t n = fd_read_full(fd, buf, sizeof(buf) - 1, &e);

	assert_true(n >= 0);
	buf[n] = '\0';
	assert_string_equal(buf, want);
}

/* The monitor holds `alive` until the store knows the end. */
static inline void wait_until_free(struct fixture *f)
{
	int i, held = 1;

	for (i = 0; i < NAPS_MAX && held; i++) {
		held = rundir_alive(&f->run, &e);
		assert_true(held >= 0);
		if (held)
			take_nap();
	}
	assert_int_equal(held, 0);
}

/* What state.json said when `finish` ran. */
static inline void read_final(struct fixture *f, struct vmstate *ret)
{
	wait_until_free(f);
	assert_true(file_exists(f->dir, MARK));
	assert_ok(vmstate_read(f->run.fd, ret, &e));
	assert_int_equal(ret->phase, VM_EXITED);
	assert_int_equal(ret->vmm_pid, 0);
	assert_int_equal(rundir_vm(&f->run, &e), 0);
}

static inline void assert_final(struct fixture *f, int code)
{
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	read_final(f, &st);
	assert_int_equal(st.exit_code, code);
	assert_true(st.finished_at >= st.started_at);
}

static inline struct vmstate now(struct fixture *f)
{
	struct vmstate st = VMSTATE_INIT;

	assert_ok(vmstate_read(f->run.fd, &st, &e));
	return st;
}

/* True when state.json says so in time. */
static inline bool becomes(struct fixture *f, bool (*is)(const struct vmstate *st))
{
	int i;

	for (i = 0; i < NAPS_MAX; i++) {
		auto_vmstate struct vmstate st = VMSTATE_INIT;
		bool yes = vmstate_read(f->run.fd, &st, &e) == 0 && is(&st);

		err_clear(&e);
		if (yes)
			return true;
		take_nap();
	}
	return false;
}

/* What the container has to write to for a file `name` to be there, and how it waits for one; "%s" is the fixture's
 * path. Time is no means for telling it or for hearing from it. */
#define IN_SHELL_MAKE(name) ": >%s/" name "; "
#define IN_SHELL_WAIT(name) "while [ ! -e %s/" name " ]; do sleep 0.02; done; "

static inline void make_mark(struct fixture *f, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", f->path, name);
	int fd;

	/* An empty file takes no block of a full disk. */
	assert_ok(fd_open(AT_FDCWD, path, O_WRONLY | O_CREAT, 0600, &fd, &e));
	fd_close(fd);
}

static inline void wait_for_mark(struct fixture *f, const char *name)
{
	auto_free char *path = xasprintf("%s/%s", f->path, name);
	int i;

	for (i = 0; i < NAPS_MAX && !file_exists(AT_FDCWD, path); i++)
		take_nap();
	assert_true(file_exists(AT_FDCWD, path));
}

/* `before`, then the mark "ready", then `after`. */
static inline void command_that_tells(struct fixture *f, const char *before, const char *after)
{
	auto_free char *script = xasprintf("%s; " IN_SHELL_MAKE("ready") "%s", before, f->path,
					   after);

	command(f, script);
}

/* `before`, and `after` once the mark "go" is there. */
static inline void command_that_waits(struct fixture *f, const char *before, const char *after)
{
	auto_free char *script = xasprintf("%s " IN_SHELL_WAIT("go") "%s", before, f->path, after);

	command(f, script);
}

/* How often the event log has this action (with a following quote, so whole words). */
static inline size_t count_events(struct fixture *f, const char *action)
{
	auto_free char *want = xasprintf("\"action\":\"%s\"", action);
	auto_str struct str text = STR_INIT(STR_HUGE);
	const char *at;
	size_t n = 0;

	if (file_read(f->paths.root_fd, "events.log", &text, &e) < 0) {
		err_clear(&e);
		return 0;
	}
	for (at = text.buf; (at = strstr(at, want)); at += strlen(want))
		n++;
	return n;
}

static inline struct client *connect_again(struct fixture *f)
{
	struct client *c;

	assert_ok(client_connect(&f->paths, container_id, &c, &e));
	return c;
}

struct on_its_way {
	struct fixture *f;
	void (*act)(struct fixture *f);
	int fd;
};

static inline int act_now(void *ctx, struct client *c, struct err *why)
{
	struct on_its_way *w = ctx;
	char byte;

	(void)c;
	w->act(w->f);
	return fd_read_full(w->fd, &byte, 1, why) == 1 ? 0 : -1;
}

/* The exit code that client_wait gives; `act`, which is to bring the end about, is called when that request is on its
 * way: a monitor that is done before would have nobody to answer. */
static inline int wait_for_code(struct fixture *f, struct client *c, void (*act)(struct fixture *f))
{
	struct on_its_way w = { .f = f, .act = act };
	int code = -1, pair[2];

	assert_ok(fd_pipe(pair, &e));
	assert_ok(fd_write_full(pair[1], "x", 1, &e));
	w.fd = pair[0];
	client_set_hooks(c, &(struct client_hooks){ &w, pair[0], act_now, NULL });
	assert_ok(client_wait(c, &code, &e));
	client_set_hooks(c, &(struct client_hooks){ NULL, -1, NULL, NULL });
	fd_close(pair[0]);
	fd_close(pair[1]);
	return code;
}

static inline void let_go(struct fixture *f)
{
	make_mark(f, "go");
}

/* ---- the program ------------------------------------------------------------------------------- */

/* What the store's part would do is not ours to test: leaves a mark. */
static inline int finish(const char *id)
{
	struct paths paths = PATHS_INIT;
	char name[PATH_NAME_SIZE];

	if (paths_open(NULL, NULL, false, &paths, &e) < 0 ||
	    file_write_replace(paths.root_fd, path_container(id, MARK, name), "", 0, 0600, &e) < 0)
		return 1;
	paths_release(&paths);
	return 0;
}

/* True when the program was not called for its tests; *ret is its exit code then. */
static inline bool is_other_program(int argc, char **argv, int *ret)
{
	if (argc > 1 && strcmp(argv[1], "monitor") == 0)
		*ret = monitor_main(argc - 1, argv + 1);
	else if (argc > 1 && strcmp(argv[1], "join") == 0)
		*ret = monitor_join_main(argc - 1, argv + 1);
	else if (argc > 2 && strcmp(argv[1], "finish") == 0)
		*ret = finish(argv[2]);
	else if (strcmp(argv[0], "kvbox-fake-vmm") == 0)
		*ret = fake_guest_main(argc, argv);
	else
		return false;
	return true;
}

static inline void use_fake_vmm(int argc, char **argv)
{
	auto_free char *self = proc_own_path(&e);

	setenv("KVBOX_VMM", "fake", 1);
	setenv("KVBOX_FAKE_VMM", self, 1);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
