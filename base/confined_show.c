/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One more file in the root folder of a confined child that runs already.
 *
 * A helper does it: a copy of this process that joins the child's mount namespace, with a copy of the file's
 * mount in its hand, and ends. It needs no name of the child's, which a pidfd tells from all that come after it.
 * For a child in a user namespace the helper becomes one of that namespace's masters first, as its maker may,
 * and copies the mount from a namespace that belongs to it.
 *
 * The helper makes system calls only, on what was prepared before, and what failed stands in a page that both
 * share. The place may be one where the child can do what it likes: no link is followed there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confined_priv.h"
#include "base/fault.h"
#include "base/spawn_confined.h"

struct helper {
	int pidfd; /* of the child */
	bool user_namespace;
	const char *source; /* NULL: the target goes */
	const char *target;
	bool readonly;
	const char *failed; /* in the shared page: a constant's address */
	int error;
};

static void __attribute__((noreturn)) leave(struct helper *h, const char *failed)
{
	h->error = errno;
	h->failed = failed;
	_exit(failed ? 1 : 0);
}

static void enter(struct helper *h, int kind, const char *what)
{
	if (setns(h->pidfd, kind) < 0)
		leave(h, what);
}

static void __attribute__((noreturn)) show(struct helper *h)
{
	const struct confine_path path = {
		.kind = CONFINE_BIND,
		.source = h->source,
		.access = CONFINE_MAY_READ | (h->readonly ? 0u : (unsigned)CONFINE_MAY_WRITE),
	};
	int tree, fd;

	/* Only who is master of a mount namespace may copy its mounts. */
	if (h->user_namespace && unshare(CLONE_NEWNS) < 0)
		leave(h, "namespace");
	tree = confined_clone_tree(&path);
	if (tree < 0)
		leave(h, "file");
	enter(h, CLONE_NEWNS, "root folder");
	/* What was shown there before is gone; what the child has put there goes. */
	if (unlink(h->target) < 0 && errno != ENOENT)
		leave(h, "place");
	fd = open(h->target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0)
		leave(h, "place");
	close(fd);
	if (move_mount(tree, "", AT_FDCWD, h->target, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		int saved = errno;

		unlink(h->target);
		errno = saved;
		leave(h, "mount");
	}
	leave(h, NULL);
}

static void __attribute__((noreturn)) hide(struct helper *h)
{
	enter(h, CLONE_NEWNS, "root folder");
	if (umount2(h->target, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		leave(h, "mount");
	if (unlink(h->target) < 0 && errno != ENOENT)
		leave(h, "place");
	leave(h, NULL);
}

static void __attribute__((noreturn)) helper_main(struct helper *h)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		leave(h, "parent-death signal");
	if (h->user_namespace)
		enter(h, CLONE_NEWUSER, "user namespace");
	if (h->source)
		show(h);
	hide(h);
}

/* Signals stay blocked in the helper, which has copies of this process's handlers. */
static int run_helper(struct helper *h, struct err *e)
{
	sigset_t all, old;
	pid_t pid;
	int r, status, saved;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fault("spawn_confined_show") ? -1 : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		helper_main(h);
	saved = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		errno = saved;
		return err_sys(e, "cannot start a helper");
	}
	do {
		r = waitpid(pid, &status, 0);
	} while (r < 0 && errno == EINTR);
	if (h->failed) {
		errno = h->error;
		return err_sys(e, "cannot change what a confined process sees (%s)", h->failed);
	}
	if (r != pid || status != 0)
		return err_set(e, ERR_SYSTEM, "the helper for a confined process was killed");
	return 0;
}

static int with_helper(const struct helper *how, struct err *e)
{
	struct helper *h = mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (h == MAP_FAILED)
		return err_sys(e, "cannot start a helper");
	*h = *how;
	r = run_helper(h, e);
	munmap(h, sizeof(*h));
	return r;
}

int spawn_confined_show(const struct proc *p, bool user_namespace, const struct confine_path *path,
			struct err *e)
{
	const struct helper how = {
		.pidfd = p->pidfd,
		.user_namespace = user_namespace,
		.source = path->source,
		.target = path->target,
		.readonly = !(path->access & CONFINE_MAY_WRITE),
	};

	return with_helper(&how, e);
}

int spawn_confined_hide(const struct proc *p, bool user_namespace, const char *target,
			struct err *e)
{
	const struct helper how = {
		.pidfd = p->pidfd,
		.user_namespace = user_namespace,
		.target = target,
	};

	return with_helper(&how, e);
}
