/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/close_range.h>
#include <linux/keyctl.h>

#include "agent/command.h"
#include "agent/mounts.h"
#include "agent/sysctl.h"
#include "agent/user.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

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
	if (fd_open(AT_FDCWD, "dev/console", O_WRONLY | O_CREAT | O_NOFOLLOW, 0620, &fd, e) < 0)
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

static int set_names(const struct container_setup *s, struct err *e)
{
	const char *domain = s->domainname ? s->domainname : "";

	if (sethostname(s->hostname, strlen(s->hostname)) < 0)
		return err_sys(e, "cannot set the hostname");
	if (*domain && setdomainname(domain, strlen(domain)) < 0)
		return err_sys(e, "cannot set the domain name");
	return 0;
}

/* In the new root. What has to be written comes before what makes it read-only. */
static int furnish(const struct child_plan *plan, struct err *e)
{
	const struct container_setup *s = &plan->container->setup;

	if (mounts_views(s->privileged, e) < 0 || mounts_tmpfs(&s->tmpfs, e) < 0)
		return -1;
	for (size_t i = 0; i < s->sysctls.n; i++) {
		if (sysctl_set(s->sysctls.v[i], e) < 0)
			return -1;
	}
	if (mounts_protect(&s->readonly_paths, e) < 0 || mounts_mask(&s->masked, e) < 0)
		return -1;
	if (!s->read_only)
		return 0;
	if (*plan->spec->cwd)
		mounts_make_folders(plan->spec->cwd);
	return mounts_make_read_only("/", e);
}

static int make_namespaces(const struct child_plan *plan, struct err *e)
{
	/* Not by clone: the namespace's root is the cgroup the process is in when it is made. */
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "cannot create a cgroup namespace");
	if (set_names(&plan->container->setup, e) < 0 || change_root(plan, e) < 0)
		return -1;
	return furnish(plan, e);
}

static int join_namespaces(const struct child_plan *plan, struct err *e)
{
	if (setns(plan->container->main_pidfd,
		  CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
		return err_sys(e, "cannot enter the container");
	return 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int enter_cwd(const struct child_plan *plan, struct err *e)
{
	const char *cwd = *plan->spec->cwd ? plan->spec->cwd : "/";
	char text[64];
	int r = chdir(cwd);

	if (r < 0 && errno == ENOENT && plan->is_main) {
		mounts_make_folders(cwd);
		r = chdir(cwd);
	}
	if (r == 0)
		return 0;
	command_errno_text(errno, text);
	return err_set(e, errno == ENOENT ? ERR_NO_COMMAND : ERR_NOT_EXEC,
		       "chdir to cwd (\"%s\") set in config.json failed: %s", cwd, text);
}

static void set_home(struct strv *env, const struct user *user)
{
	const char *given = strv_env_get(env, "HOME");
	auto_free char *home = NULL;

	if (given && *given)
		return;
	home = xconcat("HOME=", user->home, NULL);
	strv_env_set(env, home);
}

/* Keys that a process adds are found by no other container's. Of use, but no need. */
static void join_keyring(const struct child_plan *plan)
{
	auto_free char *name = xconcat("_ses.", plan->container->id, NULL);

	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
}

static int exec_as_user(const struct child_plan *plan, struct err *e)
{
	const struct privileges *p = &plan->spec->privileges;
	auto_user struct user user = { 0 };
	auto_strv struct strv env = STRV_INIT;
	auto_close int root = -1;
	auto_free char *file = NULL;
	sigset_t none;

	if (fd_open_dir(AT_FDCWD, "/", &root, e) < 0 ||
	    user_lookup(root, plan->spec->user, &user, e) < 0 ||
	    user_add_groups(root, &plan->spec->groups, &user, e) < 0)
		return -1;
	strv_copy(&env, &plan->spec->env);
	set_home(&env, &user);
	if (give_stdio(plan, user.uid, e) < 0 || enter_cwd(plan, e) < 0 ||
	    privileges_set_limits(p, e) < 0)
		return -1;
	umask(022);
	join_keyring(plan);
	if (privileges_become(p, &user, e) < 0 ||
	    command_find(plan->spec->args.v[0], strv_env_get(&env, "PATH"), &file, e) < 0)
		return -1;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (privileges_install_filter(p, e) < 0)
		return -1;
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
