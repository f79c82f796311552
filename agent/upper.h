/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's writable disk: an ext4 with what overlayfs wants there,
 *
 *	data/	the upper folder: at first with the attributes of the image's root folder, and with
 *		the empty places for what is mounted in every container, where the image has none
 *	work/	overlayfs's own
 *
 * work/ is made last and says that data/ is complete, so a VM that is killed in between leaves nothing
 * half done. Places could as well be made in the mounted root, as those are that are missing later
 * (root.h); but then overlayfs copies /etc, which is most of the work.
 *
 * All functions work in the container's folder, where the image is mounted on "layers".
 */
#ifndef KVBOX_AGENT_UPPER_H
#define KVBOX_AGENT_UPPER_H

#include <stdbool.h>

#include "base/err.h"

/* Mounts the disk on "upper", with all it needs. `is_volatile`: nothing has to survive this VM. */
int upper_mount(const char *device, bool is_volatile, struct err *e) MUST_CHECK;

/* Only the folders. *ret_new tells that there were none. */
int upper_make_folders(bool *ret_new, struct err *e) MUST_CHECK;

/* Brings what was written to the disk, and gives free blocks back to the host. */
void upper_trim(const char *path);

#endif
