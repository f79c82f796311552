/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/start.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "engine/cgroup.h"
#include "engine/client_priv.h"
#include "engine/lastwords.h"
#include "engine/rundir.h"

#define CONTROL_FD 3
#define LOG_FILE   "monitor.log"

extern char **environ;

/*
 * A monitor outlives the command by far, and its memory can be read by whoever may trace it: it gets
 * only what it, the VMM and the dynamic linker look at.
 */
static bool is_kept(const char *assignment)
{
	static const char *const prefixes[] = {
		"KVBOX_",
		"XDG_",
		"PATH=",
		"HOME=",
		"TMPDIR=",
		"TZ=",
		"LD_LIBRARY_PATH=",
		"ASAN_OPTIONS=",
		"UBSAN_OPTIONS=",
		"LSAN_OPTIONS=",
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_has_prefix(assignment, prefixes[i]))
			return true;
	return false;
}

static void make_environment(const struct paths *paths, const struct start_options *options,
			     struct strv *env)
{
	auto_free char *root = xasprintf("KVBOX_ROOT=%s", paths->root);
	auto_free char *runroot = xasprintf("KVBOX_RUNROOT=%s", paths->runroot);
	char **at;

	for (at = environ; *at; at++)
		if (is_kept(*at))
			strv_add(env, *at);
	strv_env_set(env, root);
	strv_env_set(env, runroot);
	if (options && options->trace)
		strv_env_set(env, "KVBOX_TRACE=1");
}

static int spawn_monitor(const char *id, const struct strv *env, int control, int log,
			 struct proc *ret, struct err *e)
{
	auto_free char *self = proc_own_path(e);
	auto_free char *id_arg = xstrdup(id);
	char verb[] = "monitor", name[] = "kvbox", cgroup_name[RUNDIR_NAME_SIZE];
	char *const argv[] = { name, verb, id_arg, NULL };
	const struct spawn_fd fds[] = { { log, STDERR_FILENO }, { control, CONTROL_FD } };
	auto_close int root = -1, cgroup = -1;
	struct err why = ERR_INIT;
	struct spawn s = {
		.path = self,
		.argv = argv,
		.envp = strv_args(env),
		.fds = fds,
		.nfds = ARRAY_LEN(fds),
		.session = true,
	};

	if (!self || fd_open_dir(AT_FDCWD, "/", &root, e) < 0)
		return -1;
	memcpy(cgroup_name, id, sizeof(cgroup_name) - 1);
	cgroup_name[sizeof(cgroup_name) - 1] = '\0';
	cgroup = cgroup_make(cgroup_name);
	s.cwd = root;
	s.cgroup = cgroup;
	if (cgroup >= 0) {
		if (spawn_start(&s, ret, &why) == 0)
			return 0;
		/* The host may let us make a cgroup and yet not use it. */
		log_debug("without a cgroup of its own: %s", why.msg);
		cgroup_unmake(cgroup_name);
		s.cgroup = -1;
	}
	return spawn_start(&s, ret, e);
}

/* The monitor died before it could say anything on the connection. */
static void explain(int dir, struct err *e)
{
	auto_str struct str text = STR_INIT(LASTWORDS_MAX);

	lastwords_read(dir, LOG_FILE, &text);
	err_clear(e);
	err_set(e, ERR_UNAVAILABLE, "the container's monitor ended at once%s%s",
		text.len ? ": " : "", text.buf);
}

int container_start(const struct paths *paths, const char *id, const struct start_options *options,
		    struct client **ret, struct err *e)
{
	auto_strv struct strv env = STRV_INIT;
	auto_close int dir = -1, log = -1, mine = -1, theirs = -1;
	struct proc monitor = PROC_INIT;
	char name[PATH_NAME_SIZE];
	int pair[2];

	if (!hex_is(id, ID_TEXT_SIZE - 1))
		return err_set(e, ERR_INVALID, "bad container id '%.80s'", id);
	if (fd_open_dir(paths->root_fd, path_container(id, NULL, name), &dir, e) < 0 ||
	    fd_open(dir, LOG_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0640, &log, e) < 0 ||
	    fd_socketpair(pair, e) < 0)
		return err_wrap(e, "cannot start the container's monitor");
	mine = pair[0];
	theirs = pair[1];
	make_environment(paths, options, &env);
	if (spawn_monitor(id, &env, theirs, log, &monitor, e) < 0)
		return err_wrap(e, "cannot start the container's monitor");
	fd_close(take_fd(&theirs)); /* so that its end is seen */
	if (client_open_fd_take(take_fd(&mine), ret, e) < 0) {
		if (e->kind == ERR_UNAVAILABLE)
			explain(dir, e);
		proc_release(&monitor);
		return -1;
	}
	(*ret)->monitor = monitor;
	return 0;
}
