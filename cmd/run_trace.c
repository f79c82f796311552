/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_trace.h"

#include <string.h>

#include "base/clock.h"
#include "base/fd.h"

int run_trace_open(struct run_trace *t, const char *file, struct err *e)
{
	if (!file)
		return 0;
	t->last = clock_monotonic();
	if (fd_open(AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC, 0666, &t->fd, e) < 0)
		return -1;
	t->file = file;
	return 0;
}

void run_trace_phase(struct run_trace *t, const char *name)
{
	int64_t now;

	if (!t->file)
		return;
	now = clock_monotonic();
	trace_add(&t->trace, "kvbox", name, t->last, now);
	t->last = now;
}

int run_trace_merge(struct run_trace *t, const char *document, struct err *e)
{
	if (!t->file || !document)
		return 0;
	if (trace_read(&t->trace, document, strlen(document), e) < 0)
		return err_wrap(e, "cannot read the monitor's trace");
	return 0;
}

int run_trace_finish(struct run_trace *t, struct err *e)
{
	auto_str struct str out = STR_INIT(STR_HUGE);

	if (!t->file)
		return 0;
	trace_write(&t->trace, &out);
	if (fd_write_full(t->fd, out.buf, out.len, e) < 0)
		return err_wrap(e, "cannot write '%.200s'", t->file);
	return 0;
}

void run_trace_release(struct run_trace *t)
{
	fd_close(t->fd);
	trace_release(&t->trace);
}
