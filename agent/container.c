/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container.h"

#include <errno.h>
#include <linux/fs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/boot.h"
#include "agent/cgroup.h"
#include "agent/devices.h"
#include "agent/disk.h"
#include "agent/init.h"
#include "agent/mounts.h"
#include "agent/root.h"
#include "agent/upper.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define CONTAINERS "/c/"
/* Where container_prepare puts a /dev for the first container. */
#define SPARE_DEV CONTAINERS "dev"
/* Digits of the id in a container's folder. */
#define CONTAINER_ID_SHORT 12
/* Bytes of an image that are read at a time. */
#define IMAGE_READ_AHEAD 524288ul

void container_setup_release(struct container_setup *s)
{
	free(s->id);
	free(s->hostname);
	free(s->joined);
	free(s->chain);
	strv_release(&s->layers);
	free(s->upper);
	free(s->domainname);
	cgroup_limits_release(&s->limits);
	strv_release(&s->hosts);
	strv_release(&s->resolv_conf);
	strv_release(&s->tmpfs);
	strv_release(&s->devices);
	strv_release(&s->masked);
	strv_release(&s->readonly_paths);
	strv_release(&s->sysctls);
	*s = (struct container_setup){ 0 };
}

void container_free(struct container *c)
{
	if (!c)
		return;
	container_setup_release(&c->setup);
	strv_release(&c->disks);
	fd_close(c->cgroup);
	fd_close(c->pts);
	fd_close(c->main_pidfd);
	free(c);
}

/* ---- before the first request ---------------------------------------------------------------- */

static int loopback_up(struct err *e)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "cannot create a socket");
	/* The kernel adds 127.0.0.1 and ::1 by itself. */
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_sys(e, "cannot bring the loopback interface up");
	return 0;
}

static int set_sysctl(const char *path, const char *value, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(AT_FDCWD, path, O_WRONLY, 0, &fd, e) < 0)
		return -1;
	return fd_write_full(fd, value, strlen(value), e);
}

int container_prepare(struct err *e)
{
	if (mkdir("/c", 0700) < 0)
		return err_sys(e, "cannot create '/c'");
	if (devices_make(SPARE_DEV, e) < 0 || cgroup_prepare(e) < 0 || loopback_up(e) < 0)
		return -1;
	/* As Docker: any user may listen on port 80, and ping. */
	if (set_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", e) < 0 ||
	    set_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 2147483647", e) < 0)
		return -1;
	return 0;
}

/* ---- disks ----------------------------------------------------------------------------------- */

/* The devices of one container; `options` is for EROFS. */
struct disks {
	char image[DISK_PATH_SIZE];
	char upper[DISK_PATH_SIZE];
	struct str options;
	struct strv names; /* of all of them, for what they have read and written */
};

static void add_name(struct disks *d, const char *path)
{
	strv_add(&d->names, path + strlen("/dev/"));
}

static int find_disks(const struct container_setup *s, struct disks *d, struct err *e)
{
	auto_disk_list struct disk_list disks = { -1, STRV_INIT, STRV_INIT };
	auto_close int block = -1;

	if (fd_open_dir(AT_FDCWD, "/sys/block", &block, e) < 0 ||
	    disk_list_init(block, &disks, e) < 0)
		return -1;
	if (disk_find(&disks, s->joined ? s->joined : s->chain, d->image, e) < 0 ||
	    disk_find(&disks, s->upper, d->upper, e) < 0)
		return -1;
	add_name(d, d->image);
	add_name(d, d->upper);
	for (size_t i = 0; !s->joined && i < s->layers.n; i++) {
		char path[DISK_PATH_SIZE];

		if (disk_find(&disks, s->layers.v[i], path, e) < 0)
			return -1;
		str_add(&d->options, d->options.len ? ",device=" : "device=");
		str_add(&d->options, path);
		add_name(d, path);
	}
	return 0;
}

/*
 * Programs are read from the image where they are touched first, and a request costs more than its bytes: a
 * start of busybox takes 15 requests instead of 26. What erofs reads at a time is the first disk's to say,
 * whatever disks there are.
 */
static void read_in_large_pieces(const char *device)
{
	struct err none = ERR_INIT;
	auto_close int fd = -1;

	/* A smaller piece is no error. */
	if (fd_open(AT_FDCWD, device, O_RDONLY, 0, &fd, &none) == 0)
		ioctl(fd, BLKRASET, IMAGE_READ_AHEAD / 512);
}

/* ---- mounting -------------------------------------------------------------------------------- */

/* Works in the container's folder. */
static int mount_root(const struct container_setup *s, const struct disks *d, struct err *e)
{
	static const char *const folders[] = { "layers", "upper", "root", "files" };
	/* Explicit, since kernels differ and the writable disk outlives them. */
	static const char options[] = "lowerdir=layers,upperdir=upper/data,workdir=upper/work,"
				      "index=off,redirect_dir=on,metacopy=off";
	auto_free char *all = xconcat(options, s->is_volatile ? ",volatile" : NULL, NULL);
	/* Nobody looks at the ID of this file system, and the upper one keeps it as an attribute. */
	auto_free char *without_id = xconcat(all, ",uuid=null", NULL);

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (mkdir(folders[i], 0755) < 0)
			return err_sys(e, "cannot create '%s'", folders[i]);
	}
	read_in_large_pieces(d->image);
	if (mount(d->image, "layers", "erofs", MS_RDONLY, d->options.buf) < 0)
		return err_sys(e, "cannot mount the image");
	if (upper_mount(d->upper, s->is_volatile, e) < 0)
		return -1;
	/* Linux 6.6 */
	if (mount("overlay", "root", "overlay", 0, without_id) < 0 &&
	    (errno != EINVAL || mount("overlay", "root", "overlay", 0, all) < 0))
		return err_sys(e, "cannot mount the root file system");
	return 0;
}

/* Moves the mount at `source` to a place in the root, a folder. */
static int move_to_root(int rootfd, const char *source, const char *path, struct err *e)
{
	auto_close int at = -1;

	if (root_make(rootfd, path, false, &at, e) < 0)
		return -1;
	if (move_mount(AT_FDCWD, source, at, "", MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "cannot mount '%s'", path);
	return 0;
}

/* The file `source` is what is seen at a place in the root. */
static int bind_to_root(int rootfd, const char *source, const char *path, bool read_only,
			struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_close int at = -1, tree = -1;

	if (root_make(rootfd, path, true, &at, e) < 0)
		return -1;
	tree = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 ||
	    (read_only && mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) ||
	    move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "cannot mount '%s'", path);
	return 0;
}

static int write_lines(const char *name, const char *first, const struct strv *lines, struct err *e)
{
	auto_str struct str text = STR_INIT(STR_HUGE);
	auto_close int fd = -1;

	str_add(&text, first);
	for (size_t i = 0; lines && i < lines->n; i++) {
		str_add(&text, lines->v[i]);
		str_addc(&text, '\n');
	}
	if (fd_open(AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL, 0644, &fd, e) < 0)
		return -1;
	return fd_write_full(fd, text.buf, text.len, e);
}

/* /etc/hosts, /etc/hostname and /etc/resolv.conf, as Docker writes them. */
static int mount_files(const struct container_setup *s, int rootfd, struct err *e)
{
	static const char hosts[] = "127.0.0.1\tlocalhost\n"
				    "::1\tlocalhost ip6-localhost ip6-loopback\n"
				    "fe00::\tip6-localnet\n"
				    "ff00::\tip6-mcastprefix\n"
				    "ff02::1\tip6-allnodes\n"
				    "ff02::2\tip6-allrouters\n";
	static const struct {
		const char *source, *path;
	} files[] = {
		{ "files/hosts", "/etc/hosts" },
		{ "files/hostname", "/etc/hostname" },
		{ "files/resolv.conf", "/etc/resolv.conf" },
	};
	auto_free char *hostname = xconcat(s->hostname, "\n", NULL);

	if (write_lines(files[0].source, hosts, &s->hosts, e) < 0 ||
	    write_lines(files[1].source, hostname, NULL, e) < 0 ||
	    write_lines(files[2].source, "", &s->resolv_conf, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (bind_to_root(rootfd, files[i].source, files[i].path, s->read_only, e) < 0)
			return -1;
	}
	return 0;
}

/* Places for what only the first process can mount, inside its namespaces. */
static int make_places(int rootfd, struct err *e)
{
	static const char *const places[] = { "/proc", "/sys" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		auto_close int fd = -1;

		if (root_make(rootfd, places[i], false, &fd, e) < 0)
			return -1;
	}
	return 0;
}

/* /dev as a whole. */
static int mount_dev(struct container *c, int rootfd, struct err *e)
{
	const char *source = SPARE_DEV;

	/* The spare one is used up when this is not the first container. */
	if (!file_exists(AT_FDCWD, SPARE_DEV "/null")) {
		source = "dev";
		if (devices_make(source, e) < 0 || chdir(c->dir) < 0)
			return err_is_set(e) ? -1 : err_sys(e, "cannot enter '%s'", c->dir);
	}
	if (move_to_root(rootfd, source, "/dev", e) < 0)
		return -1;
	return fd_open_in_root(rootfd, "/dev/pts", O_PATH | O_DIRECTORY, &c->pts, e);
}

static int add_devices(const struct container_setup *s, int rootfd, struct err *e)
{
	auto_close int shm = -1;

	if (s->shm_size > 0 &&
	    (fd_open_in_root(rootfd, "/dev/shm", O_PATH | O_DIRECTORY, &shm, e) < 0 ||
	     devices_size_shm(shm, s->shm_size, e) < 0))
		return -1;
	if (s->privileged && devices_add_all(rootfd, e) < 0)
		return -1;
	for (size_t i = 0; i < s->devices.n; i++) {
		if (devices_add(rootfd, s->devices.v[i], e) < 0)
			return -1;
	}
	return 0;
}

/* This program, which is a container's init when it is called by that name (init.h). */
static int mount_init(int rootfd, struct err *e)
{
	return bind_to_root(rootfd, "/proc/self/exe", INIT_PATH, true, e);
}

static int make_in_folder(const struct container_setup *s, const struct disks *d,
			  struct container *c, struct err *e)
{
	auto_close int rootfd = -1;

	if (mount_root(s, d, e) < 0 || fd_open_dir(AT_FDCWD, "root", &rootfd, e) < 0)
		return -1;
	c->mounted_us = boot_us();
	if (make_places(rootfd, e) < 0 || mount_dev(c, rootfd, e) < 0 ||
	    add_devices(s, rootfd, e) < 0 || mount_files(s, rootfd, e) < 0)
		return -1;
	if (s->init && mount_init(rootfd, e) < 0)
		return -1;
	if (cgroup_make(c->dir + strlen(CONTAINERS), &s->limits, &c->cgroup, e) < 0)
		return -1;
	/* Of the VM as a whole it may not be 0 any more. */
	c->oom_kills = cgroup_oom_kills(c->cgroup);
	return 0;
}

int container_make(struct container_setup *s, struct container **ret, struct err *e)
{
	struct disks d = { .options = STR_INIT(CONTAINER_LAYERS_MAX * DISK_PATH_SIZE),
			   .names = STRV_INIT };
	struct container *c = xcalloc(1, sizeof(*c));
	int r;

	c->cgroup = c->pts = c->main_pidfd = -1;
	memcpy(c->id, s->id, CONTAINER_ID_SIZE);
	memcpy(c->dir, CONTAINERS, strlen(CONTAINERS));
	memcpy(c->dir + strlen(CONTAINERS), s->id, CONTAINER_ID_SHORT);
	r = find_disks(s, &d, e);
	if (r == 0 && (mkdir(c->dir, 0755) < 0 || chdir(c->dir) < 0))
		r = err_sys(e, "cannot create '%s'", c->dir);
	if (r == 0) {
		r = make_in_folder(s, &d, c, e);
		/* ERR_NOT_FOUND is kept for disks. */
		if (r < 0)
			e->kind = e->kind == ERR_NOT_FOUND ? ERR_SYSTEM : e->kind;
		if (chdir("/") < 0 && r == 0)
			r = err_sys(e, "cannot enter '/'");
	}
	str_release(&d.options);
	c->disks = d.names;
	if (r < 0) {
		container_free(c);
		return -1;
	}
	c->setup = *s;
	*s = (struct container_setup){ 0 };
	*ret = c;
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

int container_unmount(const struct container *c, bool trim, struct err *e)
{
	auto_free char *root = xconcat(c->dir, "/root", NULL),
		       *upper = xconcat(c->dir, "/upper", NULL);

	if (trim)
		upper_trim(upper);
	/* With all that is mounted in it; no process is left that could hold any of it. */
	if (umount2(root, MNT_DETACH) < 0)
		return err_sys(e, "cannot unmount '%s'", root);
	if (umount2(upper, 0) < 0) {
		/* Whatever holds it: what was written is on the disk, its journal does the rest. */
		sync();
		return err_sys(e, "cannot unmount '%s'", upper);
	}
	return 0;
}
