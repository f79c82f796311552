/* SPDX-License-Identifier: Apache-2.0 */
/* See vmdk.h. */
#include "vmm/vmdk.h"

#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

#define SECTOR 512

static int check_path(const char *path, struct err *e)
{
	size_t n = strlen(path);

	if (path[0] != '/')
		return err_set(e, ERR_INVALID, "path of a disk's file '%s' is not absolute", path);
	if (n > VMDK_PATH_MAX)
		return err_set(e, ERR_INVALID,
			       "path of a disk's file is longer than %d bytes: '%s'", VMDK_PATH_MAX,
			       path);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f || path[i] == '"')
			return err_set(e, ERR_INVALID,
				       "a quote or control character in the path of a disk's file");
	return 0;
}

static int add_extent(struct str *out, const char *path, uint64_t size, struct err *e)
{
	if (check_path(path, e) < 0)
		return -1;
	str_addf(out, "RW %" PRIu64 " FLAT \"%s\" 0\n", size / SECTOR, path);
	return 0;
}

int vmdk_write(const struct vmm_file *files, size_t nfiles, const char *pad, uint64_t total,
	       struct str *ret, struct err *e)
{
	uint64_t left = total;

	/* The content id only has to be there: nothing refers to it without a parent. */
	str_add(ret, "# Disk DescriptorFile\n"
		     "version=1\n"
		     "CID=fffffffe\n"
		     "parentCID=ffffffff\n"
		     "createType=\"twoGbMaxExtentFlat\"\n"
		     "# Extent description\n");
	for (size_t i = 0; i < nfiles; i++) {
		const struct vmm_file *f = &files[i];

		if (f->size == 0 || f->size % SECTOR != 0)
			return err_set(e, ERR_INVALID,
				       "size of '%s' is not a positive multiple of %d: %" PRIu64,
				       f->path, SECTOR, f->size);
		if (f->size > left)
			return err_set(e, ERR_INVALID,
				       "files do not fit into a disk of %" PRIu64 " bytes", total);
		if (add_extent(ret, f->path, f->size, e) < 0)
			return -1;
		left -= f->size;
	}
	if (left % SECTOR != 0)
		return err_set(e, ERR_INVALID, "size of a disk is not a multiple of %d", SECTOR);
	if (left > 0 && add_extent(ret, pad, left, e) < 0)
		return -1;
	if (ret->over || ret->len > VMDK_TEXT_MAX)
		return err_set(e, ERR_INVALID, "a disk of %zu files is described by too much text",
			       nfiles);
	return 0;
}

int vmdk_write_disks(const struct vmm_spec *spec, struct err *e)
{
	for (size_t i = 0; i < spec->ndisks; i++) {
		const struct vmm_disk *d = &spec->disks[i];
		auto_str struct str text = STR_INIT(VMDK_TEXT_MAX);
		auto_free char *name = xasprintf("%s.vmdk", d->serial);

		if (!vmm_disk_is_joined(d))
			continue;
		if (vmdk_write(d->files, d->nfiles, spec->pad, VMM_JOINED_SIZE, &text, e) < 0)
			return err_wrap(e, "disk '%s'", d->serial);
		if (file_write_replace(spec->run_fd, name, text.buf, text.len, 0444, e) < 0)
			return -1;
	}
	return 0;
}
