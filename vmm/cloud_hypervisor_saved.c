/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved VMs of Cloud Hypervisor.
 *
 * It writes a folder: config.json, the VM as it was made; state.json, its devices; and the RAM, unless that
 * is a file with a name, shared. So a VM that is to be saved has its RAM in a file of the run folder, which
 * is copied into the caller's descriptor afterwards; the two texts become one, behind a line with their
 * lengths. For a copy the folder is made again, with a configuration that names the copy's own sockets and
 * disks, and RAM that is private: it is opened for reading only then, and so the pages that a copy
 * gives back are not given back to the host, but no sibling loses them either.
 *
 * Of a disk its capacity and its kind of access are the saved one's, whatever is behind it now.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/parse.h"
#include "vmm/cloud_hypervisor_priv.h"
#include "vmm/confine.h"

#define STATE_MAX   ((size_t)1 << 20) /* of both texts */
#define FILE_CONFIG CH_FOLDER_SAVED "/config.json"
#define FILE_STATE  CH_FOLDER_SAVED "/state.json"

/* ---- saving ------------------------------------------------------------------------------------ */

int ch_saved_prepare(const struct vmm_spec *spec, struct err *e)
{
	auto_close int fd = -1;

	if (dir_remove_tree(spec->run_fd, CH_FOLDER_SAVED, e) < 0 ||
	    dir_make(spec->run_fd, CH_FOLDER_SAVED, 0700, e) < 0 ||
	    fd_open(spec->run_fd, CH_FILE_RAM, O_RDWR | O_CREAT | O_TRUNC, 0600, &fd, e) < 0)
		return -1;
	/* It does not set the size, and dies of touching what is not there. */
	if (ftruncate(fd, (off_t)spec->memory_mib << 20) < 0)
		return err_sys(e, "cannot make the memory of a VM");
	if (spec->confine && (confine_give(spec->confine, spec->run_fd, CH_FOLDER_SAVED, e) < 0 ||
			      confine_give(spec->confine, spec->run_fd, CH_FILE_RAM, e) < 0))
		return -1;
	return 0;
}

int ch_saved_collect(int run_fd, int ram_fd, int state_fd, struct err *e)
{
	auto_str struct str config = STR_INIT(STATE_MAX), state = STR_INIT(STATE_MAX);
	auto_str struct str all = STR_INIT(2 * STATE_MAX);
	auto_close int ram = -1;

	if (file_read(run_fd, FILE_CONFIG, &config, e) < 0 ||
	    file_read(run_fd, FILE_STATE, &state, e) < 0 ||
	    fd_open(run_fd, CH_FILE_RAM, O_RDONLY, 0, &ram, e) < 0 ||
	    fd_copy_sparse(ram, ram_fd, e) < 0)
		return err_wrap(e, "cannot collect what the VMM saved");
	str_addf(&all, "%zu %zu\n", config.len, state.len);
	str_addn(&all, config.buf, config.len);
	str_addn(&all, state.buf, state.len);
	if (all.len > STATE_MAX)
		return err_set(e, ERR_INVALID, "the state of the VM is too long");
	return fd_write_full(state_fd, all.buf, all.len, e);
}

/* ---- a copy's configuration -------------------------------------------------------------------- */

/* What becomes of a member: its text is written, and true returned, when it is not as it was. */
typedef bool rewrite(const struct vmm_spec *spec, const struct json *object, const char *key,
		     const struct json *value, struct json_writer *w);

static void copy_object(const struct vmm_spec *spec, const struct json *object, const char *name,
			rewrite *change, struct json_writer *w)
{
	auto_str struct str text = STR_INIT(STATE_MAX);
	const struct json *value;
	const char *key;

	jw_begin_object(w, name);
	for (size_t i = 0; json_entry(object, i, &key, &value); i++) {
		if (change && change(spec, object, key, value, w))
			continue;
		str_clear(&text);
		json_dump(value, &text);
		jw_raw(w, key, text.buf);
	}
	jw_end(w);
}

static void copy_array(const struct vmm_spec *spec, const struct json *array, const char *name,
		       rewrite *change, struct json_writer *w)
{
	jw_begin_array(w, name);
	for (size_t i = 0; i < json_len(array); i++)
		copy_object(spec, json_at(array, i), NULL, change, w);
	jw_end(w);
}

static bool change_zone(const struct vmm_spec *spec, const struct json *object, const char *key,
			const struct json *value, struct json_writer *w)
{
	char path[64];

	(void)spec;
	(void)object;
	(void)value;
	if (str_eq(key, "shared")) {
		jw_bool(w, key, false);
	} else if (str_eq(key, "file")) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", CH_FD_RAM);
		jw_str(w, key, path);
	} else {
		return false;
	}
	return true;
}

static bool change_memory(const struct vmm_spec *spec, const struct json *object, const char *key,
			  const struct json *value, struct json_writer *w)
{
	(void)object;
	if (str_eq(key, "shared"))
		jw_bool(w, key, false);
	else if (str_eq(key, "zones") && json_is_array(value))
		copy_array(spec, value, key, change_zone, w);
	else
		return false;
	return true;
}

static bool change_vsock(const struct vmm_spec *spec, const struct json *object, const char *key,
			 const struct json *value, struct json_writer *w)
{
	auto_free char *path = NULL;

	(void)object;
	(void)value;
	if (!str_eq(key, "socket"))
		return false;
	path = xasprintf("%s/" CH_FILE_VSOCK, ch_folder(spec));
	jw_str(w, key, path);
	return true;
}

static bool change_disk(const struct vmm_spec *spec, const struct json *object, const char *key,
			const struct json *value, struct json_writer *w)
{
	const char *id = json_str(json_get(object, "id"));
	const struct vmm_disk *d = NULL;
	auto_free char *joined = NULL;

	(void)value;
	for (size_t i = 0; i < spec->ndisks; i++)
		if (str_eq(spec->disks[i].serial, id))
			d = &spec->disks[i];
	if (!d || (!str_eq(key, "path") && !str_eq(key, "image_type")))
		return false;
	if (vmm_disk_is_joined(d))
		joined = xasprintf("%s/%s.vmdk", ch_folder(spec), d->serial);
	if (str_eq(key, "path"))
		jw_str(w, key, joined ? joined : d->files[0].path);
	else
		jw_str(w, key, joined ? "FlatVmdk" : "Raw");
	return true;
}

static bool change_config(const struct vmm_spec *spec, const struct json *object, const char *key,
			  const struct json *value, struct json_writer *w)
{
	(void)object;
	if (str_eq(key, "memory") && json_is_object(value))
		copy_object(spec, value, key, change_memory, w);
	else if (str_eq(key, "vsock") && json_is_object(value))
		copy_object(spec, value, key, change_vsock, w);
	else if (str_eq(key, "disks") && json_is_array(value))
		copy_array(spec, value, key, change_disk, w);
	else
		return false;
	return true;
}

int ch_saved_config(const struct vmm_spec *spec, const char *text, size_t n, struct str *ret,
		    struct err *e)
{
	auto_json struct json *j = NULL;
	struct json_writer w;

	if (json_parse(text, n, &j, e) < 0)
		return err_wrap(e, "configuration of a saved VM");
	if (!json_is_object(json_get(j, "memory")) || !json_is_object(json_get(j, "vsock")))
		return err_set(e, ERR_CORRUPT, "configuration of a saved VM lacks parts");
	jw_init(&w, ret, 0);
	copy_object(spec, j, NULL, change_config, &w);
	return ret->over ? err_set(e, ERR_INVALID, "configuration of a saved VM is too long") : 0;
}

/* The two lengths of the first line; where the rest begins. */
static int parse_head(const char *text, size_t n, size_t *config, size_t *state, size_t *begin,
		      struct err *e)
{
	const char *end = memchr(text, '\n', n < 64 ? n : 64);
	const char *blank = end ? memchr(text, ' ', (size_t)(end - text)) : NULL;
	char first[24] = "", second[24] = "";
	struct err why = ERR_INIT;
	uint64_t a = 0, b = 0;

	if (blank && blank - text < 20 && end - blank < 20) {
		memcpy(first, text, (size_t)(blank - text));
		memcpy(second, blank + 1, (size_t)(end - blank - 1));
	}
	if (parse_u64(first, STATE_MAX, &a, &why) < 0 ||
	    parse_u64(second, STATE_MAX, &b, &why) < 0 || (size_t)(end + 1 - text) + a + b != n)
		return err_set(e, ERR_CORRUPT, "the state of a saved VM is damaged");
	*config = (size_t)a;
	*state = (size_t)b;
	*begin = (size_t)(end + 1 - text);
	return 0;
}

int ch_saved_restore(const struct vmm_spec *spec, struct err *e)
{
	auto_free char *text = xreallocarray(NULL, 1, STATE_MAX + 1);
	auto_str struct str config = STR_INIT(STATE_MAX);
	ssize_t n = fd_read_full(spec->state_fd, text, STATE_MAX, e);
	size_t config_len = 0, state_len = 0, begin = 0;

	if (n < 0)
		return -1;
	text[n] = '\0';
	if (parse_head(text, (size_t)n, &config_len, &state_len, &begin, e) < 0 ||
	    ch_saved_config(spec, text + begin, config_len, &config, e) < 0 ||
	    dir_remove_tree(spec->run_fd, CH_FOLDER_SAVED, e) < 0 ||
	    dir_make(spec->run_fd, CH_FOLDER_SAVED, 0755, e) < 0 ||
	    file_write_replace(spec->run_fd, FILE_CONFIG, config.buf, config.len, 0444, e) < 0)
		return -1;
	return file_write_replace(spec->run_fd, FILE_STATE, text + begin + config_len, state_len,
				  0444, e);
}
