/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that nearly every container has, remembered in the run root: loading libseccomp and asking it for a
 * thousand numbers is a third of all that a monitor does until its container runs.
 *
 * The file has a header and the program. A header that is not what this program would write, or that does not
 * belong to what follows it (a power cut), is as good as no file. A libseccomp that is replaced by another is noticed
 * with the next boot, or the next kvbox.
 */
#include "engine/seccomp.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "engine/capability.h"

#define MEMORY_FILE "seccomp"

struct header {
	char magic[16];
	/* Of the file of this program, whose tables they are. */
	uint64_t device, inode, size;
	int64_t changed[2];
	uint64_t sum; /* of the program */
};

/* FNV-1a: against accidents, not against anybody. */
static uint64_t sum(const char *p, size_t n)
{
	uint64_t r = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		r = (r ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
	return r;
}

static bool describe(const char *program, size_t n, struct header *ret)
{
	struct stat st;

	/* Its bytes are compared. */
	memset(ret, 0, sizeof(*ret));
	if (stat("/proc/self/exe", &st) < 0)
		return false;
	memcpy(ret->magic, "kvbox-seccomp-1", sizeof(ret->magic));
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->size = (uint64_t)st.st_size;
	ret->changed[0] = st.st_ctim.tv_sec;
	ret->changed[1] = st.st_ctim.tv_nsec;
	ret->sum = sum(program, n);
	return true;
}

static bool recall(int run_fd, struct str *ret)
{
	auto_str struct str text = STR_INIT(sizeof(struct header) + SECCOMP_FILTER_MAX);
	struct err ignored = ERR_INIT;
	struct header want;
	const char *program;
	size_t n;

	if (file_read(run_fd, MEMORY_FILE, &text, &ignored) < 0 || text.len <= sizeof(want))
		return false;
	program = text.buf + sizeof(want);
	n = text.len - sizeof(want);
	if (!describe(program, n, &want) || memcmp(text.buf, &want, sizeof(want)) != 0)
		return false;
	str_addn(ret, program, n);
	return true;
}

static void remember(int run_fd, const char *program, size_t n)
{
	auto_str struct str text = STR_INIT(sizeof(struct header) + SECCOMP_FILTER_MAX);
	struct err e = ERR_INIT;
	struct header h;

	if (!describe(program, n, &h))
		return;
	str_addn(&text, &h, sizeof(h));
	str_addn(&text, program, n);
	/* A run root that cannot be written is somebody else's error to report. */
	if (file_write_replace(run_fd, MEMORY_FILE, text.buf, text.len, 0600, &e) < 0)
		log_debug("%s", e.msg);
}

int seccomp_recall(const char *profile, uint64_t caps, int run_fd, struct str *ret, struct err *e)
{
	const bool usual = caps == CAPABILITY_DEFAULT && seccomp_is_default(profile);
	const size_t before = ret->len;

	if (usual && recall(run_fd, ret))
		return 0;
	if (seccomp_compile(profile, "", caps, ret, e) < 0)
		return -1;
	if (usual)
		remember(run_fd, ret->buf + before, ret->len - before);
	return 0;
}
