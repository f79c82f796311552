/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/disk.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/strv.h"

#define MIB ((int64_t)1 << 20)
/* Changes whenever the options below do, so that an old template is not taken for a new one. */
#define TEMPLATE_VERSION   2
#define TEMPLATE_NAME_SIZE 64
#define CHILD_FILE_FD	   3

/*
 * Named one by one, so that neither the host's mke2fs.conf nor its version has a say: the
 * guest's kernel has to know them all.
 *
 * Every start copies what is written here, so it is little and in few places: no resize_inode, since these
 * disks do not grow (of 64 GiB, 4.8 MiB would be written with it and 0.7 without); the tables of all groups
 * together at the beginning and one copy of the superblock (0.15 MiB in 5 places instead of 49). The groups
 * after that have nothing in them that a guest would have to read. Groups are 4 to a flex: who looks for a first free
 * block makes the bitmaps of a whole one, and of 16 that was a twelfth of all that a start executes in the guest.
 */
#define FEATURES                                                                           \
	"none,has_journal,ext_attr,dir_index,filetype,extent,64bit,flex_bg,sparse_super2," \
	"large_file,huge_file,dir_nlink,extra_isize,metadata_csum"
#define LAYOUT                                           \
	"lazy_itable_init=0,assume_storage_prezeroed=1," \
	"packed_meta_blocks=1,num_backup_sb=1,hash_seed=" FS_UUID
/* The same in every template: each disk is seen by one VM only, and equal inputs give equal
 * files. */
#define FS_UUID "6b76626f-7800-4000-8000-000000000001"

static int round_size(int64_t size, int64_t *ret, struct err *e)
{
	if (size == 0)
		size = DISK_SIZE_DEFAULT;
	if (size < DISK_SIZE_MIN || size > DISK_SIZE_MAX)
		return err_set(e, ERR_INVALID, "disk size %lld is not between %lld and %lld bytes",
			       (long long)size, (long long)DISK_SIZE_MIN, (long long)DISK_SIZE_MAX);
	*ret = (size + MIB - 1) / MIB * MIB;
	return 0;
}

static void template_name(int64_t size, char ret[TEMPLATE_NAME_SIZE])
{
	snprintf(ret, TEMPLATE_NAME_SIZE, "empty-%lldm.%d.ext4", (long long)(size / MIB),
		 TEMPLATE_VERSION);
}

/* sbin is not in a plain user's PATH. */
static const char *find_mke2fs(void)
{
	static const char *const places[] = { "/usr/sbin/mke2fs", "/sbin/mke2fs" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (file_exists(AT_FDCWD, places[i]))
			return places[i];
	}
	return "mke2fs";
}

/* What the child wrote, on one line, for the error message. */
static void read_complaint(int fd, struct str *ret)
{
	struct err ignored = ERR_INIT;
	char buf[400];
	ssize_t n = fd_pread_full(fd, buf, sizeof(buf), 0, &ignored);

	while (n > 0 && buf[n - 1] == '\n')
		n--;
	for (ssize_t i = 0; i < n; i++)
		str_addc(ret, buf[i] == '\n' ? ' ' : buf[i]);
}

/* The journal: 32 MiB, less on a small disk, never below the 1024 blocks that ext4 asks for. */
static int64_t journal_mib(int64_t size)
{
	int64_t mib = size / MIB / 16;

	return mib < 4 ? 4 : mib > 32 ? 32 : mib;
}

static int run_mke2fs(int fd, int64_t size, struct err *e)
{
	auto_strv struct strv args = STRV_INIT;
	auto_close int errors = -1;
	auto_str struct str complaint = STR_INIT(400);
	/* Time of day is an input, too. */
	char *const env[] = { (char[]){ "E2FSPROGS_FAKE_TIME=1700000000" },
			      (char[]){ "MKE2FS_CONFIG=/dev/null" }, NULL };
	struct proc proc = PROC_INIT;
	int status = 0;

	if (fd_memfd("mke2fs", &errors, e) < 0)
		return -1;
	strv_add(&args, "mke2fs");
	strv_split(&args,
		   "-q -F -t ext4 -b 4096 -I 256 -i 16384 -m 0 -G 4 -O " FEATURES " -U " FS_UUID,
		   ' ');
	strv_add(&args, "-E");
	strv_add(&args, LAYOUT);
	strv_add(&args, "-J");
	strv_addf(&args, "size=%lld", (long long)journal_mib(size));
	strv_addf(&args, "/proc/self/fd/%d", CHILD_FILE_FD);

	const struct spawn_fd fds[] = { { errors, STDOUT_FILENO },
					{ errors, STDERR_FILENO },
					{ fd, CHILD_FILE_FD } };
	const struct spawn s = { .path = find_mke2fs(),
				 .argv = strv_args(&args),
				 .envp = env,
				 .fds = fds,
				 .nfds = ARRAY_LEN(fds),
				 .cwd = -1,
				 .cgroup = -1,
				 .die_with_parent = true };

	if (spawn_start(&s, &proc, e) < 0)
		return err_wrap(e, "cannot run mke2fs (package e2fsprogs)");
	if (spawn_wait(&proc, &status, e) < 0)
		return -1;
	if (status == 0)
		return 0;
	read_complaint(errors, &complaint);
	return err_set(e, ERR_SYSTEM, "mke2fs failed with %d: %s", status, complaint.buf);
}

/* `name` comes to be complete and on the disk, or not at all. */
static int make_template(int dirfd, const char *name, int64_t size, struct err *e)
{
	auto_close int fd = -1;
	struct err why = ERR_INIT;

	if (fd_open_tmp(dirfd, 0600, &fd, e) < 0)
		return -1;
	if (fault("disk.truncate") || ftruncate(fd, size) < 0)
		return err_sys(e, "cannot make a file of %lld bytes", (long long)size);
	if (run_mke2fs(fd, size, e) < 0 || fd_sync(fd, e) < 0)
		return -1;
	if (fd_link(fd, dirfd, name, &why) < 0)
		/* Somebody else was quicker; theirs is the same. */
		return why.kind == ERR_CONFLICT ? 0 : err_move(e, &why);
	return dir_sync(dirfd, e);
}

static int open_template(const struct paths *p, int64_t size, int *ret, struct err *e)
{
	auto_close int dir = -1;
	char name[TEMPLATE_NAME_SIZE];
	struct err why = ERR_INIT;

	template_name(size, name);
	if (fd_open_dir(p->root_fd, DIR_TEMPLATES, &dir, e) < 0)
		return -1;
	if (fd_open(dir, name, O_RDONLY, 0, ret, &why) == 0)
		return 0;
	if (why.kind != ERR_NOT_FOUND)
		return err_move(e, &why);
	if (make_template(dir, name, size, e) < 0)
		return err_wrap(e, "cannot prepare an empty disk");
	return fd_open(dir, name, O_RDONLY, 0, ret, e);
}

int disk_prepare(const struct paths *p, int64_t size, struct err *e)
{
	auto_close int fd = -1;

	if (round_size(size, &size, e) < 0)
		return -1;
	return open_template(p, size, &fd, e);
}

int disk_create(const struct paths *p, const char *id, int64_t size, bool durable, struct err *e)
{
	auto_close int from = -1;
	auto_close int to = -1;
	char path[PATH_NAME_SIZE];

	if (round_size(size, &size, e) < 0 || open_template(p, size, &from, e) < 0)
		return -1;
	if (fd_open(p->root_fd, path_container(id, DISK_FILE, path), O_RDWR | O_CREAT | O_EXCL,
		    0600, &to, e) < 0)
		return -1;
	if (fd_copy_sparse(from, to, e) < 0 || (durable && fd_sync(to, e) < 0))
		return err_wrap(e, "cannot make the disk of container '%.12s'", id);
	return 0;
}

int64_t disk_written(const struct paths *p, const char *id)
{
	char path[PATH_NAME_SIZE], empty[PATH_NAME_SIZE], name[TEMPLATE_NAME_SIZE];
	struct stat disk, template;
	int64_t blocks;

	if (fstatat(p->root_fd, path_container(id, DISK_FILE, path), &disk, 0) < 0)
		return 0;
	template_name(disk.st_size, name);
	snprintf(empty, sizeof(empty), DIR_TEMPLATES "/%s", name);
	blocks = disk.st_blocks;
	if (fstatat(p->root_fd, empty, &template, 0) == 0)
		blocks -= template.st_blocks;
	return blocks > 0 ? blocks * 512 : 0;
}
