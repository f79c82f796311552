/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a temporary folder with one image in it, and processes that play monitor and VMM. */
#ifndef KVBOX_TESTS_FIXTURE_STORE_H
#define KVBOX_TESTS_FIXTURE_STORE_H

#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"
#include "engine/container.h"
#include "engine/disk.h"
#include "engine/finish.h"
#include "engine/paths.h"
#include "engine/state.h"
#include "engine/store.h"

#define CHAIN_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
/* The digest of "{}", which is its configuration and its manifest. */
#define IMAGE_A "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

struct fixture {
	char dir[64];
	char *root, *run;
	struct paths paths;
	struct store *store;
};

static inline void fixture_open_store(struct fixture *f)
{
	struct err e = ERR_INIT;

	assert_ok(paths_open(f->root, f->run, true, &f->paths, &e));
	assert_ok(store_open(&f->paths, &f->store, &e));
}

static inline void fixture_close_store(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
	paths_release(&f->paths);
}

static inline void fixture_sql(struct fixture *f, const char *sql)
{
	struct err e = ERR_INIT;
	auto_tx struct tx tx = TX_INIT;
	auto_stmt struct stmt st = STMT_INIT;

	assert_ok(tx_begin(&tx, store_db(f->store), &e));
	stmt_prepare(&st, store_db(f->store), sql);
	assert_ok(stmt_run(&st, &e));
	assert_ok(tx_commit(&tx, &e));
}

static inline int64_t fixture_count(struct fixture *f, const char *sql)
{
	struct err e = ERR_INIT;
	auto_stmt struct stmt st = STMT_INIT;

	stmt_prepare(&st, store_db(f->store), sql);
	assert_int_equal(stmt_step(&st, &e), 1);
	return stmt_int(&st, 0);
}

/* The image and its chain, rows and files. It has no layers. */
static inline void fixture_add_image(struct fixture *f)
{
	struct err e = ERR_INIT;
	char path[PATH_NAME_SIZE];

	fixture_sql(f, "INSERT INTO chains VALUES ('" CHAIN_A "', 1, 3)");
	assert_ok(file_write_replace(f->paths.root_fd, path_chain(CHAIN_A, path), "abc", 3, 0600,
				     &e));
	fixture_sql(f, "INSERT INTO images VALUES ('" IMAGE_A "', '" IMAGE_A "', 't', 'linux',"
		       " 'amd64', '', 1, 1, 5, '" CHAIN_A "')");
	assert_ok(
		file_write_replace(f->paths.root_fd, path_blob(IMAGE_A, path), "{}", 2, 0600, &e));
}

static inline int fixture_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "%s/kvbox-test-XXXXXX", test_base());
	assert_non_null(mkdtemp(f->dir));
	f->root = xasprintf("%s/root", f->dir);
	f->run = xasprintf("%s/run", f->dir);
	f->paths = (struct paths)PATHS_INIT;
	fixture_open_store(f);
	fixture_add_image(f);
	*state = f;
	return 0;
}

static inline int fixture_down(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	fixture_close_store(f);
	assert_ok(dir_remove_tree(AT_FDCWD, f->dir, &e));
	free(f->root);
	free(f->run);
	free(f);
	return 0;
}

static inline void fixture_set(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
}

static inline void fixture_spec(struct container_spec *s, const char *name)
{
	spec_init(s);
	fixture_set(&s->name, name);
	fixture_set(&s->chain, CHAIN_A);
	fixture_set(&s->image_id, IMAGE_A);
	fixture_set(&s->image_ref, "busybox");
	strv_add(&s->args, "sh");
	s->disk_size = DISK_SIZE_MIN;
}

/* Creates one; its id goes to `ret`. */
static inline void fixture_create(struct fixture *f, const char *name, bool auto_remove,
				  char ret[ID_TEXT_SIZE])
{
	struct err e = ERR_INIT;
	auto_spec struct container_spec s;

	fixture_spec(&s, name);
	s.auto_remove = auto_remove;
	assert_ok(container_create(f->store, &s, NULL, &e));
	strcpy(ret, s.id);
}

static inline bool fixture_exists(struct fixture *f, const char *format, const char *id)
{
	auto_free char *path = NULL;
	char short_id[13];

	snprintf(short_id, sizeof(short_id), "%.12s", id);
	if (strcmp(format, "run") == 0)
		return file_exists(f->paths.run_fd, short_id);
	path = xasprintf("%s/%s", format, id);
	return file_exists(f->paths.root_fd, path);
}

static inline enum state fixture_state(struct fixture *f, const char *id)
{
	auto_stmt struct stmt st = STMT_INIT;
	struct err e = ERR_INIT;

	stmt_prepare(&st, store_db(f->store), "SELECT state FROM containers WHERE id = ?");
	stmt_bind_text(&st, 1, id);
	return stmt_step(&st, &e) > 0 ? (enum state)stmt_int(&st, 0) : ST_NONE;
}

/* ---- processes that play a part ---- */

enum part { PLAY_MONITOR, PLAY_VMM, PLAY_BOTH };

/* Holds `alive` and/or `vm` of the container until it is killed. Returns when it does. */
static inline pid_t fixture_play(struct fixture *f, const char *id, enum part part)
{
	int ready[2];
	struct err e = ERR_INIT;
	pid_t pid;
	char c;

	assert_ok(fd_pipe(ready, &e));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rundir d = RUNDIR_INIT;
		int fd;

		if (rundir_open(&f->paths, id, true, &d, &e) < 0 ||
		    (part != PLAY_VMM && rundir_take_alive(&d, &fd, &e) < 0) ||
		    (part != PLAY_MONITOR && rundir_take_vm(&d, &fd, &e) < 0) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static inline void fixture_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* True when the child was killed by somebody else; reaps it. */
static inline bool fixture_was_killed(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Takes a created container to "starting" as its starter would. */
static inline void fixture_begin_start(struct fixture *f, const char *id)
{
	struct err e = ERR_INIT;
	auto_container_lock struct container_lock l = CONTAINER_LOCK_INIT;

	assert_ok(container_lock(f->store, id, &l, &e));
	assert_ok(container_begin_start(&l, &e));
}

static inline void fixture_write_state(struct fixture *f, const char *id, const struct vmstate *s)
{
	struct err e = ERR_INIT;
	auto_rundir struct rundir d = RUNDIR_INIT;

	assert_ok(rundir_open(&f->paths, id, true, &d, &e));
	assert_ok(vmstate_write(d.fd, s, &e));
}

#endif
