/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disks of a container's VM. Which there are depends on what its VMM can do: chain image and layers are
 * one disk where it joins files, else a disk each, and one file again (made once, engine/joined.h) where
 * there are more of them than room. The guest finds them by their serials.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/disk.h"
#include "engine/joined.h"
#include "engine/monitor_priv.h"

#define SERIAL_LAYERS "kvb-layers"
#define SERIAL_CHAIN  "kvb-chain"
#define SERIAL_UPPER  "kvb-upper"

enum root_kind { ROOT_JOINED, ROOT_DEVICES, ROOT_COPY };

static enum root_kind root_kind(const struct monitor *m)
{
	if (m->choice.about.caps & VMM_CAP_JOINED)
		return ROOT_JOINED;
	/* The chain image and the upper are disks as well. */
	return m->spec.layers.n + 2 <= VMM_DISKS_MAX ? ROOT_DEVICES : ROOT_COPY;
}

void vm_disks_release(struct vm_disks *d)
{
	for (size_t i = 0; i < d->nfiles; i++)
		mem_free_ptr(&d->files[i].path);
	free(d->files);
	free(d->serials);
}

static int add_file(struct vm_disks *d, const struct paths *paths, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(paths->root_fd, name, &st, 0) < 0)
		return err_sys(e, "cannot find '%s'", name);
	d->files[d->nfiles++] = (struct vmm_file){ paths_absolute(paths, name),
						   (uint64_t)st.st_size };
	return 0;
}

static int collect_files(struct monitor *m, struct vm_disks *d, struct err *e)
{
	const struct container_spec *s = &m->spec;
	char name[PATH_NAME_SIZE];

	d->files = xcalloc(s->layers.n + 2, sizeof(*d->files));
	if (add_file(d, &m->paths, path_container(m->id, DISK_FILE, name), e) < 0)
		return -1;
	if (root_kind(m) == ROOT_COPY)
		return add_file(d, &m->paths, joined_name(s->chain, name), e);
	if (add_file(d, &m->paths, path_chain(s->chain, name), e) < 0)
		return -1;
	for (size_t i = 0; i < s->layers.n; i++)
		if (add_file(d, &m->paths, path_layer(s->layers.v[i], name), e) < 0)
			return -1;
	return 0;
}

static void add_devices(struct vm_disks *d, size_t nlayers)
{
	d->serials = xcalloc(nlayers + 1, sizeof(*d->serials));
	d->disk[d->n++] = (struct vmm_disk){ SERIAL_CHAIN, true, false, &d->files[1], 1 };
	for (size_t i = 0; i < nlayers; i++) {
		snprintf(d->serials[i], VMM_SERIAL_MAX, "kvb-l%u", (unsigned)i);
		d->disk[d->n++] = (struct vmm_disk){ d->serials[i], true, false, &d->files[i + 2],
						     1 };
	}
}

bool vm_disks_missing(const struct monitor *m)
{
	char name[PATH_NAME_SIZE];

	return root_kind(m) == ROOT_COPY &&
	       !file_exists(m->paths.root_fd, joined_name(m->spec.chain, name));
}

int vm_disks_describe(struct monitor *m, struct vm_disks *ret, struct err *e)
{
	enum root_kind kind = root_kind(m);

	if (collect_files(m, ret, e) < 0)
		return -1;
	if (kind == ROOT_DEVICES)
		add_devices(ret, m->spec.layers.n);
	else
		ret->disk[ret->n++] = (struct vmm_disk){ SERIAL_LAYERS, true, kind == ROOT_JOINED,
							 &ret->files[1], ret->nfiles - 1 };
	ret->disk[ret->n++] = (struct vmm_disk){ SERIAL_UPPER, false, false, &ret->files[0], 1 };
	return 0;
}

void vm_disks_tell(const struct monitor *m, struct json_writer *w)
{
	auto_strv struct strv layers = STRV_INIT;

	jw_begin_object(w, "root");
	if (root_kind(m) == ROOT_DEVICES) {
		for (size_t i = 0; i < m->spec.layers.n; i++)
			strv_addf(&layers, "kvb-l%zu", i);
		jw_str(w, "chain", SERIAL_CHAIN);
		jw_strv(w, "layers", &layers);
	} else {
		jw_str(w, "joined", SERIAL_LAYERS);
	}
	jw_end(w);
	jw_str(w, "upper", SERIAL_UPPER);
}
