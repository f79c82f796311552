/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container.h"

#include <errno.h>
#include <linux/fs.h>
#include <net/if.h>
#include <stdio.h>
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
#include "base/fd.h"
#include "base/mem.h"

/* Where container_prepare puts a /dev for the first container. */
#define SPARE_DEV "/c/dev"
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
		str_addf(&d->options, "%sdevice=%s", d->options.len ? "," : "", path);
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

/*
 * The upper folder's attributes are those of the container's root folder: at first the image's. It
 * gets its name when it has them, so that a VM that is killed in between leaves nothing half done.
 */
static int make_overlay_folders(struct err *e)
{
	struct stat st;

	if (mkdir("upper/work", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create a folder on the writable disk");
	if (stat("upper/data", &st) == 0)
		return 0;
	if (mkdir("upper/new", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create a folder on the writable disk");
	if (stat("layers", &st) < 0 || chown("upper/new", st.st_uid, st.st_gid) < 0 ||
	    chmod("upper/new", st.st_mode & 07777) < 0)
		return err_sys(e, "cannot copy the attributes of the root folder");
	if (rename("upper/new", "upper/data") < 0)
		return err_sys(e, "cannot rename a folder on the writable disk");
	return 0;
}

/*
 * Without a journal and barriers where nothing has to survive. A disk whose journal is not empty
 * (its last VM died) cannot be had without it.
 */
static int mount_upper(const char *device, bool is_volatile, struct err *e)
{
	if (is_volatile && mount(device, "upper", "ext4", 0, "noload,barrier=0,noinit_itable") == 0)
		return 0;
	if (mount(device, "upper", "ext4", 0,
		  is_volatile ? "barrier=0,noinit_itable" : "noinit_itable") < 0)
		return err_sys(e, "cannot mount the writable disk");
	return 0;
}

/* Overlay's mark of a volatile mount, which refuses the next one. It stays when the container was restarted
 * (the monitor starts none again whose disk was not unmounted). */
static void forget_volatile(void)
{
	unlink("upper/work/work/incompat/volatile/dirty");
	rmdir("upper/work/work/incompat/volatile");
	rmdir("upper/work/work/incompat");
}

/* Works in the container's folder. */
static int mount_root(const struct container_setup *s, const struct disks *d, struct err *e)
{
	static const char *const folders[] = { "layers", "upper", "root", "files" };
	/* Explicit, since kernels differ and the writable disk outlives them. */
	auto_free char *options = xasprintf(
		"lowerdir=layers,upperdir=upper/data,workdir=upper/work,"
		"index=off,redirect_dir=on,metacopy=off%s",
		s->is_volatile ? ",volatile" : "");

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (mkdir(folders[i], 0755) < 0)
			return err_sys(e, "cannot create '%s'", folders[i]);
	}
	read_in_large_pieces(d->image);
	if (mount(d->image, "layers", "erofs", MS_RDONLY, d->options.buf) < 0)
		return err_sys(e, "cannot mount the image");
	if (mount_upper(d->upper, s->is_volatile, e) < 0 || make_overlay_folders(e) < 0)
		return -1;
	if (s->is_volatile)
		forget_volatile();
	if (mount("overlay", "root", "overlay", 0, options) < 0)
		return err_sys(e, "cannot mount the root file system");
	return 0;
}

/* Mounts (bind or move) `source` on a place in the root. A bind mount can be read-only. */
struct place {
	const char *source, *path;
	bool file, read_only;
	unsigned long flags;
};

static int mount_in_root(int rootfd, const struct place *p, struct err *e)
{
	auto_close int at = -1, mounted = -1;
	char target[32];

	if (root_make(rootfd, p->path, p->file, &at, e) < 0)
		return -1;
	snprintf(target, sizeof(target), "/proc/self/fd/%d", at);
	if (mount(p->source, target, NULL, p->flags, NULL) < 0)
		return err_sys(e, "cannot mount '%s'", p->path);
	if (!p->read_only)
		return 0;
	/* The place as it is seen now, which is the mount. */
	if (root_make(rootfd, p->path, p->file, &mounted, e) < 0)
		return -1;
	snprintf(target, sizeof(target), "/proc/self/fd/%d", mounted);
	return mounts_make_read_only(target, e);
}

static int write_lines(const char *name, const char *first, const struct strv *lines, struct err *e)
{
	auto_str struct str text = STR_INIT(STR_HUGE);
	auto_close int fd = -1;

	str_add(&text, first);
	for (size_t i = 0; lines && i < lines->n; i++)
		str_addf(&text, "%s\n", lines->v[i]);
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
	static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
	auto_free char *hostname = xasprintf("%s\n", s->hostname);

	if (write_lines("files/hosts", hosts, &s->hosts, e) < 0 ||
	    write_lines("files/hostname", hostname, NULL, e) < 0 ||
	    write_lines("files/resolv.conf", "", &s->resolv_conf, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *source = xasprintf("files/%s", names[i]);
		auto_free char *path = xasprintf("/etc/%s", names[i]);
		struct place p = { source, path, true, s->read_only, MS_BIND };

		if (mount_in_root(rootfd, &p, e) < 0)
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
	struct place p = { SPARE_DEV, "/dev", false, false, MS_MOVE };

	/* The spare one is used up when this is not the first container. */
	if (rmdir(SPARE_DEV) == 0 || errno == ENOENT) {
		p.source = "dev";
		if (devices_make(p.source, e) < 0 || chdir(c->dir) < 0)
			return err_is_set(e) ? -1 : err_sys(e, "cannot enter '%s'", c->dir);
	}
	if (mount_in_root(rootfd, &p, e) < 0)
		return -1;
	rmdir(p.source);
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
	static const struct place p = { "/proc/self/exe", INIT_PATH, true, true, MS_BIND };

	return mount_in_root(rootfd, &p, e);
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
	if (cgroup_make(c->dir + strlen("/c/"), &s->limits, &c->cgroup, e) < 0)
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
	snprintf(c->dir, sizeof(c->dir), "/c/%.12s", s->id);
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

static void trim_disk(const char *path)
{
	struct fstrim_range range = { .start = 0, .len = UINT64_MAX, .minlen = 0 };
	struct err none = ERR_INIT;
	auto_close int fd = -1;

	/* Deleted blocks are free once the journal says so. A disk without discard is no error. */
	if (fd_open_dir(AT_FDCWD, path, &fd, &none) == 0 && syncfs(fd) == 0)
		ioctl(fd, FITRIM, &range);
}

int container_unmount(const struct container *c, bool trim, struct err *e)
{
	auto_free char *root = xasprintf("%s/root", c->dir), *upper = xasprintf("%s/upper", c->dir);

	if (trim)
		trim_disk(upper);
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
