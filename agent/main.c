/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvbox-agent: PID 1 of every VM.
 *
 * The order is for speed. First only what the channel needs: /proc, /sys, /dev, the kernel command
 * line, and where the drivers are modules those that make the channel's device appear. Then HELLO.
 * While the monitor reads it, the agent does what every container needs anyway. Waiting for devices
 * is by the kernel's events, never by looking again and again. The kernel keeps all signals from process 1 that
 * it has no handler for, SIGPIPE too.
 *
 * The same program is the init of a container that wants one (init.h), called by another name.
 *
 * It ends only by ending the VM. When it cannot go on it says why on the console; its death would
 * be a kernel panic, which the monitor reports with those lines.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/boot.h"
#include "agent/console.h"
#include "agent/init.h"
#include "agent/requests.h"
#include "agent/uevent.h"
#include "base/fd.h"

/* For klogctl: up to errors, as "quiet" has it. */
#define SYSLOG_ACTION_CONSOLE_LEVEL 8
#define CONSOLE_ERRORS		    4

struct init {
	struct agent agent;
	struct source uevents; /* fd -1: nothing had to be waited for yet */
	bool modules_left;
};

static void stop(struct init *init, const struct err *e) __attribute__((noreturn));

static void stop(struct init *init, const struct err *e)
{
	console_error("%s", e->msg);
	sync();
	agent_power_off(&init->agent);
}

static void open_channel(struct init *init)
{
	struct err e = ERR_INIT;

	if (channel_try_open(init->agent.channel, &e) < 0)
		stop(init, &e);
}

/* Neither open nor ended for a rest. */
static bool lacks_channel(const struct init *init)
{
	return !channel_is_open(init->agent.channel) && !channel_said_hello(init->agent.channel);
}

static void look_for_devices(struct init *init)
{
	if (lacks_channel(init))
		open_channel(init);
	if (!init->modules_left)
		boot_modules_again(&init->agent.modules);
	requests_devices_changed(&init->agent);
}

static void on_uevent(void *ctx, uint32_t events)
{
	struct init *init = ctx;

	(void)events;
	uevent_drain(init->uevents.fd);
	look_for_devices(init);
}

/* Listen, then look: what appears in between is not missed. In most VMs all is there from the start. */
static void watch_devices(struct init *init)
{
	struct err e = ERR_INIT;

	if (uevent_open(&init->uevents.fd, &e) < 0)
		stop(init, &e);
	loop_watch(init->agent.loop, &init->uevents, EPOLLIN);
	look_for_devices(init);
}

/*
 * Before each wait. When there is nothing else to do: modules, one at a time until the channel is
 * open and has said HELLO, and then what containers need.
 */
static bool turn(void *ctx, bool idle)
{
	struct init *init = ctx;
	struct agent *a = &init->agent;
	struct err e = ERR_INIT;
	int more = 0;

	if (channel_is_open(a->channel)) {
		more = channel_turn(a->channel, &e);
		if (more < 0 || requests_turn(a, &e) < 0)
			stop(init, &e);
	}
	if (init->uevents.fd < 0 &&
	    (lacks_channel(init) || init->modules_left || a->setup_request)) {
		watch_devices(init);
		return true;
	}
	if (more)
		return true;
	if (init->modules_left) {
		if (idle)
			init->modules_left = boot_modules_step(&a->modules);
		return init->modules_left;
	}
	if (!a->prepared && channel_said_hello(a->channel)) {
		if (!idle)
			return true;
		if (agent_prepare(a, &e) < 0)
			stop(init, &e);
	}
	return false;
}

static int start(struct init *init, int64_t start_us, struct err *e)
{
	struct agent *a = &init->agent;
	int modules;

	init->uevents = (struct source){ .fd = -1, .ready = on_uevent, .ctx = init };
	if (boot_mounts(&modules, e) < 0 || boot_options_read(&a->options, e) < 0 ||
	    loop_new(&a->loop, e) < 0)
		return -1;
	boot_modules_init(&a->modules, modules);
	init->modules_left = modules >= 0;
	/* What it complains of from here on is about this container, and worth its time. */
	if (a->options.silent_kernel)
		klogctl(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, CONSOLE_ERRORS);
	a->channel = channel_new(a->loop, &a->options, start_us, &requests_ops, a);
	if (channel_try_open(a->channel, e) < 0)
		return -1;
	a->processes = processes_new(a->loop, channel_conn(a->channel), &requests_process_ops, a);
	return 0;
}

int main(int argc, char **argv)
{
	static struct init init;
	/* Each process takes a few descriptors here. */
	static const struct rlimit nofile = { 1048576, 1048576 };
	int64_t start_us = boot_us();
	struct err e = ERR_INIT;

	if (init_is_wanted(argv[0]))
		return init_main(argc, argv);
	if (getpid() != 1)
		return 1;
	/*
	 * The container's processes must not look into this one, or into its children before they
	 * exec.
	 */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_NOFILE, &nofile);
	/* Modes are meant as they are written; processes of containers get Docker's. */
	umask(0);
	if (start(&init, start_us, &e) < 0)
		stop(&init, &e);
	loop_run(init.agent.loop, turn, &init);
}
