/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIFE_FINISH: somebody folds the last state.json into the store, which this process never opens.
 *
 * A client that waits for the end, and has said that it has the store open ("finishes"), is asked first: that
 * saves a program and its opening of the store. It may be stopped, killed, or busy with something else. So when
 * it fails, goes away, or has said nothing for a while, `kvbox finish` does it, beside it if need be: who comes
 * second finds it done, or goes on where the other was killed.
 */
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor_priv.h"

/* A client needs some milliseconds. */
#define CLIENT_TIMEOUT 1

static void on_finished(evutil_socket_t fd, short what, void *ctx)
{
	struct monitor *m = ctx;
	struct err e = ERR_INIT;
	int status = 0;

	(void)fd;
	(void)what;
	if (spawn_try_wait(&m->finish.program, &status, &e) == 0) {
		event_add(m->finish.ended, NULL);
		return;
	}
	if (status != 0)
		log_debug("finish ended with %d", status);
	monitor_event_free(&m->finish.ended);
	proc_release(&m->finish.program);
	monitor_set_life(m, LIFE_DRAIN);
	monitor_settle(m);
}

static int spawn_program(struct monitor *m, struct err *e)
{
	auto_free char *self = proc_own_path(e);
	char verb[] = "finish", name[] = "kvbox";
	char *const argv[] = { name, verb, m->id, NULL };
	const struct spawn_fd fds[] = { { STDERR_FILENO, STDERR_FILENO } };
	const struct spawn s = {
		.path = self,
		.argv = argv,
		.fds = fds,
		.nfds = 1,
		.cwd = -1,
		.cgroup = -1,
	};

	if (!self || spawn_start(&s, &m->finish.program, e) < 0)
		return -1;
	m->finish.ended = monitor_event(m, m->finish.program.pidfd, EV_READ, on_finished, m);
	event_add(m->finish.ended, NULL);
	return 0;
}

static void by_program(struct monitor *m)
{
	struct err e = ERR_INIT;

	m->finish.client = NULL;
	event_del(m->deadline);
	log_debug("a program is started to finish");
	if (spawn_program(m, &e) == 0)
		return;
	/* The next command that meets the container does it. */
	log_debug("cannot run finish: %s", e.msg);
	monitor_set_life(m, LIFE_DRAIN);
}

/* Who is attached does nothing else; `stop` of several containers may be waiting for another one. */
static struct peer *find_willing(struct monitor *m)
{
	struct peer *found = NULL, *p;

	for (p = m->peers; p; p = p->next) {
		if (p->finishes && !p->gone && !p->closing && !p->over && (!found || p->attached))
			found = p;
	}
	return found;
}

bool finish_has_client(struct monitor *m)
{
	return find_willing(m) != NULL;
}

void finish_begin(struct monitor *m, bool may_ask)
{
	auto_message_out struct message_out out = MESSAGE_OUT_INIT;
	struct peer *p = may_ask ? find_willing(m) : NULL;

	if (!p) {
		by_program(m);
		return;
	}
	log_debug("a client is asked to finish");
	m->finish.client = p;
	monitor_add_timer(m->deadline,
			  monitor_seconds("KVBOX_FINISH_TIMEOUT", CLIENT_TIMEOUT) * MONITOR_SECOND);
	message_out_event(&out, "finish");
	peer_send(p, &out);
}

int finish_answered(struct peer *p, const char *error, struct err *e)
{
	struct monitor *m = p->m;

	if (m->finish.client != p)
		return err_set(e, ERR_CONFLICT, "somebody else was asked to finish");
	if (*error) {
		log_debug("a client could not finish: %s", error);
		by_program(m);
		return 0;
	}
	m->finish.client = NULL;
	monitor_set_life(m, LIFE_DRAIN);
	return 0;
}

void finish_overdue(struct monitor *m)
{
	log_debug("the client that was asked to finish does not answer");
	by_program(m);
}

void finish_peer_gone(struct peer *p)
{
	if (p->m->finish.client == p)
		by_program(p->m);
}
