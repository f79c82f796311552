/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers of this VM: what container.setup makes and processes are started in.
 *
 * A container's files are mounted in the agent's own mount namespace, below /c/<12 digits of its
 * id>:
 *
 *	layers/		EROFS, the image
 *	upper/		ext4, the writable disk: data/ and work/ of overlayfs
 *	root/		overlayfs over both, with /dev and the generated files in /etc mounted in it
 *	files/		the generated files
 *
 * The first process gets a copy of that namespace with root/ as its root (child.h); the agent keeps
 * its mounts, so that everything can be unmounted when the last process is gone.
 */
#ifndef KVBOX_AGENT_CONTAINER_H
#define KVBOX_AGENT_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/cgroup.h"
#include "base/err.h"
#include "base/strv.h"

#define CONTAINER_ID_SIZE    64
#define CONTAINER_LAYERS_MAX 128

/* What container.setup asks for. */
struct container_setup {
	char *id;
	char *hostname;
	char *joined;	    /* serial of the joined disk, or NULL: */
	char *chain;	    /* serial of the chain's disk, */
	struct strv layers; /* and of the layers' */
	char *upper;
	bool is_volatile; /* nothing has to survive this VM */
	char *domainname; /* NULL: none */
	bool privileged, read_only, init;
	int64_t shm_size; /* bytes, 0: the default */
	struct cgroup_limits limits;
	struct strv hosts;	 /* more lines for /etc/hosts */
	struct strv resolv_conf; /* lines of /etc/resolv.conf */
	struct strv tmpfs;	 /* path=options */
	struct strv devices;	 /* source:path:permissions */
	struct strv masked, readonly_paths;
	struct strv sysctls; /* name=value */
};

void container_setup_release(struct container_setup *s);

struct container {
	char id[CONTAINER_ID_SIZE + 1];
	char dir[32]; /* /c/<12 digits> */
	struct container_setup setup;
	struct strv disks;	/* the kernel's names of them: "vda" */
	int64_t mounted_us;	/* when its root file system was there (boot_us) */
	uint64_t oom_kills;	/* that were told */
	uint64_t memory_before; /* bytes that the guest needed without it (stats.h) */
	int cgroup;
	int pts;	/* its /dev/pts */
	int main_pidfd; /* of process 1, -1 when it does not run: it holds the namespaces */
	struct container *next;
};

/*
 * What every container needs, done while the monitor has nothing to ask: loopback, cgroups, a /dev.
 */
int container_prepare(struct err *e) MUST_CHECK;

/*
 * Mounts everything and takes the contents of `s`. ERR_NOT_FOUND when a disk is not there: nothing was
 * done then, and it may be tried again. After any other error the VM is of no use.
 */
int container_make(struct container_setup *s, struct container **ret, struct err *e) MUST_CHECK;
void container_free(struct container *c);

/* Unmounts what container_make mounted; its processes have ended. `trim` gives free blocks back. */
int container_unmount(const struct container *c, bool trim, struct err *e) MUST_CHECK;

#endif
