/* SPDX-License-Identifier: Apache-2.0 */
/* The document behind `info --format`, in the order and with the names of Docker's. */
#ifndef KVBOX_CMD_INFO_DOC_H
#define KVBOX_CMD_INFO_DOC_H

#include "base/json.h"
#include "engine/paths.h"

struct info_counts {
	size_t all, running, paused, stopped, images;
};

/* Members of the object that is open. */
void info_doc_write(struct json_writer *w, const struct info_counts *n, const struct paths *p);
/* PRETTY_NAME of os-release; the caller frees. */
char *info_system_name(void);

#endif
