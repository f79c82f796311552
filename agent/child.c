/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/child.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "agent/command.h"
#include "agent/user.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define NOFILE_MAX 1048576

/* ---- terminal and pipes ---------------------------------------------------------------------- */

static int open_stdio(const struct child_plan *plan, int stdio[3], struct err *e)
{
	memcpy(stdio, plan->stdio, 3 * sizeof(*stdio));
	if (plan->pty >= 0) {
		stdio[0] = ioctl(plan->pty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (stdio[0] < 0)
			return err_sys(e, "cannot open the terminal");
		stdio[1] = stdio[2] = stdio[0];
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		if (stdio[i] < 0 && fd_open(AT_FDCWD, "/dev/null", O_RDWR, 0, &stdio[i], e) < 0)
			return -1;
	}
	return 0;
}

static int use_stdio(const struct child_plan *plan, const int stdio[3], struct err *e)
{
	if (setsid() < 0)
		return err_sys(e, "cannot start a session");
	for (int i = 0; i < 3; i++) {
		if (dup2(stdio[i], i) < 0)
			return err_sys(e, "cannot set up descriptor %d", i);
	}
	if (plan->pty >= 0 && ioctl(0, TIOCSCTTY, 0) < 0)
		return err_sys(e, "cannot take the terminal");
	/* Nothing of the agent's reaches the command, whatever was forgotten. */
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(e, "cannot mark descriptors");
	return 0;
}

/* So that a command of another user can open /dev/stdout again. */
static int give_stdio(const struct child_plan *plan, uid_t uid, struct err *e)
{
	struct stat st;

	for (int i = 0; i < 3; i++) {
		if (plan->pty < 0 && plan->stdio[i] < 0)
			continue;
		if (fstat(i, &st) < 0 || (st.st_uid != uid && fchown(i, uid, (gid_t)-1) < 0))
			return err_sys(e, "cannot give descriptor %d to the user", i);
	}
	return 0;
}

/* ---- namespaces ------------------------------------------------------------------------------ */

/* Docker binds the terminal of the first process to /dev/console. */
static int bind_console(const struct child_plan *plan, struct err *e)
{
	auto_close int fd = -1;
	char slave[64];

	if (plan->pty < 0)
		return 0;
	if (fd_open(AT_FDCWD, "dev/console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0620, &fd,
		    e) < 0)
		return -1;
	if (ptsname_r(plan->pty, slave, sizeof(slave)) != 0)
		return err_sys(e, "cannot name the terminal");
	if (mount(slave + 1, "dev/console", NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "cannot mount /dev/console");
	return 0;
}

/* root/ becomes the root, and nothing else stays mounted. */
static int change_root(const struct child_plan *plan, struct err *e)
{
	if (chdir(plan->container->dir) < 0 || chdir("root") < 0)
		return err_sys(e, "cannot enter the root file system");
	if (bind_console(plan, e) < 0)
		return -1;
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, "cannot change the root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "cannot leave the old root");
	return 0;
}

/* File systems that show the namespaces they are mounted in. Names resolve in the new root. */
static int mount_views(struct err *e)
{
	static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	static const struct {
		const char *type, *at;
		unsigned long extra;
	} views[] = {
		{ "proc", "/proc", 0 },
		{ "sysfs", "/sys", MS_RDONLY },
		{ "cgroup2", "/sys/fs/cgroup", MS_RDONLY },
		{ "mqueue", "/dev/mqueue", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		if (mount(views[i].type, views[i].at, views[i].type, flags | views[i].extra, NULL) <
		    0)
			return err_sys(e, "cannot mount '%s'", views[i].at);
	}
	return 0;
}

static int make_namespaces(const struct child_plan *plan, struct err *e)
{
	/* Not by clone: the namespace's root is the cgroup the process is in when it is made. */
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "cannot create a cgroup namespace");
	if (sethostname(plan->container->hostname, strlen(plan->container->hostname)) < 0)
		return err_sys(e, "cannot set the hostname");
	return change_root(plan, e) < 0 ? -1 : mount_views(e);
}

static int join_namespaces(const struct child_plan *plan, struct err *e)
{
	if (setns(plan->container->main_pidfd,
		  CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
		return err_sys(e, "cannot enter the container");
	return 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* As mkdir -p; we are inside the container's root. */
static void make_folders(const char *path)
{
	auto_free char *copy = xstrdup(path);

	for (char *at = copy; *at; at++) {
		if (*at != '/' || at == copy)
			continue;
		*at = '\0';
		mkdir(copy, 0755);
		*at = '/';
	}
	mkdir(copy, 0755);
}

static int enter_cwd(const struct child_plan *plan, struct err *e)
{
	const char *cwd = *plan->spec->cwd ? plan->spec->cwd : "/";
	char text[64];
	int r = chdir(cwd);

	if (r < 0 && errno == ENOENT && plan->is_main) {
		make_folders(cwd);
		r = chdir(cwd);
	}
	if (r == 0)
		return 0;
	command_errno_text(errno, text);
	return err_set(e, errno == ENOENT ? ERR_NO_COMMAND : ERR_NOT_EXEC,
		       "chdir to cwd (\"%s\") set in config.json failed: %s", cwd, text);
}

static int become(const struct user *user, struct err *e)
{
	if (setgroups(user->ngroups, user->groups) < 0)
		return err_sys(e, "cannot set the groups");
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return err_sys(e, "cannot set the group");
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return err_sys(e, "cannot set the user");
	return 0;
}

static int set_limits(struct err *e)
{
	static const struct rlimit nofile = { NOFILE_MAX, NOFILE_MAX };
	static const struct rlimit nproc = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_NOFILE, &nofile) < 0 || setrlimit(RLIMIT_NPROC, &nproc) < 0)
		return err_sys(e, "cannot set resource limits");
	return 0;
}

/* The agent blocks some signals and ignores one; commands begin with neither. */
static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_home(struct strv *env, const struct user *user)
{
	const char *given = strv_env_get(env, "HOME");
	auto_free char *home = NULL;

	if (given && *given)
		return;
	home = xasprintf("HOME=%s", user->home);
	strv_env_set(env, home);
}

static int exec_as_user(const struct child_plan *plan, struct err *e)
{
	auto_user struct user user = { 0 };
	auto_strv struct strv env = STRV_INIT;
	auto_close int root = -1;
	auto_free char *file = NULL;

	if (fd_open_dir(AT_FDCWD, "/", &root, e) < 0 ||
	    user_lookup(root, plan->spec->user, &user, e) < 0)
		return -1;
	strv_copy(&env, &plan->spec->env);
	set_home(&env, &user);
	if (give_stdio(plan, user.uid, e) < 0 || enter_cwd(plan, e) < 0 || set_limits(e) < 0)
		return -1;
	umask(022);
	if (become(&user, e) < 0 ||
	    command_find(plan->spec->args.v[0], strv_env_get(&env, "PATH"), &file, e) < 0)
		return -1;
	reset_signals();
	execve(file, strv_args(&plan->spec->args), strv_args(&env));
	return command_exec_error(file, errno, e);
}

int child_exec(const struct child_plan *plan, struct err *e)
{
	int stdio[3];

	if ((plan->is_main ? make_namespaces(plan, e) : join_namespaces(plan, e)) < 0)
		return -1;
	if (open_stdio(plan, stdio, e) < 0 || use_stdio(plan, stdio, e) < 0)
		return -1;
	return exec_as_user(plan, e);
}
