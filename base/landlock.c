/* SPDX-License-Identifier: Apache-2.0 */
/* Rights are named here as far as ABI 7 goes: the headers of a build machine may be older than the kernel
 * that the program meets. */
#include "base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/spawn_confined.h"

#define FS_EXECUTE     (UINT64_C(1) << 0)
#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_MAKE_SOCK   (UINT64_C(1) << 9)
#define FS_ABI_1       ((UINT64_C(1) << 13) - 1)
#define FS_REFER       (UINT64_C(1) << 13) /* ABI 2 */
#define FS_TRUNCATE    (UINT64_C(1) << 14) /* ABI 3 */
#define FS_IOCTL_DEV   (UINT64_C(1) << 15) /* ABI 5 */
#define NET_ALL	       UINT64_C(3)	   /* ABI 4: bind and connect */
#define SCOPE_ALL      UINT64_C(3)	   /* ABI 6: abstract Unix sockets, signals */

/* Grown with the ABI; the size that is passed tells which members are meant. */
struct ruleset_attr {
	uint64_t fs, net, scope;
};

static uint64_t all_rights(int abi)
{
	return FS_ABI_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
	       (abi >= 5 ? FS_IOCTL_DEV : 0);
}

int landlock_ruleset(int *abi)
{
	struct ruleset_attr attr = { 0 };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	size_t size;

	if (version < 0)
		return -1;
	*abi = (int)version;
	attr.fs = all_rights(*abi);
	attr.net = NET_ALL;
	attr.scope = SCOPE_ALL;
	size = *abi >= 6 ? 24 : *abi >= 4 ? 16 : 8;
	return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

static uint64_t rights(unsigned access, int folder)
{
	uint64_t fs = 0;

	if (access & CONFINE_MAY_READ)
		fs |= FS_READ_FILE | (folder ? FS_READ_DIR : 0);
	if (access & CONFINE_MAY_LIST)
		fs |= FS_READ_DIR;
	if (access & CONFINE_MAY_WRITE)
		fs |= FS_WRITE_FILE | FS_TRUNCATE;
	if (access & CONFINE_MAY_EXEC)
		fs |= FS_EXECUTE;
	if (access & CONFINE_IS_DEVICE)
		fs |= FS_IOCTL_DEV;
	if (folder && access & CONFINE_MAY_CREATE)
		fs |= FS_MAKE_REG | FS_MAKE_SOCK | FS_REMOVE_FILE;
	return fs;
}

int landlock_allow(int ruleset, int abi, const char *path, unsigned access)
{
	struct landlock_path_beneath_attr rule = { 0 };
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC), r, saved;

	if (fd < 0)
		return access & CONFINE_OPTIONAL && errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) < 0)
		st.st_mode = 0;
	rule.parent_fd = fd;
	rule.allowed_access = rights(access, S_ISDIR(st.st_mode)) & all_rights(abi);
	r = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

int landlock_enforce(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
