/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams between one process and one client.
 *
 * Output of the container's main process is read from the guest as fast as it comes, whatever the
 * attached clients do: what a client has no credit for goes to an unnamed file of its own beside the
 * container's log and follows from there, byte for byte (the log itself would not do: it is no exact
 * copy of binary data). So a client that stalls loses nothing, stalls nobody, and costs disk space like
 * the log, but no memory. While the file cannot be written (the disk is full), memory takes its place, up
 * to a limit; beyond that the client is told that it is cut off.
 *
 * Output of an exec has one reader, which is why that process exists: it waits for its reader as in a
 * pipe, by not giving the agent credit. Input is coupled in the same way in the other direction.
 */
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "engine/monitor_priv.h"

/* The agent's credit, or the client's, bounds what is held in memory. */
#define HELD_MAX (2u * CONN_WINDOW)
/* What an outlet without a coupling holds while the disk is full, and what all of them do. */
#define SPARE_MAX	(4u * 1024 * 1024)
#define SPARE_TOTAL_MAX (16u * 1024 * 1024)
/* Pieces of the spill file that were read are given back to the file system. */
#define SPILL_PUNCH (4u * 1024 * 1024)

void outlet_init(struct outlet *o)
{
	memset(o, 0, sizeof(*o));
	o->end.is_outlet = true;
	o->spill = -1;
	str_init(&o->held, SPARE_MAX);
}

void outlet_release(struct outlet *o)
{
	str_release(&o->held);
	fd_close(o->spill);
	o->spill = -1;
	o->end.stream = 0;
}

static bool is_connected(const struct stream_end *end)
{
	return end->stream != 0 && end->peer && !end->peer->gone && !end->peer->lost;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* As much as there is credit for. That conn_credit said 0 at last makes the connection tell when there is
 * more. */
static size_t send_some(struct conn *conn, uint32_t stream, const char *p, size_t n)
{
	size_t done = 0, k;

	while (done < n && (k = min_size(conn_credit(conn, stream), n - done)) > 0) {
		conn_send_data(conn, stream, p + done, k);
		done += k;
	}
	return done;
}

static bool is_behind(const struct outlet *o)
{
	return o->held.len > 0 || o->spill_read < o->spill_end;
}

static int spill(struct outlet *o, const char *p, size_t n, struct err *e)
{
	if (o->spill < 0 && fd_open_tmp(o->end.peer->m->dir, 0600, &o->spill, e) < 0)
		return -1;
	if (fd_pwrite_full(o->spill, p, n, (off_t)o->spill_end, e) < 0)
		return -1;
	o->spill_end += n;
	return 0;
}

static size_t held_by_all(const struct monitor *m)
{
	const struct peer *p;
	size_t total = 0;

	for (p = m->peers; p; p = p->next)
		total += p->out[LOG_STDOUT].held.len + p->out[LOG_STDERR].held.len;
	return total;
}

/* To the file, or behind what could not be written to it. */
static void keep(struct outlet *o, const char *p, size_t n)
{
	struct err e = ERR_INIT;

	if (o->held.len > 0 && spill(o, o->held.buf, o->held.len, &e) == 0)
		str_clear(&o->held);
	if (o->held.len == 0 && !err_is_set(&e) && spill(o, p, n, &e) == 0)
		return;
	if (n <= SPARE_MAX - o->held.len && n + held_by_all(o->end.peer->m) <= SPARE_TOTAL_MAX)
		str_addn(&o->held, p, n);
	else
		peer_lose(o->end.peer, e.msg);
}

size_t outlet_write(struct outlet *o, const char *p, size_t n)
{
	size_t sent = 0;

	if (!is_connected(&o->end))
		return n;
	if (!is_behind(o))
		sent = send_some(o->end.peer->conn, o->end.stream, p, n);
	if (sent == n)
		return n;
	if (o->coupled) {
		str_addn(&o->held, p + sent, n - sent);
		return sent;
	}
	keep(o, p + sent, n - sent);
	return n;
}

static void finish_if_done(struct outlet *o)
{
	if (o->ended && !is_behind(o) && is_connected(&o->end))
		conn_send_eof(o->end.peer->conn, o->end.stream);
}

void outlet_end(struct outlet *o)
{
	o->ended = true;
	finish_if_done(o);
}

static void give_back_space(struct outlet *o, uint64_t from)
{
	uint64_t begin = from / SPILL_PUNCH * SPILL_PUNCH;
	uint64_t end = o->spill_read / SPILL_PUNCH * SPILL_PUNCH;

	if (end > begin && fallocate(o->spill, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				     (off_t)begin, (off_t)(end - begin)) < 0)
		log_debug("cannot punch the spill file");
}

static void resume_spill(struct outlet *o)
{
	struct conn *conn = o->end.peer->conn;
	uint64_t from = o->spill_read;
	struct err e = ERR_INIT;
	char buf[16 * 1024];
	size_t n;

	while (o->spill_read < o->spill_end && (n = conn_credit(conn, o->end.stream)) > 0) {
		n = min_size(min_size(n, sizeof(buf)), o->spill_end - o->spill_read);
		if (fd_pread_full(o->spill, buf, n, (off_t)o->spill_read, &e) != (ssize_t)n) {
			peer_lose(o->end.peer, e.msg);
			return;
		}
		conn_send_data(conn, o->end.stream, buf, n);
		o->spill_read += n;
	}
	give_back_space(o, from);
	if (o->spill_read == o->spill_end) {
		/* Caught up; the next delay begins with a new file. */
		fd_close(o->spill);
		o->spill = -1;
		o->spill_read = o->spill_end = 0;
	}
}

void outlet_resume(struct outlet *o)
{
	size_t n;

	if (is_connected(&o->end) && o->spill_read < o->spill_end)
		resume_spill(o);
	if (!is_connected(&o->end))
		return;
	if (o->held.len > 0 && o->spill_read == o->spill_end) {
		n = send_some(o->end.peer->conn, o->end.stream, o->held.buf, o->held.len);
		str_consume(&o->held, n);
		if (o->process && o->coupled)
			process_consumed(o->process, o->which, n);
	}
	finish_if_done(o);
}

bool outlet_is_done(const struct outlet *o)
{
	return !is_connected(&o->end) || !is_behind(o);
}

/* ---- input ------------------------------------------------------------------------------------- */

void inlet_init(struct inlet *i)
{
	memset(i, 0, sizeof(*i));
	str_init(&i->held, HELD_MAX);
}

void inlet_release(struct inlet *i)
{
	str_release(&i->held);
	i->end.stream = 0;
}

static void give_credit(struct inlet *i, size_t n)
{
	if (is_connected(&i->end))
		conn_consumed(i->end.peer->conn, i->end.stream, n);
}

/* Nobody will ever read it. */
static bool is_dead(const struct inlet *i)
{
	const struct process *p = i->process;

	return p && (p->ended || p->in_ended || !p->in || !agent_is_up(p->m));
}

void inlet_write(struct inlet *i, const char *p, size_t n)
{
	size_t sent = 0;

	if (is_dead(i)) {
		give_credit(i, n);
		return;
	}
	if (i->process && i->held.len == 0)
		sent = send_some(i->process->m->agent.conn, i->process->in, p, n);
	if (sent < n)
		str_addn(&i->held, p + sent, n - sent);
	give_credit(i, sent);
}

/* Docker's rule: the main process's input stays open for the next client, unless it was to have only one.
 * A terminal has no end. */
static bool ends_process_input(const struct inlet *i)
{
	const struct process *p = i->process;

	return p->kind != PROCESS_MAIN || (p->m->spec.stdin_once && !p->tty);
}

static void finish_input_if_done(struct inlet *i)
{
	if (i->ended && i->held.len == 0 && i->process && !is_dead(i) && ends_process_input(i))
		conn_send_eof(i->process->m->agent.conn, i->process->in);
}

void inlet_end(struct inlet *i)
{
	i->ended = true;
	finish_input_if_done(i);
}

void inlet_resume(struct inlet *i)
{
	size_t n;

	if (!i->process)
		return;
	if (is_dead(i)) {
		give_credit(i, i->held.len);
		str_clear(&i->held);
		/* The process reads no more: the client need not send. */
		if (is_connected(&i->end))
			conn_send_eof(i->end.peer->conn, i->end.stream);
		return;
	}
	if (i->held.len > 0) {
		n = send_some(i->process->m->agent.conn, i->process->in, i->held.buf, i->held.len);
		str_consume(&i->held, n);
		give_credit(i, n);
	}
	finish_input_if_done(i);
}
