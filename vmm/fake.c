/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* The least that a program of this VMM may have as a driver: no real disks. */

struct fake {
	unsigned asked, answered; /* requests */
};

/* Like a hypervisor of which older versions can do less: KVBOX_FAKE=apart is one that joins no files. */
static int fake_examine(const char *binary, struct vmm_binary *ret, struct err *e)
{
	const char *mode = getenv("KVBOX_FAKE");

	(void)binary;
	(void)e;
	if (mode && strcmp(mode, "apart") == 0)
		ret->caps &= ~(unsigned)VMM_CAP_JOINED;
	snprintf(ret->version, sizeof(ret->version), "1");
	return 0;
}

static int fake_start(const struct vmm_spec *spec, struct vmm *ret, struct err *e)
{
	auto_close int channel = -1, guest = -1, control = -1, theirs = -1;
	char name[] = "kvbox-fake-vmm", kvm[] = "kvm", tcg[] = "tcg";
	char *const argv[] = { name, spec->kvm ? kvm : tcg, NULL };
	struct spawn_fd fds[5];
	struct spawn s = {
		.path = spec->binary,
		.argv = argv,
		.fds = fds,
		.cwd = -1,
		.cgroup = spec->cgroup_fd,
		.die_with_parent = true,
	};
	int pair[2];

	if (fd_socketpair(pair, e) < 0)
		return -1;
	channel = pair[0];
	guest = pair[1];
	if (fd_socketpair(pair, e) < 0)
		return -1;
	control = pair[0];
	theirs = pair[1];
	if (fd_set_nonblock(channel, true, e) < 0 || fd_set_nonblock(control, true, e) < 0)
		return -1;
	if (spec->console_fd >= 0)
		fds[s.nfds++] = (struct spawn_fd){ spec->console_fd, STDOUT_FILENO };
	if (spec->log_fd >= 0)
		fds[s.nfds++] = (struct spawn_fd){ spec->log_fd, STDERR_FILENO };
	fds[s.nfds++] = (struct spawn_fd){ guest, 3 };
	fds[s.nfds++] = (struct spawn_fd){ theirs, 4 };
	if (spec->vm_lock_fd >= 0)
		fds[s.nfds++] = (struct spawn_fd){ spec->vm_lock_fd, 5 };
	if (spawn_start(&s, &ret->proc, e) < 0)
		return -1;
	ret->channel_kind = VMM_CHANNEL_SERIAL;
	ret->channel = take_fd(&channel);
	ret->control = take_fd(&control);
	ret->priv = xcalloc(1, sizeof(struct fake));
	return 0;
}

static int fake_event(struct vmm *vmm, struct vmm_event *ret, struct err *e)
{
	char c;
	ssize_t n = read(vmm->control, &c, 1);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_sys(e, "cannot read from the fake VMM");
	if (n == 0)
		return err_set(e, ERR_UNAVAILABLE, "the fake VMM has ended");
	*ret = (struct vmm_event){ .kind = c == 'P'   ? VMM_EVENT_PANIC
					   : c == 'S' ? VMM_EVENT_SHUTDOWN
					   : c == 'D' ? VMM_EVENT_DONE
						      : VMM_EVENT_READY };
	if (c == 'D')
		ret->request = ++((struct fake *)vmm->priv)->answered;
	return 1;
}

static int ask(struct vmm *vmm, char what, struct err *e)
{
	struct fake *f = vmm->priv;

	if (write(vmm->control, &what, 1) != 1)
		return err_sys(e, "cannot write to the fake VMM");
	return (int)++f->asked;
}

static int fake_pause(struct vmm *vmm, struct err *e)
{
	return ask(vmm, 'p', e);
}

static int fake_resume(struct vmm *vmm, struct err *e)
{
	return ask(vmm, 'c', e);
}

static void fake_release(struct vmm *vmm)
{
	fd_close(take_fd(&vmm->control));
	free(take_ptr(&vmm->priv));
}

const struct vmm_driver vmm_fake = {
	.name = "fake",
	.program = "kvbox-fake-vmm",
	.env = "KVBOX_FAKE_VMM",
	.package = "none",
	.caps = VMM_CAP_SOFTWARE | VMM_CAP_JOINED | VMM_CAP_PAUSE | VMM_CAP_POWEROFF |
		VMM_CAP_BY_NAME,
	.examine = fake_examine,
	.start = fake_start,
	.event = fake_event,
	.pause = fake_pause,
	.resume = fake_resume,
	.release = fake_release,
};
