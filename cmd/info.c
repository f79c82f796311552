/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/info_confinement.h"
#include "cmd/info_doc.h"
#include "cmd/verbs.h"
#include "cmd/version.h"
#include "engine/bundled.h"
#include "engine/container.h"
#include "engine/image.h"
#include "vmm/binary.h"
#include "vmm/guestfiles.h"
#include "vmm/select.h"
#include "vmm/size.h"

#define TEXT_LIMIT 4096

static int count(struct cmd *c, struct info_counts *ret, struct err *e)
{
	const struct container_filter filter = { .all = true };
	auto_container_list struct container_list list = CONTAINER_LIST_INIT;
	auto_image_rows struct image_rows images = IMAGE_ROWS_INIT;

	if (container_list(c->store, &filter, &list, e) < 0 || image_list(c->store, &images, e) < 0)
		return -1;
	*ret = (struct info_counts){ .all = list.n, .images = images.n };
	for (size_t i = 0; i < list.n; i++) {
		const char *word = state_word(list.v[i].state);

		if (str_eq(word, "running"))
			ret->running++;
		else if (str_eq(word, "paused"))
			ret->paused++;
		else
			ret->stopped++;
	}
	return 0;
}

/* What one driver has to say for itself. */
struct driver_info {
	const char *name;
	char *binary; /* NULL: none */
	struct vmm_binary about;
	bool usable, chosen;
	struct vmm_choice choice; /* when it is usable */
	struct err why;		  /* when it is not */
};
#define DRIVERS_MAX 4

static void driver_info_release(struct driver_info *d)
{
	free(d->binary);
	vmm_choice_release(&d->choice);
}

/* As "--vmm NAME" would have it; and what there is of one that cannot be used now. */
static void look_at_driver(const struct cmd *c, const struct vmm_driver *driver,
			   const struct vmm_choice *chosen, struct driver_info *ret)
{
	const struct vmm_wish wish = { driver->name, NULL, c->paths.run_fd };
	struct err ignored = ERR_INIT;

	*ret = (struct driver_info){ .name = driver->name, .choice = VMM_CHOICE_INIT };
	ret->usable = vmm_select(&wish, &ret->choice, &ret->why) == 0;
	ret->chosen = chosen->driver == driver;
	ret->binary = vmm_binary_find(driver, &ignored);
	if (ret->usable)
		ret->about = ret->choice.about;
	else if (ret->binary && vmm_binary_examine(driver, ret->binary, c->paths.run_fd,
						   &ret->about, &ignored) < 0)
		ret->about.version[0] = '\0';
}

/* Those that "auto" may choose; returns how many. */
static size_t look_at_drivers(const struct cmd *c, const struct vmm_choice *chosen,
			      struct driver_info ret[DRIVERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; vmm_drivers[i] && n < DRIVERS_MAX; i++)
		if (!vmm_can(vmm_drivers[i], VMM_CAP_BY_NAME))
			look_at_driver(c, vmm_drivers[i], chosen, &ret[n++]);
	return n;
}

static void print_driver(const struct driver_info *d)
{
	if (d->usable)
		printf("  %s: %s%s%s\n", d->name, vmm_choice_accel(&d->choice),
		       d->choice.about.caps & VMM_CAP_JOINED ? ", joins layers" : "",
		       d->chosen ? " (chosen)" : "");
	else
		printf("  %s: not usable (%s)\n", d->name, d->why.msg);
	if (d->binary && d->about.version[0])
		printf("   Version: %s\n   Binary: %s\n", d->about.version, d->binary);
}

static void print_vmm(const struct cmd *c)
{
	const struct vmm_wish wish = { .run_fd = c->paths.run_fd };
	auto_vmm_choice struct vmm_choice choice = VMM_CHOICE_INIT;
	struct driver_info drivers[DRIVERS_MAX];
	struct err e = ERR_INIT;
	size_t n;

	if (vmm_select(&wish, &choice, &e) < 0)
		printf(" VMM: none (%s)\n", e.msg);
	else
		printf(" VMM: %s\n  Binary: %s\n  Version: %s\n  Accelerator: %s\n  Reason: %s\n",
		       choice.driver->name, choice.binary, choice.about.version,
		       vmm_choice_accel(&choice), choice.reason ? choice.reason : "");
	printf(" VMM Drivers:\n");
	n = look_at_drivers(c, &choice, drivers);
	for (size_t i = 0; i < n; i++) {
		print_driver(&drivers[i]);
		driver_info_release(&drivers[i]);
	}
}

static void write_vmms(struct json_writer *w, const struct cmd *c)
{
	const struct vmm_wish wish = { .run_fd = c->paths.run_fd };
	auto_vmm_choice struct vmm_choice choice = VMM_CHOICE_INIT;
	struct driver_info drivers[DRIVERS_MAX];
	struct err ignored = ERR_INIT;
	size_t n;

	(void)!vmm_select(&wish, &choice, &ignored);
	n = look_at_drivers(c, &choice, drivers);
	jw_begin_array(w, "VmmDrivers");
	for (size_t i = 0; i < n; i++) {
		struct driver_info *d = &drivers[i];

		jw_begin_object(w, NULL);
		jw_str(w, "Name", d->name);
		jw_str(w, "Binary", d->binary ? d->binary : "");
		jw_str(w, "Version", d->about.version);
		jw_bool(w, "Usable", d->usable);
		jw_bool(w, "Chosen", d->chosen);
		jw_str(w, "Accelerator", d->usable ? vmm_choice_accel(&d->choice) : "");
		jw_str(w, "Reason", d->usable ? d->choice.reason : d->why.msg);
		jw_end(w);
		driver_info_release(d);
	}
	jw_end(w);
}

static void print_guest(void)
{
	auto_guest_files struct guest_files guest = GUEST_FILES_INIT;
	struct err e = ERR_INIT;

	if (guest_files_find(&guest, &e) < 0) {
		printf(" Guest Kernel: none (%s)\n", e.msg);
		return;
	}
	printf(" Guest Kernel: %s\n", guest.kernel);
	if (guest.about && *guest.about)
		printf("  About: %s\n", guest.about);
	printf(" Guest Initramfs: %s\n", guest.initramfs);
}

static void print_host(void)
{
	auto_str struct str memory = STR_INIT(TEXT_LIMIT);
	auto_free char *name = info_system_name();
	struct vmm_host host = { 0, 0 };
	struct err ignored = ERR_INIT;
	struct utsname uts;

	uname(&uts);
	if (vmm_host_read(&host, &ignored) == 0)
		human_memory(&memory, (int64_t)host.memory);
	printf(" Kernel Version: %s\n Operating System: %s\n OSType: linux\n Architecture: %s\n "
	       "CPUs: %u\n"
	       " Total Memory: %s\n Name: %s\n",
	       uts.release, name, uts.machine, host.cpus, memory.buf, uts.nodename);
}

/* ---- --format ---- */

struct info_args {
	const char *format;
};

static int print_format(const struct cmd *c, const struct info_counts *n, const char *format)
{
	auto_str struct str out = STR_INIT(64 << 10);
	struct json_writer w;

	jw_init(&w, &out, 0);
	jw_begin_object(&w, NULL);
	info_doc_write(&w, n, &c->paths);
	write_vmms(&w, c);
	info_confinement_write(&w);
	jw_end(&w);
	return format_document(format, "system.dockerInfo", out.buf);
}

static int info_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct info_args *a = args;
	auto_tmpl struct tmpl *t = NULL;
	auto_close int bundle = -1;
	struct info_counts n;
	struct err e = ERR_INIT;

	(void)operands;
	if (a->format && *a->format && format_parse(a->format, &t, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return EXIT_TEMPLATE;
	}
	if (cmd_open(c, &e) < 0 || bundled_use(&c->paths, &bundle, &e) < 0 || count(c, &n, &e) < 0)
		return cmd_fail(c, &e);
	if (t)
		return print_format(c, &n, a->format);
	printf("Client: kvbox\n Version:    %s\n\nServer:\n", version_text());
	printf(" Containers: %zu\n  Running: %zu\n  Paused: %zu\n  Stopped: %zu\n Images: %zu\n",
	       n.all, n.running, n.paused, n.stopped, n.images);
	printf(" Server Version: %s\n Storage Driver: erofs\n Logging Driver: json-file\n"
	       " Cgroup Driver: cgroupfs\n Cgroup Version: 2\n Swarm: inactive\n Runtimes: kvbox\n"
	       " Default Runtime: kvbox\n Security Options:\n  seccomp\n   Profile: builtin\n"
	       "  cgroupns\n",
	       version_text());
	print_vmm(c);
	info_confinement_print();
	print_guest();
	print_host();
	printf(" Docker Root Dir: %s\n Run Root Dir: %s\n", c->paths.root, c->paths.runroot);
	return 0;
}

static const struct opt info_opts[] = {
	OPT_STR('f', "format", struct info_args, format, "string", FORMAT_HELP, COMP_NONE), OPT_END
};

const struct verb verb_info = {
	.name = "info",
	.max_operands = 0,
	.summary = "Show what this machine has for kvbox",
	.opts = info_opts,
	.argsize = sizeof(struct info_args),
	.main = info_main,
};
