/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The definition of a container: everything that does not change while it lives, as the user and
 * the image asked for it. Stored as containers/<id>/config.json (what the monitor reads) and in
 * the database (what commands read).
 */
#ifndef KVBOX_ENGINE_SPEC_H
#define KVBOX_ENGINE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/random.h"
#include "base/str.h"
#include "base/strv.h"

#define SPEC_FORMAT 1
#define SPEC_FILE   "config.json"
/* Limits on what is read back, far above what a kernel lets a process be started with. */
#define SPEC_TEXT_MAX ((size_t)16 << 20)

/* The health check, the image's already under the options. Times are nanoseconds, 0: the default. */
struct spec_health {
	struct strv
		test; /* Docker's form: "NONE" | "CMD" args... | "CMD-SHELL" line; empty: no check */
	int64_t interval, timeout, start_period, start_interval;
	int64_t retries;
};

struct container_spec {
	char *id;   /* 64 hex; empty until container_create */
	char *name; /* without a slash; empty: container_create makes one up */
	int64_t created_ns;

	char *image_ref;    /* as the user wrote it */
	char *image_id;	    /* sha256:... */
	char *platform;	    /* "linux/amd64" */
	char *chain;	    /* chain id, sha256:... */
	struct strv layers; /* diff ids, bottom first */

	struct strv args;	/* final: entrypoint and command */
	struct strv entrypoint; /* final, as inspect shows it; empty: null */
	struct strv cmd;	/* final, likewise */
	struct strv env;	/* final NAME=VALUE, in order */
	char *workdir;		/* as asked for; empty: "/" */
	char *user;		/* "", "name", "uid:gid", ... */
	char *hostname; /* empty until container_create, which takes the first 12 hex of the id */
	struct strv labels;	   /* key=value, of the image and the user's own over them */
	struct strv shell;	   /* the image's SHELL, for CMD-SHELL checks; empty: /bin/sh -c */
	struct strv exposed_ports; /* "80/tcp", the image's and --expose */
	struct strv volumes;	   /* the image's VOLUMEs: paths */

	bool tty;
	bool open_stdin;
	bool stdin_once;
	bool attach_stdin;
	bool attach_stdout;
	bool attach_stderr;
	bool auto_remove;

	int64_t memory;	     /* bytes, 0: not limited */
	int64_t nano_cpus;   /* 0: not limited */
	int64_t memory_swap; /* bytes of memory and swap together; -1: not limited, 0: not given */
	int64_t memory_reservation;
	int64_t memory_swappiness;	 /* 0 to 100, -1: not given */
	int64_t cpu_shares;		 /* Docker's scale of 1024; 0: not given */
	int64_t cpu_period, cpu_quota;	 /* microseconds, 0: not given */
	char *cpuset_cpus, *cpuset_mems; /* "0-2,4"; empty: all */
	int64_t pids_limit;		 /* 0 and less: not limited */
	bool oom_kill_disable;
	int64_t oom_score_adj;
	int64_t shm_size;    /* bytes of /dev/shm, 0: SPEC_SHM_SIZE_DEFAULT */
	struct strv ulimits; /* "nofile=1024:2048", soft and hard; -1: not limited */
	int64_t disk_size;   /* bytes of the writable disk, 0: the default */

	bool privileged;
	struct strv cap_add, cap_drop; /* "CAP_NET_ADMIN" or "ALL" */
	struct strv security_opts;     /* as written */
	bool no_new_privileges;
	bool unmasked;	/* security_opts say that no path is masked or read-only */
	char *seccomp;	/* empty: the default profile; "unconfined"; else a profile's JSON text */
	bool read_only; /* the root file system */
	struct strv tmpfs;   /* path=options, the path absolute and clean; options may be empty */
	struct strv sysctls; /* key=value */
	struct strv devices; /* host:container:permissions */
	struct strv device_rules;
	struct strv groups; /* --group-add: names or numbers, looked up in the image */
	bool init;	    /* an init of ours is process 1 */
	char *domainname;
	struct strv extra_hosts; /* name:address */
	struct strv dns, dns_search, dns_options;
	struct strv annotations; /* key=value */
	char *ipc_mode, *pid_mode, *uts_mode, *cgroupns_mode, *userns_mode,
		*runtime;	       /* as written */
	char *cidfile, *cgroup_parent; /* as written, for inspect only */

	char *log_driver;		     /* "json-file", "local" or "none"; empty: json-file */
	struct strv log_opts;		     /* key=value as written */
	int64_t log_max_size, log_max_files; /* rotation, out of log_opts; 0: none */
	struct strv storage_opts; /* key=value as written; disk_size has what they mean */

	char *restart_policy; /* "no", "always", "unless-stopped" or "on-failure"; "" counts as no */
	int64_t restart_max;  /* on-failure: how often at most, 0: no limit */
	struct spec_health health;

	char *vmm;	      /* which runs it: "cloud-hypervisor", "qemu"; empty: any */
	char *network_mode;   /* "none" */
	char *stop_signal;    /* "SIGTERM", "15", ... as written; empty: SIGTERM */
	int64_t stop_timeout; /* seconds, -1: for ever, SPEC_STOP_TIMEOUT_DEFAULT: not given */
};
#define SPEC_STOP_TIMEOUT_DEFAULT (-2)
#define SPEC_SHM_SIZE_DEFAULT	  ((int64_t)64 << 20)

/* Empty texts and lists, network "none", default stop timeout. */
void spec_init(struct container_spec *s);
void spec_release(struct container_spec *s);
#define auto_spec __attribute__((cleanup(spec_release)))

/* Appends the JSON text. */
void spec_write(const struct container_spec *s, struct str *out);
/* `ret` is initialised here. ERR_CORRUPT when the text is damaged or of a format that is not
 * known. */
int spec_read(const char *text, size_t n, struct container_spec *ret, struct err *e) MUST_CHECK;
/* From <dirfd>/config.json, dirfd being the container's folder. */
int spec_read_file(int dirfd, struct container_spec *ret, struct err *e) MUST_CHECK;
/* The command as `ps --no-trunc` shows it, without the quotes; the caller frees. */
char *spec_command(const struct container_spec *s);

#endif
