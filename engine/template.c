/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/random.h"
#include "engine/bare_vm.h"
#include "engine/lastwords.h"
#include "engine/template_ram.h"
#include "proto/message.h"
#include "vmm/confine.h"
#include "vmm/saved.h"

#define STATE_MAX   ((size_t)1 << 20) /* as much as a pipe holds */
#define CPUINFO_MAX ((size_t)64 << 10)
#define FORMAT	    1
/* The folder holds empty disks too (disk.h). */
#define NAME_PREFIX   "vm-"
#define KEY_MAX	      ((size_t)64 << 10)
#define AGE_MAX	      (INT64_C(24) * 3600 * 1000000000)
#define ENTROPY_SIZE  64
#define MAC_TEXT_SIZE 18
#define REPLACE_TRIES 20
#define FOLDER_KEPT   "kept"
#define FILE_KEY      "key"
#define FILE_RAM      "ram"
#define FILE_STATE    "state"
#define FILE_LOG      "log"
#define FILE_CONSOLE  "console"
#define SERIAL_IMAGE  "slot-image"
#define SERIAL_UPPER  "slot-upper"

void template_release(struct template *t)
{
	fd_close(t->ram_fd);
	fd_close(t->state_fd);
	*t = (struct template)TEMPLATE_INIT;
}

/* ---- the key ---- */

/* By what changes when somebody replaces it: reading all of it would take longer than the start. */
static int add_file(struct str *key, const char *what, const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "cannot look at '%s'", path);
	str_addf(key, "%s %s %llu:%llu %lld %lld.%09ld\n", what, path,
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
		 (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return 0;
}

/* Model, stepping and microcode of the first processor. */
static void add_cpu(struct str *key)
{
	static const char *const wanted[] = { "vendor_id",  "cpu family", "model",
					      "model name", "stepping",	  "microcode" };
	auto_str struct str text = STR_INIT(CPUINFO_MAX);
	struct err ignored = ERR_INIT;

	/* Of many processors only the first is read, so that it is too much text does not matter. */
	(void)!file_read(AT_FDCWD, "/proc/cpuinfo", &text, &ignored);
	for (const char *line = text.buf; line && *line && *line != '\n';) {
		size_t name = strcspn(line, "\t:\n"), end = strcspn(line, "\n");

		for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
			if (strlen(wanted[i]) == name && strncmp(line, wanted[i], name) == 0) {
				str_addn(key, line, end);
				str_addc(key, '\n');
			}
		}
		line += end + (line[end] == '\n');
	}
}

static void add_host(struct str *key)
{
	auto_str struct str boot = STR_INIT(64);
	struct err ignored = ERR_INIT;
	struct utsname u;

	if (uname(&u) == 0)
		str_addf(key, "host %s %s\n", u.release, u.version);
	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &boot, &ignored) == 0)
		str_addf(key, "boot %s", boot.buf);
}

static int key_make(const struct template_want *want, struct str *key, struct err *e)
{
	const struct vmm_choice *choice = want->choice;

	str_addf(key, "kvbox template %d\n%s %s %s\n", FORMAT, choice->driver->name,
		 choice->about.version, vmm_choice_accel(choice));
	str_addf(key, "%u MiB, %u processors\n", want->size.memory_mib, want->size.vcpus);
	if (add_file(key, "vmm", choice->binary, e) < 0 ||
	    add_file(key, "kernel", want->guest->kernel, e) < 0 ||
	    add_file(key, "initramfs", want->guest->initramfs, e) < 0)
		return -1;
	add_cpu(key);
	add_host(key);
	return key->over ? err_set(e, ERR_INVALID, "a template's key would be too long") : 0;
}

/* FNV-1a: nobody gains from a collision, since the text itself is compared. */
static void key_name(const struct str *key, char ret[TEMPLATE_NAME_SIZE])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < key->len; i++)
		hash = (hash ^ (unsigned char)key->buf[i]) * UINT64_C(0x100000001b3);
	snprintf(ret, TEMPLATE_NAME_SIZE, NAME_PREFIX "%016llx", (unsigned long long)hash);
}

/* ---- finding ---- */

bool template_fits(const struct vmm_spec *spec)
{
	const struct vmm_disk *d = spec->disks;

	return spec->ndisks == 2 && d[0].joined && d[0].readonly && !d[1].readonly &&
	       d[1].nfiles == 1 && d[1].files[0].size == VMM_JOINED_SIZE;
}

static int open_folder(const struct paths *p, const char *name, int *ret, struct err *e)
{
	char path[PATH_NAME_SIZE];

	snprintf(path, sizeof(path), DIR_TEMPLATES "/%s", name);
	if (p->root_fd < 0)
		return err_set(e, ERR_NOT_FOUND, "no template");
	return fd_open_dir(p->root_fd, path, ret, e);
}

static int check_age(int dir, struct err *e)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_sys(e, "cannot look at a template");
	if (clock_now() - st.st_mtim.tv_sec * INT64_C(1000000000) > AGE_MAX)
		return err_set(e, ERR_NOT_FOUND, "the template is too old");
	return 0;
}

/*
 * QEMU 7.2 breaks down when the state comes from a file; a pipe that holds all of it and ends is fine, too,
 * with every other version.
 */
static int open_state(int dir, int *ret, struct err *e)
{
	auto_str struct str state = STR_INIT(STATE_MAX);
	int pipe[2];
	int r;

	if (file_read(dir, FILE_STATE, &state, e) < 0 || fd_pipe(pipe, e) < 0)
		return -1;
	if (fcntl(pipe[1], F_SETPIPE_SZ, (int)STATE_MAX) < 0)
		r = err_sys(e, "cannot make room for the state of a VM");
	else
		r = fd_write_full(pipe[1], state.buf, state.len, e);
	fd_close(pipe[1]);
	if (r < 0)
		fd_close(pipe[0]);
	else
		*ret = pipe[0];
	return r;
}

static int open_ram(int dir, const struct template_want *want, int *ret, struct err *e)
{
	auto_close int ram = -1;
	uint64_t size;

	if (fd_open(dir, FILE_RAM, O_RDONLY, 0, &ram, e) < 0 || fd_size(ram, &size, e) < 0)
		return -1;
	if (size != (uint64_t)want->size.memory_mib << 20)
		return err_set(e, ERR_CORRUPT, "the template's memory is not all there");
	*ret = take_fd(&ram);
	return 0;
}

int template_open(const struct paths *p, const struct template_want *want, struct template *ret,
		  struct err *e)
{
	auto_str struct str key = STR_INIT(KEY_MAX), has = STR_INIT(KEY_MAX);
	auto_close int dir = -1, ram = -1, state = -1;
	char name[TEMPLATE_NAME_SIZE];

	if (key_make(want, &key, e) < 0)
		return -1;
	key_name(&key, name);
	if (open_folder(p, name, &dir, e) < 0 || check_age(dir, e) < 0 ||
	    file_read(dir, FILE_KEY, &has, e) < 0)
		return -1;
	if (key.len != has.len || memcmp(key.buf, has.buf, key.len) != 0)
		return err_set(e, ERR_NOT_FOUND, "no template for this VM");
	if (open_ram(dir, want, &ram, e) < 0 || open_state(dir, &state, e) < 0 ||
	    template_ram_get(p, name, ram, &ret->ram_fd, e) < 0)
		return -1;
	ret->state_fd = take_fd(&state);
	return 0;
}

/* ---- making ---- */

/* Where it is made: a folder below tmp/, whose files are those of the template and some that are removed. */
struct making {
	struct confine_host host; /* its VMM is locked up, though no container runs in it */
	const struct template_want *want;
	int dir;
	char *path;
	int kept;	     /* the folder in it that becomes the template */
	char *image, *upper; /* paths of the files behind the slots */
	int log, console;
};

static void making_release(struct making *m)
{
	fd_close(m->dir);
	fd_close(m->kept);
	fd_close(m->log);
	fd_close(m->console);
	free(m->path);
	free(m->image);
	free(m->upper);
}

static int make_slot(int dir, const char *name, struct err *e)
{
	auto_close int fd = -1;

	if (fd_open(dir, name, O_RDWR | O_CREAT, 0600, &fd, e) < 0)
		return -1;
	return ftruncate(fd, (off_t)VMM_JOINED_SIZE) < 0 ? err_sys(e, "cannot make a slot's file")
							 : 0;
}

static int open_making(struct store *s, const struct template_want *want, const char *name,
		       struct making *ret, struct err *e)
{
	struct paths *p = store_paths(s);

	*ret = (struct making){ .want = want, .dir = -1, .kept = -1, .log = -1, .console = -1 };
	ret->host = (struct confine_host){ .run_root = p->run_fd, .cgroup = -1 };
	if (dir_make(p->root_fd, name, 0700, e) < 0 ||
	    fd_open_dir(p->root_fd, name, &ret->dir, e) < 0 ||
	    dir_make(ret->dir, FOLDER_KEPT, 0700, e) < 0 ||
	    fd_open_dir(ret->dir, FOLDER_KEPT, &ret->kept, e) < 0 ||
	    fd_open(ret->dir, FILE_LOG, O_WRONLY | O_CREAT | O_APPEND, 0600, &ret->log, e) < 0 ||
	    fd_open(ret->dir, FILE_CONSOLE, O_WRONLY | O_CREAT | O_APPEND, 0600, &ret->console, e) <
		    0 ||
	    make_slot(ret->dir, SERIAL_IMAGE, e) < 0 || make_slot(ret->dir, SERIAL_UPPER, e) < 0)
		return -1;
	ret->path = paths_absolute(p, name);
	ret->image = xasprintf("%s/" SERIAL_IMAGE, ret->path);
	ret->upper = xasprintf("%s/" SERIAL_UPPER, ret->path);
	return 0;
}

/* As a container's VM, with empty slots for its disks. */
static int start_vm(const struct making *m, enum vmm_saving saving, int ram, int state,
		    struct bare_vm **ret, struct err *e)
{
	const struct template_want *want = m->want;
	const struct vmm_file image = { m->image, VMM_JOINED_SIZE };
	const struct vmm_file upper = { m->upper, VMM_JOINED_SIZE };
	const struct vmm_disk slots[] = {
		{ .serial = SERIAL_IMAGE, .readonly = true, .files = &image, .nfiles = 1 },
		{ .serial = SERIAL_UPPER, .files = &upper, .nfiles = 1 },
	};
	const struct vmm_spec spec = {
		.binary = want->choice->binary,
		.caps = want->choice->about.caps,
		.kvm = want->choice->kvm,
		.kernel = want->guest->kernel,
		.initramfs = want->guest->initramfs,
		.memory_mib = want->size.memory_mib,
		.vcpus = want->size.vcpus,
		.disks = slots,
		.ndisks = ARRAY_LEN(slots),
		.run_fd = m->dir,
		.run_path = m->path,
		.console_fd = m->console,
		.log_fd = m->log,
		.vm_lock_fd = -1,
		.cgroup_fd = -1,
		.confine_host = &m->host,
		.saving = saving,
		.ram_fd = ram,
		.state_fd = state,
	};

	return bare_vm_start(want->choice->driver, &spec, ret, e);
}

static int rest(struct bare_vm *vm, struct err *e)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	bare_vm_begin(vm, &m, "rest");
	return bare_vm_request(vm, &m, e);
}

static int store_ram(const struct making *m, int ram, struct err *e)
{
	auto_close int fd = -1;

	return fd_open(m->kept, FILE_RAM, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd, e) < 0 ||
			       fd_copy_sparse(ram, fd, e) < 0
		       ? -1
		       : 0;
}

static int boot_and_save(const struct making *m, struct template_report *report, struct err *e)
{
	auto_close int ram = -1, state = -1;
	auto_bare_vm struct bare_vm *vm = NULL;
	int64_t begin = clock_monotonic();

	if (vmm_ram_new((uint64_t)m->want->size.memory_mib << 20, &ram, e) < 0 ||
	    fd_open(m->kept, FILE_STATE, O_RDWR | O_CREAT | O_EXCL, 0600, &state, e) < 0 ||
	    start_vm(m, VMM_TO_BE_SAVED, ram, state, &vm, e) < 0)
		return -1;
	report->boot_ns = clock_monotonic() - begin;
	begin = clock_monotonic();
	if (rest(vm, e) < 0 || bare_vm_save(vm, e) < 0 || store_ram(m, ram, e) < 0)
		return -1;
	report->save_ns = clock_monotonic() - begin;
	return 0;
}

static void mac_text(const unsigned char mac[VMM_MAC_SIZE], char ret[MAC_TEXT_SIZE])
{
	snprintf(ret, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

void template_identity(struct message_out *m, const struct template_mac *macs, size_t nmacs)
{
	unsigned char entropy[ENTROPY_SIZE];
	char saved[MAC_TEXT_SIZE], own[MAC_TEXT_SIZE];

	random_bytes(entropy, sizeof(entropy));
	jw_int(&m->json, "now", clock_now());
	message_out_blob(m, "entropy", entropy, sizeof(entropy));
	if (nmacs == 0)
		return;
	jw_begin_object(&m->json, "macs");
	for (size_t i = 0; i < nmacs; i++) {
		mac_text(macs[i].saved, saved);
		mac_text(macs[i].own, own);
		jw_str(&m->json, saved, own);
	}
	jw_end(&m->json);
}

static int try_copy(const struct making *m, struct template_report *report, struct err *e)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	auto_template struct template t = TEMPLATE_INIT;
	auto_bare_vm struct bare_vm *vm = NULL;
	auto_close int ram = -1;
	int64_t begin;

	if (open_ram(m->kept, m->want, &ram, e) < 0 || open_state(m->kept, &t.state_fd, e) < 0 ||
	    vmm_ram_load(ram, &t.ram_fd, e) < 0)
		return -1;
	begin = clock_monotonic();
	if (start_vm(m, VMM_FROM_SAVED, t.ram_fd, t.state_fd, &vm, e) < 0)
		return err_wrap(e, "a copy does not start");
	bare_vm_begin(vm, &out, "identity");
	template_identity(&out, NULL, 0);
	if (bare_vm_request(vm, &out, e) < 0)
		return err_wrap(e, "a copy");
	report->resume_ns = clock_monotonic() - begin;
	return 0;
}

/* Somebody else who makes the same one may be in between each time. */
static int replace_folder(int root_fd, const char *from, const char *to, struct err *e)
{
	for (int tries = REPLACE_TRIES; tries > 0; tries--) {
		err_clear(e);
		if (dir_remove_tree(root_fd, to, e) == 0 &&
		    file_rename(root_fd, from, root_fd, to, e) == 0)
			return 0;
		if (e->sys != EEXIST && e->sys != ENOTEMPTY)
			break;
	}
	return -1;
}

static int put_in_place(struct store *s, const struct making *m, const char *folder,
			const struct str *key, struct template_report *report, struct err *e)
{
	struct paths *p = store_paths(s);
	char from[PATH_NAME_SIZE + sizeof(FOLDER_KEPT)], to[PATH_NAME_SIZE];
	struct stat st;

	if (file_write_atomic(m->kept, FILE_KEY, key->buf, key->len, 0600, e) < 0)
		return -1;
	if (fstatat(m->kept, FILE_RAM, &st, 0) == 0)
		report->disk = (uint64_t)st.st_blocks * 512;
	snprintf(from, sizeof(from), "%s/" FOLDER_KEPT, folder);
	snprintf(to, sizeof(to), DIR_TEMPLATES "/%s", report->name);
	return replace_folder(p->root_fd, from, to, e);
}

/* What the VMM or the guest's kernel said last. */
static void explain(const struct making *m, struct err *e)
{
	auto_str struct str text = STR_INIT(LASTWORDS_MAX);

	lastwords_read(m->dir, FILE_CONSOLE, &text);
	if (text.len == 0)
		lastwords_read(m->dir, FILE_LOG, &text);
	if (text.len > 0)
		(void)!err_wrap(e, "%s", text.buf);
}

static int make_in(struct store *s, const struct template_want *want, const char *folder,
		   const struct str *key, struct template_report *ret, struct err *e)
{
	struct making m;
	int r = -1;

	if (open_making(s, want, folder, &m, e) == 0 && boot_and_save(&m, ret, e) == 0 &&
	    try_copy(&m, ret, e) == 0)
		r = put_in_place(s, &m, folder, key, ret, e);
	else if (m.dir >= 0)
		explain(&m, e);
	making_release(&m);
	return r;
}

int template_make(struct store *s, const struct template_want *want, struct template_report *ret,
		  struct err *e)
{
	auto_str struct str key = STR_INIT(KEY_MAX);
	char id[ID_TEXT_SIZE], folder[PATH_NAME_SIZE];
	struct err ignored = ERR_INIT;
	int r;

	if (!(want->choice->about.caps & VMM_CAP_SAVE))
		return err_set(e, ERR_UNAVAILABLE, "%s cannot save a VM",
			       want->choice->driver->name);
	if (key_make(want, &key, e) < 0 || store_collector_lock(s, LOCK_SHARED, true, e) < 0)
		return -1;
	*ret = (struct template_report){ .disk = 0 };
	key_name(&key, ret->name);
	random_id(id);
	snprintf(folder, sizeof(folder), DIR_TMP "/template-%.12s", id);
	r = make_in(s, want, folder, &key, ret, e);
	(void)!dir_remove_tree(store_paths(s)->root_fd, folder, &ignored);
	store_collector_unlock(s);
	return r < 0 ? err_wrap(e, "cannot make a template") : 0;
}

struct removal {
	const struct paths *paths;
	int dir;
	unsigned n;
};

static int remove_one(void *ctx, const char *name, struct err *e)
{
	struct removal *r = ctx;

	if (!str_has_prefix(name, NAME_PREFIX))
		return 0;
	r->n++;
	template_ram_forget(r->paths, name);
	return dir_remove_tree(r->dir, name, e);
}

int template_remove_all(struct store *s, unsigned *ret, struct err *e)
{
	auto_close int dir = -1;
	struct removal r = { store_paths(s), -1, 0 };

	*ret = 0;
	if (store_paths(s)->root_fd < 0)
		return 0;
	if (fd_open_dir(store_paths(s)->root_fd, DIR_TEMPLATES, &dir, e) < 0)
		return -1;
	r.dir = dir;
	if (dir_each(dir, ".", remove_one, &r, e) < 0)
		return -1;
	*ret = r.n;
	return 0;
}
