/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_host.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/env.h"
#include "cmd/run_part.h"

#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000

/* ---- checks of the table ---- */

/* What stands behind "/dev/sda:"; NULL with the error. */
static const char *device_value(const char *text, struct err *e)
{
	const char *value = strchr(text, ':');

	if (!value || value == text) {
		(void)err_set(e, ERR_INVALID, "bad format: %.200s", text);
		return NULL;
	}
	if (!str_has_prefix(text, "/dev/")) {
		(void)err_set(e, ERR_INVALID, "bad format for device path: %.200s", text);
		return NULL;
	}
	return value + 1;
}

int run_host_weight(const char *text, struct err *e)
{
	const char *value = device_value(text, e);
	struct err ignored = ERR_INIT;
	uint64_t weight;

	if (!value)
		return -1;
	if (parse_u64(value, WEIGHT_MAX, &weight, &ignored) == 0 &&
	    (weight == 0 || weight >= WEIGHT_MIN))
		return 0;
	return err_set(e, ERR_INVALID, "invalid weight for device: %.200s", text);
}

int run_host_bytes(const char *text, struct err *e)
{
	const char *value = device_value(text, e);
	struct err ignored = ERR_INIT;
	int64_t rate;

	if (!value)
		return -1;
	if (parse_size(value, &rate, &ignored) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
		       "invalid rate for device: %.100s. The correct format is "
		       "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is "
		       "optional and can be kb, mb, or gb",
		       text);
}

int run_host_operations(const char *text, struct err *e)
{
	const char *value = device_value(text, e);
	struct err ignored = ERR_INIT;
	uint64_t rate;

	if (!value)
		return -1;
	if (parse_u64(value, UINT64_MAX, &rate, &ignored) == 0)
		return 0;
	return err_set(e, ERR_INVALID,
		       "invalid rate for device: %.100s. The correct format is "
		       "<device-path>:<number>. Number must be a positive integer",
		       text);
}

/* Any of the kernel's, since the kernel is the container's own: Docker allows the namespaced ones only. */
int run_host_sysctl(const char *text, struct err *e)
{
	size_t n = strcspn(text, "=");
	size_t legal = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-/");
	const char *dot = strpbrk(text, "./");

	if (text[n] && legal == n && dot && dot > text && dot < text + n - 1 && *text != '-' &&
	    !strstr(text, "..") && !strstr(text, "//"))
		return 0;
	return err_set(e, ERR_INVALID, "sysctl '%.200s' is not allowed", text);
}

/* ---- namespaces ---- */

static bool is_container(const char *mode)
{
	return str_has_prefix(mode, "container:") && mode[strlen("container:")];
}

static bool is_one_of(const char *mode, const char *a, const char *b, const char *c)
{
	return !*mode || strcmp(mode, a) == 0 || (b && strcmp(mode, b) == 0) ||
	       (c && strcmp(mode, c) == 0);
}

/* Refused by kvbox itself: no engine is asked. */
static int check_shared(const char *option, const char *mode, struct err *e)
{
	if (strcmp(mode, "host") == 0)
		return err_set(e, ERR_INVALID,
			       "--%s=host cannot be had: the container has a kernel of its own, "
			       "and nothing of the host's processes is visible to it",
			       option);
	if (is_container(mode))
		return err_set(e, ERR_INVALID,
			       "--%s=%.100s cannot be had: each container has a virtual machine of "
			       "its own",
			       option, mode);
	return 0;
}

int run_host_set(const struct run_host *a, struct container_spec *spec, struct err *e)
{
	run_text(&spec->ipc_mode, a->ipc);
	run_text(&spec->pid_mode, a->pid);
	run_text(&spec->uts_mode, a->uts);
	run_text(&spec->userns_mode, a->userns);
	run_text(&spec->cgroupns_mode, a->cgroupns);
	run_text(&spec->runtime, a->runtime);
	run_text(&spec->cgroup_parent, a->cgroup_parent);
	spec->init = a->init;
	for (size_t i = 0; i < a->sysctls.n; i++)
		env_map_set(&spec->sysctls, a->sysctls.v[i]);
	if (!is_one_of(spec->pid_mode, "host", NULL, NULL) && !is_container(spec->pid_mode))
		return err_set(e, ERR_INVALID, "--pid: invalid PID mode");
	if (!is_one_of(spec->uts_mode, "host", NULL, NULL))
		return err_set(e, ERR_INVALID, "--uts: invalid UTS mode");
	if (!is_one_of(spec->userns_mode, "host", NULL, NULL))
		return err_set(e, ERR_INVALID, "--userns: invalid USER mode");
	if (!is_one_of(spec->cgroupns_mode, "host", "private", NULL))
		return err_set(e, ERR_INVALID, "--cgroupns: invalid CGROUP mode");
	return check_shared("ipc", spec->ipc_mode, e) < 0 ? -1
							  : check_shared("pid", spec->pid_mode, e);
}

/* The host's name is all that can be seen of its UTS namespace. */
static int check_uts(struct container_spec *spec, struct err *e)
{
	char name[HOST_NAME_MAX + 1] = "";

	if (!*spec->uts_mode)
		return 0;
	if (*spec->hostname)
		return err_set(e, ERR_INVALID, "conflicting options: hostname and the UTS mode");
	if (gethostname(name, sizeof(name)) < 0)
		return err_sys(e, "cannot get the host's name");
	name[HOST_NAME_MAX] = '\0';
	run_text(&spec->hostname, name);
	return 0;
}

static int check_namespaces(struct container_spec *spec, struct strv *warnings, struct err *e)
{
	if (check_uts(spec, e) < 0)
		return -1;
	if (!is_one_of(spec->ipc_mode, "none", "private", "shareable"))
		return err_set(e, ERR_INVALID, "invalid IPC mode: %.100s", spec->ipc_mode);
	if (*spec->userns_mode)
		strv_add(warnings, "--userns=host has no effect: there is no user namespace "
				   "between the container and its virtual machine.");
	if (strcmp(spec->cgroupns_mode, "host") == 0)
		strv_add(warnings, "--cgroupns=host shows the cgroups of the container's virtual "
				   "machine, not the host's.");
	return 0;
}

/* ---- schedulers ---- */

static int check_disk(const struct run_host *a, struct strv *warnings, struct err *e)
{
	int64_t weight = a->blkio_weight.v;

	if (weight && (weight < WEIGHT_MIN || weight > WEIGHT_MAX))
		return err_set(e, ERR_INVALID, "Range of blkio weight is from %d to %d", WEIGHT_MIN,
			       WEIGHT_MAX);
	if (weight || a->blkio_weights.n)
		strv_add(warnings, "Block I/O weights have no effect on the disk of a virtual "
				   "machine. Weight discarded.");
	if (a->read_bps.n || a->write_bps.n || a->read_iops.n || a->write_iops.n)
		strv_add(warnings, "The container has no such devices of the host. Block I/O "
				   "limits discarded.");
	return 0;
}

int run_host_check(const struct run_host *a, struct container_spec *spec, struct strv *warnings,
		   struct err *e)
{
	if (check_namespaces(spec, warnings, e) < 0 || check_disk(a, warnings, e) < 0)
		return -1;
	if (*spec->runtime)
		strv_addf(warnings, "--runtime %.100s has no effect.", spec->runtime);
	if (*spec->cgroup_parent)
		strv_addf(warnings,
			  "--cgroup-parent %.100s has no effect: the container is in a "
			  "cgroup of its virtual machine.",
			  spec->cgroup_parent);
	return 0;
}
