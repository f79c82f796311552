/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files of the host a VMM's program needs
 *
 * The program itself, its interpreter (ld.so) and the folders that ld.so looks into: the one in which the
 * interpreter lies, that is Debian's /usr/lib/x86_64-linux-gnu and Fedora's /usr/lib64, with its twin outside
 * or inside /usr where the two are not one; ../lib and ../lib64 of a program outside /usr; and ld.so.cache. A
 * static program has none of it. Whole folders rather than the exact set of libraries: that would be 50
 * mounts for QEMU, each start would read 50 ELF files to find them, and what is loaded by name later (QEMU's
 * accelerators, the C library's modules) would be missing. What lies there are a distribution's public files;
 * nothing of the host's own (/etc, /home, /var, /root, /sys, sockets) is among them. They are read-only,
 * and with Landlock nothing in them can be executed but the program and its interpreter.
 *
 * KVBOX_VMM_FOLDERS names more folders for programs with other habits.
 */
#include <elf.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmm/confine_priv.h"

#define HEADERS_MAX 64
#define READ	    CONFINE_MAY_READ
#define RUN	    (CONFINE_MAY_READ | CONFINE_MAY_EXEC)

void confine_paths_release(struct confine_paths *p)
{
	strv_release(&p->text);
	free(p->v);
	*p = (struct confine_paths){ NULL, 0, 0, STRV_INIT };
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* Only folders that are the same inside and outside, and read-only, have what lies below them too. */
static bool is_there_already(const struct confine_paths *p, const char *source, const char *target,
			     unsigned access)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct confine_path *q = &p->v[i];

		if (q->kind == CONFINE_BIND && strcmp(q->source, q->target) == 0 &&
		    strcmp(source, target) == 0 && is_below(source, q->source) &&
		    !(access & (CONFINE_MAY_WRITE | CONFINE_IS_DEVICE)))
			return true;
	}
	return false;
}

void confine_paths_add(struct confine_paths *p, enum confine_kind kind, const char *source,
		       const char *target, unsigned access)
{
	struct confine_path *at;

	if (kind == CONFINE_BIND && is_there_already(p, source, target, access)) {
		if (!(access & CONFINE_MAY_EXEC))
			return;
		kind = CONFINE_RULE;
	}
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 32;
		p->v = xreallocarray(p->v, p->cap, sizeof(*p->v));
	}
	at = &p->v[p->n++];
	at->kind = kind;
	at->access = access;
	strv_add(&p->text, source);
	at->source = p->text.v[p->text.n - 1];
	strv_add(&p->text, target);
	at->target = p->text.v[p->text.n - 1];
}

/* A folder, or a file, of the host at its own place, by its name without links. */
static void add_real(struct confine_paths *p, const char *real, unsigned access)
{
	if (strcmp(real, "/") != 0)
		confine_paths_add(p, CONFINE_BIND, real, real, access | CONFINE_OPTIONAL);
}

/* By any name; nothing when there is none. */
static void add_same(struct confine_paths *p, const char *path, unsigned access)
{
	auto_free char *real = realpath(path, NULL);

	if (real)
		add_real(p, real, access);
}

/* Where /lib and its like are links into /usr, as on most systems now. */
static void add_link(struct confine_paths *p, const char *path)
{
	char text[PATH_MAX];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	if (n <= 0)
		return;
	text[n] = '\0';
	confine_paths_add(p, CONFINE_LINK, text, path, 0);
}

/* ---- what a program needs to run ----------------------------------------------------------------- */

static int read_program_headers(int fd, Elf64_Phdr *ret, size_t *n, struct err *e)
{
	Elf64_Ehdr head;
	ssize_t got = fd_pread_full(fd, &head, sizeof(head), 0, e);

	*n = 0;
	if (got < 0)
		return -1;
	if (got < (ssize_t)sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(*ret) ||
	    head.e_phnum > HEADERS_MAX)
		return 0;
	got = fd_pread_full(fd, ret, head.e_phnum * sizeof(*ret), (off_t)head.e_phoff, e);
	if (got < 0)
		return -1;
	*n = (size_t)got / sizeof(*ret);
	return 0;
}

/* A script would need its shell, and that whatever it calls. */
static int refuse_script(int fd, const char *binary, struct err *e)
{
	char head[2] = { 0 };

	if (fd_pread_full(fd, head, sizeof(head), 0, e) < 0)
		return -1;
	if (head[0] == '#' && head[1] == '!')
		return err_set(
			e, ERR_UNAVAILABLE,
			"'%s' is a script, and a VMM is started where there is no shell: name "
			"the program itself",
			binary);
	return 0;
}

/* "" for a static program, and for what is none. */
static int read_interpreter(const char *binary, char ret[PATH_MAX], struct err *e)
{
	Elf64_Phdr heads[HEADERS_MAX];
	auto_close int fd = -1;
	size_t n;

	ret[0] = '\0';
	if (fd_open(AT_FDCWD, binary, O_RDONLY, 0, &fd, e) < 0 ||
	    refuse_script(fd, binary, e) < 0 || read_program_headers(fd, heads, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		ssize_t got;

		if (heads[i].p_type != PT_INTERP || heads[i].p_filesz >= PATH_MAX)
			continue;
		got = fd_pread_full(fd, ret, heads[i].p_filesz, (off_t)heads[i].p_offset, e);
		if (got < 0)
			return -1;
		ret[got] = '\0';
	}
	return 0;
}

static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xstrndup(path, slash && slash != path ? (size_t)(slash - path) : 1);
}

/* /usr/lib64 has the twin /lib64, and the other way round. */
static void add_with_twin(struct confine_paths *p, const char *folder)
{
	auto_free char *twin = NULL;

	add_real(p, folder, READ);
	twin = is_below(folder, "/usr") ? xstrdup(folder + strlen("/usr"))
					: xasprintf("/usr%s", folder);
	add_same(p, twin, READ);
}

static void add_interpreter(struct confine_paths *p, const char *interpreter)
{
	auto_free char *real = realpath(interpreter, NULL);
	auto_free char *folder = NULL, *named = NULL, *real_named = NULL, *target = NULL;

	if (!real)
		return;
	folder = parent_of(real);
	add_with_twin(p, folder);
	add_same(p, "/etc/ld.so.cache", READ);
	/* By the name that programs know, which may be a link elsewhere in a folder of links. */
	named = parent_of(interpreter);
	real_named = realpath(named, NULL);
	target = xasprintf("%s%s", real_named ? real_named : named, strrchr(interpreter, '/'));
	confine_paths_add(p, CONFINE_BIND, real, target, RUN);
	confine_paths_add(p, CONFINE_BIND, real, real, RUN);
}

/* Folders that belong to a program in <prefix>/bin. */
static void add_prefix(struct confine_paths *p, const char *binary, bool libraries,
		       const char *const *data)
{
	auto_free char *bin = parent_of(binary), *prefix = parent_of(bin);

	if (libraries && strcmp(prefix, "/usr") != 0 && strcmp(prefix, "/") != 0) {
		auto_free char *lib = xasprintf("%s/lib", prefix);
		auto_free char *lib64 = xasprintf("%s/lib64", prefix);

		add_same(p, lib, READ);
		add_same(p, lib64, READ);
	}
	for (size_t i = 0; data && data[i]; i++) {
		auto_free char *folder = xasprintf("%s/%s", strcmp(prefix, "/") ? prefix : "",
						   data[i]);

		add_same(p, folder, READ);
	}
}

static void add_named_folders(struct confine_paths *p)
{
	auto_strv struct strv folders = STRV_INIT;
	const char *list = getenv("KVBOX_VMM_FOLDERS");

	strv_split(&folders, list ? list : "", ':');
	for (size_t i = 0; i < folders.n; i++)
		if (folders.v[i][0] == '/')
			add_same(p, folders.v[i], RUN);
}

int confine_paths_add_program(struct confine_paths *p, const char *binary, const char *const *data,
			      struct err *e)
{
	static const char *const links[] = { "/lib", "/lib32", "/lib64", "/usr/lib64" };
	char interpreter[PATH_MAX];

	if (read_interpreter(binary, interpreter, e) < 0)
		return -1;
	if (interpreter[0] == '/') {
		for (size_t i = 0; i < ARRAY_LEN(links); i++)
			add_link(p, links[i]);
		add_interpreter(p, interpreter);
	}
	add_prefix(p, binary, interpreter[0] == '/', data);
	add_named_folders(p);
	confine_paths_add(p, CONFINE_BIND, binary, binary, RUN);
	return 0;
}

void confine_paths_add_devices(struct confine_paths *p, bool kvm)
{
	static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/urandom" };
	const unsigned access = CONFINE_MAY_READ | CONFINE_MAY_WRITE | CONFINE_IS_DEVICE;

	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		confine_paths_add(p, CONFINE_BIND, devices[i], devices[i], access);
	if (kvm)
		confine_paths_add(p, CONFINE_DEVICE, "/dev/kvm", "/dev/kvm", access);
}
