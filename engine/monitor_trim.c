/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running container has deleted goes back to the host's disk.
 *
 * The monitor looks at the file behind the writable disk every few minutes, and asks the agent only when
 * something was written to it and then nothing for as long again, or when it is never quiet. So a VM that does
 * nothing is left alone. Giving back is writing, too: when little came of it, the next time is later and
 * later.
 */
#include <sys/stat.h>

#include "base/log.h"
#include "engine/disk.h"
#include "engine/monitor_priv.h"

#define INTERVAL 180 /* seconds */
/* So many looks at a disk that is never quiet. */
#define PATIENCE 8
/* Less than that is little: bytes. */
#define WORTH	  ((int64_t)1 << 20)
#define DELAY_MAX 64u
/* A disk that takes less on the host has nothing to give: bytes. */
#define SMALL ((int64_t)16 << 20)

/* When the disk's file was written to last: ns, 0: not known, or it is small. */
static int64_t last_written(const struct monitor *m)
{
	struct stat st;

	if (fstatat(m->dir, DISK_FILE, &st, 0) < 0 || st.st_blocks * 512 < SMALL)
		return 0;
	return st.st_mtim.tv_sec * MONITOR_SECOND + st.st_mtim.tv_nsec;
}

static void look_again(struct monitor *m)
{
	monitor_add_timer(m->trim.timer,
			  monitor_seconds("KVBOX_TRIM_SECONDS", INTERVAL) * MONITOR_SECOND);
}

static void trimmed(struct monitor *m, void *ctx, const struct message *reply,
		    const struct err *error)
{
	struct trimming *t = &m->trim;
	int64_t freed = reply ? json_int(json_get(reply->json, "freed"), 0) : 0;

	(void)ctx;
	t->asked = false;
	if (error) {
		log_debug("cannot give free blocks back: %s", error->msg);
		return;
	}
	log_debug("%lld bytes of the disk were given back", (long long)freed);
	t->done = t->seen = last_written(m);
	if (freed >= WORTH)
		t->delay = 0;
	else if (t->delay < DELAY_MAX)
		t->delay = t->delay ? 2 * t->delay : 1;
	t->wait = t->delay;
}

static void ask(struct monitor *m)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;

	m->trim.asked = true;
	m->trim.busy = 0;
	agent_begin(m, &out, "container.trim");
	jw_str(&out.json, "container", m->id);
	agent_send(m, &out, trimmed, NULL);
}

static void look(struct monitor *m)
{
	struct trimming *t = &m->trim;
	int64_t now = last_written(m);
	bool quiet = now == t->seen;

	t->seen = now;
	if (t->wait > 0) {
		t->wait--;
		return;
	}
	if (now == 0 || now == t->done || t->asked || m->life != LIFE_RUN ||
	    m->pause.step != PAUSE_NONE)
		return;
	if (quiet || ++t->busy >= PATIENCE)
		ask(m);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;

	(void)fd;
	(void)what;
	look(m);
	look_again(m);
	monitor_settle(m);
}

void trim_open(struct monitor *m)
{
	m->trim.timer = monitor_event(m, -1, 0, on_timer, m);
}

void trim_release(struct monitor *m)
{
	monitor_event_free(&m->trim.timer);
}

void trim_begin(struct monitor *m)
{
	struct event *timer = m->trim.timer;

	m->trim = (struct trimming){ .timer = timer };
	m->trim.done = m->trim.seen = last_written(m);
	look_again(m);
}

void trim_end(struct monitor *m)
{
	event_del(m->trim.timer);
}
