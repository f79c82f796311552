/* SPDX-License-Identifier: Apache-2.0 */
/* What a binary of Cloud Hypervisor is, and can do. */
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/binary.h"
#include "vmm/cloud_hypervisor_priv.h"

/*
 * Between v53 and v54 there are states of development with and without it, and distributions that take
 * what they want: so not the version is asked but the binary, for the type's name in its API.
 */
int ch_binary_joins(const char *binary, bool *ret, struct err *e)
{
	static const char name[] = "FlatVmdk";
	const size_t keep = sizeof(name) - 2, size = 256 * 1024;
	auto_free char *buf = xreallocarray(NULL, 1, size);
	auto_close int fd = -1;
	size_t have = 0;
	ssize_t n;

	*ret = false;
	if (fd_open(AT_FDCWD, binary, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	while ((n = fd_read_full(fd, buf + have, size - have, e)) > 0) {
		have += (size_t)n;
		if (memmem(buf, have, name, sizeof(name) - 1)) {
			*ret = true;
			return 0;
		}
		/* The name may go over the end of what was read. */
		if (have > keep) {
			memmove(buf, buf + have - keep, keep);
			have = keep;
		}
	}
	return n < 0 ? -1 : 0;
}

/* "cloud-hypervisor v53.0", with more lines behind it. */
int ch_examine(const char *binary, struct vmm_binary *ret, struct err *e)
{
	static const char before[] = "cloud-hypervisor ";
	auto_str struct str text = STR_INIT(8192);
	const char *at = "";
	bool joins;

	if (vmm_binary_output(binary, "--version", &text, e) < 0)
		return -1;
	if (str_has_prefix(text.buf, before))
		at = text.buf + strlen(before);
	if (vmm_binary_set_version(ret, *at == 'v' ? at + 1 : at, 51, 0, "Cloud Hypervisor", e) <
		    0 ||
	    ch_binary_joins(binary, &joins, e) < 0)
		return -1;
	if (!joins)
		ret->caps &= ~(unsigned)VMM_CAP_JOINED;
	/* Before v52 a restored VM had to be resumed by another request, and a tap was asked for its name and then
	 * opened by that. */
	if (str_has_prefix(ret->version, "51."))
		ret->caps &= ~(unsigned)(VMM_CAP_SAVE | VMM_CAP_TAPS);
	return 0;
}
