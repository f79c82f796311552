/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trim.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include "base/fd.h"

/* Eight of ext4's groups. */
#define PIECE ((uint64_t)1 << 30)
/* Time for others; a timer of none would not be one. */
#define PAUSE_MS 1

bool trim_is_on(const struct trim *t)
{
	return t->loop != NULL;
}

void trim_cancel(struct trim *t)
{
	if (!trim_is_on(t))
		return;
	loop_timer_stop(t->loop, &t->timer);
	fd_close(t->fd);
	t->loop = NULL;
}

static void next_piece(void *ctx)
{
	struct trim *t = ctx;
	struct fstrim_range range = { .start = t->at, .len = PIECE };

	/* Behind the end there is nothing but an error; a disk without discard has just as little to give. */
	if (ioctl(t->fd, FITRIM, &range) < 0) {
		trim_cancel(t);
		t->done(t->ctx, t->freed);
		return;
	}
	t->freed += range.len;
	t->at += PIECE;
	loop_timer_set(t->loop, &t->timer, PAUSE_MS);
}

int trim_begin(struct trim *t, struct loop *loop, const char *path,
	       void (*done)(void *ctx, uint64_t freed), void *ctx, struct err *e)
{
	int fd;

	if (trim_is_on(t))
		return err_set(e, ERR_CONFLICT, "free blocks are being given back already");
	if (fd_open_dir(AT_FDCWD, path, &fd, e) < 0)
		return -1;
	*t = (struct trim){ .loop = loop, .fd = fd, .done = done, .ctx = ctx };
	t->timer = (struct timer){ .fire = next_piece, .ctx = t };
	loop_timer_set(loop, &t->timer, PAUSE_MS);
	return 0;
}
