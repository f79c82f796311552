/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

/* Every folder that code below may take for granted once the root was made. */
static const char *const root_folders[] = {
	DIR_BLOBS, DIR_LAYERS, DIR_CHAINS, DIR_CONTAINERS, DIR_VOLUMES, DIR_TEMPLATES, DIR_TMP,
};

/* Closed to all others, as layers are readable for all: a VMM has a user of its own, and what it needs is
 * mounted where it is (vmm/confine.h). */
#define FOLDER_MODE 0700

/* The variable's value, or NULL when it is unset, empty or (as XDG demands) not absolute. */
static const char *env_folder(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] == '/' ? v : NULL;
}

static char *default_root(struct err *e)
{
	const char *v;

	if (geteuid() == 0)
		return xstrdup("/var/lib/kvbox");
	v = env_folder("XDG_DATA_HOME");
	if (v)
		return xasprintf("%s/kvbox", v);
	v = env_folder("HOME");
	if (v)
		return xasprintf("%s/.local/share/kvbox", v);
	err_set(e, ERR_INVALID, "cannot tell where to keep data: HOME is not set (use --root)");
	return NULL;
}

static char *default_runroot(void)
{
	const char *v;
	auto_free char *user = NULL;

	if (geteuid() == 0)
		return xstrdup("/run/kvbox");
	v = env_folder("XDG_RUNTIME_DIR");
	if (v)
		return xasprintf("%s/kvbox", v);
	user = xasprintf("/run/user/%u", (unsigned)geteuid());
	if (access(user, W_OK) == 0)
		return xasprintf("%s/kvbox", user);
	/* Anybody could have made this one: open_top checks whose it is. */
	return xasprintf("/tmp/kvbox-%u", (unsigned)geteuid());
}

/* Absolute, since monitors have another working directory than the command that names the
 * folder. */
static char *absolute(const char *path, struct err *e)
{
	auto_free char *cwd = NULL;

	if (path[0] == '/')
		return xstrdup(path);
	cwd = getcwd(NULL, 0);
	if (!cwd) {
		err_sys(e, "cannot tell the current folder");
		return NULL;
	}
	return xasprintf("%s/%s", cwd, path);
}

static char *choose(const char *option, const char *variable, struct err *e)
{
	const char *v = option && option[0] ? option : getenv(variable);

	return v && v[0] ? absolute(v, e) : NULL;
}

/* Opens one of the two folders; a missing one gives -1 in *ret. */
static int open_top(const char *path, int *ret, struct err *e)
{
	auto_close int fd = -1;
	struct err why = ERR_INIT;
	struct stat st;

	if (fd_open_dir(AT_FDCWD, path, &fd, &why) < 0)
		return why.kind == ERR_NOT_FOUND ? 0 : err_move(e, &why);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at '%s'", path);
	/* In a folder of somebody else's, others could put locks and sockets in our way. */
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_DENIED, "'%s' belongs to somebody else", path);
	*ret = take_fd(&fd);
	return 0;
}

static int make_top(const char *path, int *fd, struct err *e)
{
	if (*fd >= 0)
		return 0;
	if (dir_make(AT_FDCWD, path, FOLDER_MODE, e) < 0)
		return -1;
	if (open_top(path, fd, e) < 0)
		return -1;
	if (*fd < 0)
		return err_set(e, ERR_NOT_FOUND, "'%s' was removed again", path);
	return 0;
}

int paths_make(struct paths *p, struct err *e)
{
	if (make_top(p->runroot, &p->run_fd, e) < 0 || make_top(p->root, &p->root_fd, e) < 0)
		return -1;
	/* The last one is there: so are the others. */
	if (file_exists(p->root_fd, root_folders[ARRAY_LEN(root_folders) - 1]))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(root_folders); i++) {
		if (dir_make(p->root_fd, root_folders[i], FOLDER_MODE, e) < 0)
			return err_wrap(e, "cannot prepare '%s'", p->root);
	}
	return 0;
}

int paths_open(const char *root, const char *runroot, bool create, struct paths *ret, struct err *e)
{
	auto_paths struct paths p = PATHS_INIT;

	p.root = choose(root, "KVBOX_ROOT", e);
	if (!p.root && !err_is_set(e))
		p.root = default_root(e);
	if (!p.root)
		return -1;
	p.runroot = choose(runroot, "KVBOX_RUNROOT", e);
	if (!p.runroot && !err_is_set(e))
		p.runroot = default_runroot();
	if (!p.runroot)
		return -1;
	if (open_top(p.root, &p.root_fd, e) < 0 || open_top(p.runroot, &p.run_fd, e) < 0)
		return -1;
	if (create && paths_make(&p, e) < 0)
		return -1;
	*ret = p;
	p = (struct paths)PATHS_INIT;
	return 0;
}

void paths_release(struct paths *p)
{
	free(p->root);
	free(p->runroot);
	fd_close(p->root_fd);
	fd_close(p->run_fd);
	*p = (struct paths)PATHS_INIT;
}

const char *path_blob(const char *digest, char buf[PATH_NAME_SIZE])
{
	snprintf(buf, PATH_NAME_SIZE, DIR_BLOBS "/%.64s", digest_hex(digest));
	return buf;
}

const char *path_layer(const char *diffid, char buf[PATH_NAME_SIZE])
{
	snprintf(buf, PATH_NAME_SIZE, DIR_LAYERS "/%.64s.%d.erofs", digest_hex(diffid),
		 LAYER_WRITER_VERSION);
	return buf;
}

const char *path_chain(const char *chainid, char buf[PATH_NAME_SIZE])
{
	snprintf(buf, PATH_NAME_SIZE, DIR_CHAINS "/%.64s.%d.erofs", digest_hex(chainid),
		 LAYER_WRITER_VERSION);
	return buf;
}

const char *path_container(const char *id, const char *file, char buf[PATH_NAME_SIZE])
{
	snprintf(buf, PATH_NAME_SIZE, DIR_CONTAINERS "/%.64s%s%.64s", id, file ? "/" : "",
		 file ? file : "");
	return buf;
}

char *paths_absolute(const struct paths *p, const char *name)
{
	return xasprintf("%s/%s", p->root, name);
}
