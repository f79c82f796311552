/* SPDX-License-Identifier: Apache-2.0 */
/* `kvbox system template`: makes and removes saved VMs, and tells what they gain. */
#include <stdio.h>

#include "base/fd.h"
#include "cmd/cmd.h"
#include "cmd/human.h"
#include "cmd/verbs.h"
#include "engine/bundled.h"
#include "engine/template.h"

struct template_args {
	bool rm;
	const char *vmm;
	int64_t memory, nano_cpus;
};

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static int make(struct cmd *c, const struct template_args *a, struct template_report *ret,
		struct err *e)
{
	struct vmm_wish wish = { a->vmm, NULL, -1 };
	auto_vmm_choice struct vmm_choice choice = VMM_CHOICE_INIT;
	auto_guest_files struct guest_files guest = GUEST_FILES_INIT;
	struct template_want want = { &choice, &guest, { 0, 0 } };
	auto_close int bundle = -1;
	struct vmm_host host;

	if (paths_make(store_paths(c->store), e) < 0 || bundled_use(&c->paths, &bundle, e) < 0)
		return -1;
	wish.run_fd = store_paths(c->store)->run_fd;
	if (vmm_select(&wish, &choice, e) < 0 || guest_files_find(&guest, e) < 0 ||
	    vmm_host_read(&host, e) < 0)
		return -1;
	vmm_size_choose(&host, a->memory, a->nano_cpus, choice.kvm, &want.size);
	if (template_make(c->store, &want, ret, e) < 0)
		return -1;
	printf("%s: %s %s (%s), %u MiB, %u CPUs\n", ret->name, choice.driver->name,
	       choice.about.version, vmm_choice_accel(&choice), want.size.memory_mib,
	       want.size.vcpus);
	return 0;
}

static int template_main(struct cmd *c, void *args, const struct operands *operands)
{
	const struct template_args *a = args;
	struct template_report report;
	struct err e = ERR_INIT;
	auto_str struct str size = STR_INIT(64);
	unsigned n;

	(void)operands;
	if (cmd_open(c, &e) < 0)
		return cmd_fail(c, &e);
	if (a->rm) {
		if (template_remove_all(c->store, &n, &e) < 0)
			return cmd_fail(c, &e);
		printf("Templates removed: %u\n", n);
		return 0;
	}
	if (make(c, a, &report, &e) < 0)
		return cmd_fail(c, &e);
	human_size(&size, (int64_t)report.disk);
	printf("boot to the agent's hello:    %7.1f ms\n", ms(report.boot_ns));
	printf("save:                         %7.1f ms, %s\n", ms(report.save_ns), size.buf);
	printf("a copy to its first answer:   %7.1f ms\n", ms(report.resume_ns));
	return 0;
}

static const struct opt template_opts[] = {
	OPT_CPUS(0, "cpus", struct template_args, nano_cpus, "decimal",
		 "Of VMs for containers with this limit", COMP_NONE),
	OPT_SIZE('m', "memory", struct template_args, memory, "bytes",
		 "Of VMs for containers with this limit", COMP_NONE),
	OPT_BOOL(0, "rm", struct template_args, rm, "Remove all templates"),
	OPT_STR(0, "vmm", struct template_args, vmm, "string",
		"Virtual machine monitor: auto, cloud-hypervisor or qemu", COMP_NONE),
	OPT_END,
};

const struct verb verb_template = {
	.name = "template",
	.summary = "Save a booted virtual machine that containers can start from",
	.opts = template_opts,
	.argsize = sizeof(struct template_args),
	.main = template_main,
};
