/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/oom.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "base/fd.h"
#include "base/mem.h"

struct watch {
	struct source source;
	void (*changed)(void *ctx);
	void *ctx;
};

static void ready(void *ctx, uint32_t events)
{
	struct watch *w = ctx;
	char buf[4096] __attribute__((aligned(8)));

	(void)events;
	/* What it says does not matter: there is one watch. */
	while (read(w->source.fd, buf, sizeof(buf)) > 0)
		;
	w->changed(w->ctx);
}

int oom_watch(struct loop *loop, const struct container *c, void (*changed)(void *ctx), void *ctx,
	      struct err *e)
{
	auto_close int fd = -1;
	struct watch *w;
	char path[64];

	if (!file_exists(c->cgroup, "memory.events"))
		return 0;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/memory.events", c->cgroup);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0)
		return err_sys(e, "cannot watch for a lack of memory");
	/* As long as the VM. */
	w = xcalloc(1, sizeof(*w));
	w->source = (struct source){ .fd = take_fd(&fd), .ready = ready, .ctx = w };
	w->changed = changed;
	w->ctx = ctx;
	loop_watch(loop, &w->source, EPOLLIN);
	return 0;
}

bool oom_happened(struct container *c)
{
	uint64_t now = cgroup_oom_kills(c->cgroup);
	bool more = now > c->oom_kills;

	c->oom_kills = now;
	return more;
}
