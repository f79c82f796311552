/* SPDX-License-Identifier: Apache-2.0 */
/* Versions: of kvbox, and of Docker's API whose behaviour it shows. */
#ifndef KVBOX_CMD_VERSION_H
#define KVBOX_CMD_VERSION_H

#define VERSION_API	   "1.47"
#define VERSION_API_OLDEST "1.24"

const char *version_text(void);	  /* "0.1.0" */
const char *version_commit(void); /* seven hex digits, or "unknown" */
const char *version_arch(void);	  /* Go's name: "amd64" */

/* "kvbox version 0.1.0, build 1234567"; called as docker, "Docker version ..." (tools parse it). */
int version_print_line(const char *prog);

#endif
