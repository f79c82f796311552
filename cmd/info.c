/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/human.h"
#include "cmd/verbs.h"
#include "cmd/version.h"
#include "engine/container.h"
#include "engine/image.h"
#include "vmm/guestfiles.h"
#include "vmm/select.h"
#include "vmm/size.h"

#define TEXT_LIMIT 4096

struct counts {
	size_t all, running, paused, stopped, images;
};

static int count(struct cmd *c, struct counts *ret, struct err *e)
{
	const struct container_filter filter = { .all = true };
	auto_container_list struct container_list list = CONTAINER_LIST_INIT;
	auto_image_rows struct image_rows images = IMAGE_ROWS_INIT;

	if (container_list(c->store, &filter, &list, e) < 0 || image_list(c->store, &images, e) < 0)
		return -1;
	*ret = (struct counts){ .all = list.n, .images = images.n };
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

/* PRETTY_NAME of os-release; the caller frees. */
static char *system_name(void)
{
	static const char key[] = "\nPRETTY_NAME=\"";
	auto_str struct str text = STR_INIT(64 << 10);
	struct err ignored = ERR_INIT;
	const char *at;

	str_addc(&text, '\n');
	if (file_read(AT_FDCWD, "/etc/os-release", &text, &ignored) < 0)
		return xstrdup("Linux");
	at = strstr(text.buf, key);
	if (!at)
		return xstrdup("Linux");
	at += strlen(key);
	return xstrndup(at, strcspn(at, "\"\n"));
}

static void print_vmm(const struct cmd *c)
{
	const struct vmm_wish wish = { .run_fd = c->paths.run_fd };
	auto_vmm_choice struct vmm_choice choice = VMM_CHOICE_INIT;
	struct err e = ERR_INIT;

	if (vmm_select(&wish, &choice, &e) < 0) {
		printf(" VMM: none (%s)\n", e.msg);
		return;
	}
	printf(" VMM: %s\n  Binary: %s\n  Accelerator: %s\n  Reason: %s\n", choice.driver->name,
	       choice.binary, vmm_choice_accel(&choice), choice.reason ? choice.reason : "");
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
	auto_free char *name = system_name();
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

/* What Docker's users ask about the host. */
static void write_host(struct json_writer *w)
{
	auto_free char *name = system_name();
	char now[CLOCK_TEXT_SIZE];
	struct vmm_host host = { 0, 0 };
	struct err ignored = ERR_INIT;
	struct utsname uts;

	uname(&uts);
	(void)!vmm_host_read(&host, &ignored);
	clock_format(clock_now(), now);
	jw_str(w, "SystemTime", now);
	jw_str(w, "LoggingDriver", "json-file");
	jw_str(w, "CgroupDriver", "cgroupfs");
	jw_str(w, "CgroupVersion", "2"); /* the guest's */
	jw_str(w, "KernelVersion", uts.release);
	jw_str(w, "OperatingSystem", name);
	jw_str(w, "OSType", "linux");
	jw_str(w, "Architecture", uts.machine);
	jw_int(w, "NCPU", host.cpus);
	jw_int(w, "MemTotal", (int64_t)host.memory);
	jw_str(w, "Name", uts.nodename);
}

static void write_empty(struct json_writer *w, const char *key)
{
	jw_begin_array(w, key);
	jw_end(w);
}

static int print_format(const struct cmd *c, const struct counts *n, const char *format)
{
	auto_str struct str out = STR_INIT(64 << 10);
	struct json_writer w;

	jw_init(&w, &out, 0);
	jw_begin_object(&w, NULL);
	jw_int(&w, "Containers", (int64_t)n->all);
	jw_int(&w, "ContainersRunning", (int64_t)n->running);
	jw_int(&w, "ContainersPaused", (int64_t)n->paused);
	jw_int(&w, "ContainersStopped", (int64_t)n->stopped);
	jw_int(&w, "Images", (int64_t)n->images);
	jw_str(&w, "Driver", "erofs");
	write_empty(&w, "DriverStatus");
	write_host(&w);
	jw_str(&w, "DockerRootDir", c->paths.root);
	write_empty(&w, "Labels");
	jw_bool(&w, "ExperimentalBuild", false);
	jw_str(&w, "ServerVersion", version_text());
	jw_str(&w, "DefaultRuntime", "kvbox");
	jw_bool(&w, "LiveRestoreEnabled", true); /* there is no daemon that could stop */
	write_empty(&w, "SecurityOptions");
	write_empty(&w, "Warnings");
	jw_begin_object(&w, "ClientInfo");
	jw_str(&w, "Version", version_text());
	jw_str(&w, "Context", "default");
	jw_end(&w);
	jw_end(&w);
	return format_document(format, "system.dockerInfo", out.buf);
}

static int info_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct info_args *a = args;
	auto_tmpl struct tmpl *t = NULL;
	struct counts n;
	struct err e = ERR_INIT;

	(void)operands;
	if (a->format && *a->format && format_parse(a->format, &t, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return EXIT_TEMPLATE;
	}
	if (cmd_open(c, &e) < 0 || count(c, &n, &e) < 0)
		return cmd_fail(c, &e);
	if (t)
		return print_format(c, &n, a->format);
	printf("Client: kvbox\n Version:    %s\n\nServer:\n", version_text());
	printf(" Containers: %zu\n  Running: %zu\n  Paused: %zu\n  Stopped: %zu\n Images: %zu\n",
	       n.all, n.running, n.paused, n.stopped, n.images);
	printf(" Server Version: %s\n Storage Driver: erofs\n Logging Driver: json-file\n",
	       version_text());
	print_vmm(c);
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
