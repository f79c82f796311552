/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/bundled.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"
#include "vmm/bundle.h"
#include "vmm/guestfiles.h"

#define DIR_BUNDLE "bundle"
#define VARIABLE   "KVBOX_LIBEXEC"

int bundled_use(struct paths *p, struct err *e)
{
	auto_free char *self = NULL, *beside = NULL, *name = NULL, *folder = NULL;
	auto_close int dir = -1;
	const char *set = getenv(VARIABLE);

	if (set && *set)
		return 0;
	beside = guest_libexec_path("vmlinux", e);
	if (!beside)
		return -1;
	if (file_exists(AT_FDCWD, beside))
		return 0;
	self = proc_own_path(e);
	if (!self)
		return -1;
	if (!bundle_is_there(self))
		return 0;
	if (paths_make(p, e) < 0 || dir_make(p->root_fd, DIR_BUNDLE, 0700, e) < 0 ||
	    fd_open_dir(p->root_fd, DIR_BUNDLE, &dir, e) < 0 ||
	    bundle_unpack(self, dir, &name, e) < 0)
		return -1;
	folder = xasprintf("%s/" DIR_BUNDLE "/%s", p->root, name);
	return setenv(VARIABLE, folder, 1) < 0 ? err_sys(e, "cannot set " VARIABLE) : 0;
}
