/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/template_ram.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "vmm/saved.h"

#define PREFIX	    "ram-"
#define NAME_SIZE   64
#define LINE_SIZE   160
#define HOLDERS_MAX 16
#define TEXT_MAX    ((size_t)HOLDERS_MAX * LINE_SIZE)

/* One line: who has it, which memory file it is, and of which version of the template's file. */
struct holder {
	long pid;
	int fd;
	unsigned long long ino;
	long long made_s, made_ns;
	unsigned long long kept_ino;
	long long kept_s, kept_ns;
};

#define HOLDER_FORMAT "%ld %d %llu %lld.%09lld %llu %lld.%09lld\n"

static bool parse(const char *line, struct holder *h)
{
	return sscanf(line, "%ld %d %llu %lld.%lld %llu %lld.%lld", &h->pid, &h->fd, &h->ino,
		      &h->made_s, &h->made_ns, &h->kept_ino, &h->kept_s, &h->kept_ns) == 8 &&
	       h->pid > 0 && h->fd >= 0;
}

/* Nothing changes a sealed memory file, so that its times are those of its making. */
static void describe(const struct stat *ram, const struct stat *kept, struct holder *ret)
{
	ret->ino = (unsigned long long)ram->st_ino;
	ret->made_s = (long long)ram->st_ctim.tv_sec;
	ret->made_ns = (long long)ram->st_ctim.tv_nsec;
	ret->kept_ino = (unsigned long long)kept->st_ino;
	ret->kept_s = (long long)kept->st_mtim.tv_sec;
	ret->kept_ns = (long long)kept->st_mtim.tv_nsec;
}

static bool is_same(const struct holder *a, const struct holder *b)
{
	return a->ino == b->ino && a->made_s == b->made_s && a->made_ns == b->made_ns &&
	       a->kept_ino == b->kept_ino && a->kept_s == b->kept_s && a->kept_ns == b->kept_ns;
}

static int open_of(const struct holder *h, const struct stat *kept, int *ret)
{
	struct holder found = { .pid = h->pid, .fd = h->fd };
	auto_close int fd = -1;
	struct err ignored = ERR_INIT;
	struct stat st;
	char path[64];

	/* Looked at before it is opened: the number may be another process's by now, and opening a device can do
	 * something. */
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", h->pid, h->fd);
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != kept->st_size)
		return -1;
	describe(&st, kept, &found);
	if (!is_same(&found, h) ||
	    fd_open(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_NOCTTY, 0, &fd, &ignored) < 0 ||
	    fstat(fd, &st) < 0 || !vmm_ram_is_sealed(fd))
		return -1;
	describe(&st, kept, &found);
	if (!is_same(&found, h))
		return -1;
	*ret = take_fd(&fd);
	return 0;
}

static void add_line(struct str *text, const struct holder *h)
{
	str_addf(text, HOLDER_FORMAT, h->pid, h->fd, h->ino, h->made_s, h->made_ns, h->kept_ino,
		 h->kept_s, h->kept_ns);
}

/* Takes it from the first who still has it; `others` are the lines from there on. */
static int take_over(const struct str *text, const struct stat *kept, int *ret, struct str *others)
{
	unsigned n = 1; /* this process */

	for (const char *line = text->buf; line && *line && n < HOLDERS_MAX;) {
		size_t end = strcspn(line, "\n");
		struct holder h;

		if (parse(line, &h) && (*ret >= 0 || open_of(&h, kept, ret) == 0)) {
			add_line(others, &h);
			n++;
		}
		line += end + (line[end] == '\n');
	}
	return *ret >= 0 ? 0 : -1;
}

/* Two that do this at the same time lose one of them, who can then only not be asked. */
static void tell(const struct paths *p, const char *file, int ram, const struct stat *kept,
		 const struct str *others)
{
	auto_str struct str text = STR_INIT(TEXT_MAX + LINE_SIZE);
	struct holder self = { .pid = (long)getpid(), .fd = ram };
	struct err e = ERR_INIT;
	struct stat st;

	if (fstat(ram, &st) < 0)
		return;
	describe(&st, kept, &self);
	add_line(&text, &self);
	str_addn(&text, others->buf, others->len);
	if (file_write_replace(p->run_fd, file, text.buf, text.len, 0600, &e) < 0)
		log_debug("%s", e.msg);
}

int template_ram_get(const struct paths *p, const char *name, int kept, int *ret, struct err *e)
{
	auto_str struct str text = STR_INIT(TEXT_MAX + LINE_SIZE), others = STR_INIT(TEXT_MAX);
	struct err ignored = ERR_INIT;
	char file[NAME_SIZE];
	struct stat st;
	int ram = -1;

	if (fstat(kept, &st) < 0)
		return err_sys(e, "cannot look at the memory of a saved VM");
	snprintf(file, sizeof(file), PREFIX "%s", name);
	if (p->run_fd < 0 || file_read(p->run_fd, file, &text, &ignored) < 0 ||
	    take_over(&text, &st, &ram, &others) < 0) {
		str_clear(&others);
		if (vmm_ram_load(kept, &ram, e) < 0)
			return -1;
	}
	if (p->run_fd >= 0)
		tell(p, file, ram, &st, &others);
	*ret = ram;
	return 0;
}

void template_ram_forget(const struct paths *p, const char *name)
{
	struct err ignored = ERR_INIT;
	char file[NAME_SIZE];

	snprintf(file, sizeof(file), PREFIX "%s", name);
	if (p->run_fd >= 0)
		(void)!file_remove(p->run_fd, file, &ignored);
}
