/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/env.h"
#include "cmd/run_part.h"
#include "engine/disk.h"

#define PATH_LIMIT 4096

/* ---- paths ---- */

/* Without empty parts, "." and ".."; the caller frees. */
static char *clean_path(const char *path)
{
	auto_strv struct strv parts = STRV_INIT, kept = STRV_INIT;
	auto_str struct str out = STR_INIT(2 * strlen(path) + 2);
	struct err ignored = ERR_INIT;
	char *r;

	strv_split(&parts, path, '/');
	for (size_t i = 0; i < parts.n; i++) {
		if (strcmp(parts.v[i], "..") == 0 && kept.n)
			strv_remove(&kept, kept.n - 1);
		else if (parts.v[i][0] && strcmp(parts.v[i], ".") != 0 &&
			 strcmp(parts.v[i], "..") != 0)
			strv_add(&kept, parts.v[i]);
	}
	for (size_t i = 0; i < kept.n; i++)
		str_addf(&out, "/%s", kept.v[i]);
	if (!kept.n)
		str_addc(&out, '/');
	r = str_take(&out, &ignored);
	return r ? r : xstrdup("/");
}

/* ---- devices ---- */

/* Any of "rwm", each at most once. */
static bool is_mode(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || strspn(text, "rwm") != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strchr(text + i + 1, text[i]))
			return false;
	}
	return true;
}

/* The devices that the guest's kernel has by itself. */
static bool is_guest_device(const char *path)
{
	static const char *const names[] = { "full",	"fuse",	   "kvm",  "loop-control",
					     "net/tun", "null",	   "ptmx", "random",
					     "tty",	"urandom", "zero" };
	const char *name = path + strlen("/dev/");

	if (!str_has_prefix(path, "/dev/"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return str_has_prefix(name, "loop") && name[4] && strlen(name) <= 7 &&
	       strspn(name + 4, "0123456789") == strlen(name + 4);
}

static int check_device(const char *host, struct err *e)
{
	auto_free char *path = clean_path(host);

	if (*host == '/' && is_guest_device(path))
		return 0;
	return err_set(e, ERR_INVALID,
		       "error gathering device information while adding custom device \"%.200s\": "
		       "devices of the host cannot be passed on; the container's virtual machine "
		       "has /dev/fuse, /dev/net/tun, /dev/loop-control and the like",
		       host);
}

/* "<host>[:<container>][:<mode>]" into "host:container:mode". */
static int set_device(const char *text, struct container_spec *spec, struct err *e)
{
	auto_free char *path = NULL;
	auto_strv struct strv parts = STRV_INIT;
	const char *mode = "rwm", *target;

	strv_split(&parts, text, ':');
	if (parts.n > 3 || !parts.v[0][0])
		return err_set(e, ERR_INVALID, "bad format for path: %.200s", text);
	target = parts.v[0];
	if (parts.n == 2 && is_mode(parts.v[1]))
		mode = parts.v[1];
	else if (parts.n > 1)
		target = parts.v[1];
	if (parts.n == 3 && !is_mode(parts.v[2]))
		return err_set(e, ERR_INVALID, "bad mode specified: %.100s", parts.v[2]);
	if (parts.n == 3)
		mode = parts.v[2];
	if (*target != '/')
		return err_set(e, ERR_INVALID, "%.200s is not an absolute path", target);
	if (check_device(parts.v[0], e) < 0)
		return -1;
	path = clean_path(target);
	strv_addf(&spec->devices, "%s:%s:%s", parts.v[0], path, mode);
	return 0;
}

/* "12", or "*" */
static const char *skip_number(const char *p)
{
	size_t n = *p == '*' ? 1 : strspn(p, "0123456789");

	return n ? p + n : NULL;
}

int run_files_rule(const char *text, struct err *e)
{
	const char *p = *text && strchr("acb", *text) && text[1] == ' ' ? text + 2 : NULL;

	p = p ? skip_number(p) : NULL;
	p = p && *p == ':' ? skip_number(p + 1) : NULL;
	if (p && *p == ' ' && p[1] && strlen(p + 1) <= 3 && strspn(p + 1, "rwm") == strlen(p + 1))
		return 0;
	return err_set(e, ERR_INVALID, "invalid device cgroup format '%.200s'", text);
}

/* ---- tmpfs ---- */

static void set_tmpfs(const char *text, struct container_spec *spec)
{
	size_t n = strcspn(text, ":");
	auto_free char *given = xstrndup(text, n);
	auto_free char *path = *given == '/' ? clean_path(given) : xstrdup(given);
	auto_free char *entry = xasprintf("%s=%s", path, text[n] ? text + n + 1 : "");

	env_map_set(&spec->tmpfs, entry);
}

static bool is_tmpfs_flag(const char *option)
{
	static const char *const flags[] = {
		"async",   "atime",	  "bind",	"defaults", "dev",	     "diratime",
		"dirsync", "exec",	  "mand",	"noatime",  "nodev",	     "nodiratime",
		"noexec",  "nomand",	  "norelatime", "nosuid",   "nostrictatime", "private",
		"rbind",   "relatime",	  "remount",	"ro",	    "rprivate",	     "rshared",
		"rslave",  "runbindable", "rw",		"shared",   "slave",	     "strictatime",
		"suid",	   "sync",	  "unbindable",
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (strcmp(option, flags[i]) == 0)
			return true;
	}
	return false;
}

/* Digits with an optional unit or percent sign, as the kernel reads sizes and numbers. */
static bool is_tmpfs_number(const char *value)
{
	size_t n = strspn(value, "0123456789");

	return n && n < 19 && (!value[n] || (strchr("kKmMgG%", value[n]) && !value[n + 1]));
}

static bool is_tmpfs_option(const char *option)
{
	static const char *const numbers[] = { "gid=", "nr_blocks=", "nr_inodes=", "size=",
					       "uid=" };

	if (is_tmpfs_flag(option) || (str_has_prefix(option, "mpol=") && option[5]))
		return true;
	if (str_has_prefix(option, "mode="))
		return option[5] && strlen(option) <= 5 + 5 &&
		       strspn(option + 5, "01234567") == strlen(option + 5);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (str_has_prefix(option, numbers[i]))
			return is_tmpfs_number(option + strlen(numbers[i]));
	}
	return false;
}

static int check_tmpfs(const char *entry, struct err *e)
{
	size_t n = strcspn(entry, "=");
	auto_strv struct strv options = STRV_INIT;

	if (*entry != '/')
		return err_set(e, ERR_INVALID,
			       "invalid mount path: '%.*s' mount path must be absolute",
			       (int)(n > 200 ? 200 : n), entry);
	if (n == 1)
		return err_set(e, ERR_INVALID, "invalid specification: destination can't be '/'");
	if (n >= PATH_LIMIT)
		return err_set(e, ERR_INVALID, "invalid mount path: it is longer than %d bytes",
			       PATH_LIMIT - 1);
	if (!entry[n + 1])
		return 0;
	strv_split(&options, entry + n + 1, ',');
	for (size_t i = 0; i < options.n; i++) {
		if (!is_tmpfs_option(options.v[i]))
			return err_set(e, ERR_INVALID, "invalid tmpfs option \"%.100s\"",
				       options.v[i]);
	}
	return 0;
}

/* ---- all ---- */

static int set_storage(const struct strv *options, struct container_spec *spec, struct err *e)
{
	for (size_t i = 0; i < options->n; i++) {
		if (!strchr(options->v[i], '='))
			return err_set(e, ERR_INVALID, "invalid storage option");
		env_map_set(&spec->storage_opts, options->v[i]);
	}
	return 0;
}

int run_files_set(const struct run_files *a, struct container_spec *spec, struct err *e)
{
	spec->read_only = a->read_only;
	spec->shm_size = a->shm_size;
	strv_copy(&spec->device_rules, &a->device_rules);
	for (size_t i = 0; i < a->tmpfs.n; i++)
		set_tmpfs(a->tmpfs.v[i], spec);
	for (size_t i = 0; i < a->devices.n; i++) {
		if (set_device(a->devices.v[i], spec, e) < 0)
			return -1;
	}
	return set_storage(&a->storage_opts, spec, e);
}

static int check_storage(struct container_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->storage_opts.n; i++) {
		const char *option = spec->storage_opts.v[i];

		if (!str_has_prefix(option, "size="))
			return err_set(
				e, ERR_INVALID, "unknown option %.*s",
				(int)(strcspn(option, "=") > 100 ? 100 : strcspn(option, "=")),
				option);
		if (parse_size(option + 5, &spec->disk_size, e) < 0)
			return -1;
		if (spec->disk_size < DISK_SIZE_MIN || spec->disk_size > DISK_SIZE_MAX)
			return err_set(e, ERR_INVALID,
				       "the size of a container's disk is from %lldMB to %lldTB: "
				       "%.64s",
				       (long long)(DISK_SIZE_MIN >> 20),
				       (long long)(DISK_SIZE_MAX >> 40), option + 5);
	}
	return 0;
}

int run_files_check(const struct run_files *a, struct container_spec *spec, struct err *e)
{
	/* The definition has the paths as keys that end at the first "=". */
	for (size_t i = 0; i < a->tmpfs.n; i++) {
		size_t n = strcspn(a->tmpfs.v[i], ":");

		if (memchr(a->tmpfs.v[i], '=', n))
			return err_set(e, ERR_INVALID, "invalid mount path: '%.*s' has a \"=\"",
				       (int)(n > 200 ? 200 : n), a->tmpfs.v[i]);
	}
	for (size_t i = 0; i < spec->tmpfs.n; i++) {
		if (check_tmpfs(spec->tmpfs.v[i], e) < 0)
			return -1;
	}
	return check_storage(spec, e);
}
