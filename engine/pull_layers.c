/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a layer comes in
 *
 * The body of the HTTP response is hashed (in registry/fetch.c) and written to a file, the blob.
 * Behind it, from the page cache of that file, the converter's pipe is fed as fast as it takes it.
 * So neither waits for the other: a slow registry does not hold up what has arrived, a slow
 * converter does not hold up the network, and nothing is kept in memory. When both are through,
 * blob and layer get their names.
 *
 *	JOB_WAITING -> JOB_FETCHING (blob missing) -> JOB_FEEDING -> JOB_CONVERTING -> JOB_DONE
 *
 * A converter that ends early, because the data is damaged, does not end the download: when the
 * blob is not what its digest says, that is the error to report.
 */
#include "engine/pull_layers.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/blob.h"
#include "engine/convert.h"

#define JOBS_AT_A_TIME	 3u
#define FEED_BYTES	 ((size_t)128 << 10)
#define WRITE_BACK_BYTES ((int64_t)8 << 20)
#define BAR_NS		 (100 * 1000000LL)

_Static_assert(LAYER_WRITER_VERSION == CONVERT_WRITER_VERSION, "the names of layers lie");

enum job_state { JOB_WAITING, JOB_FETCHING, JOB_FEEDING, JOB_CONVERTING, JOB_DONE };

struct job {
	struct pull *p;
	struct image_layer *layer;
	const struct job *same; /* an earlier one that does all of it */
	char id[13];		/* as the listener knows it */
	enum job_state state;
	bool wants_convert;
	struct registry_fetch *fetch;
	int blob_fd;
	int64_t size; /* of the blob, as far as it is there */
	int64_t written_back;
	int64_t told; /* when the bar was moved last */
	struct convert convert;
	int out_fd;
	int64_t fed; /* bytes of the blob that the converter got */
	bool deaf;   /* the converter has ended early */
};

struct pull {
	struct store *s;
	struct registry *registry;
	const struct image_listener *listener;
	struct job *jobs;
	size_t n;
};

void pull_tell(const struct image_listener *l, const char *id, const char *status)
{
	pull_tell_bar(l, id, status, -1, -1);
}

void pull_tell_bar(const struct image_listener *l, const char *id, const char *status,
		   int64_t current, int64_t total)
{
	struct image_progress p = { id, status, current, total };

	if (l && l->progress)
		l->progress(l->ctx, &p);
}

static void tell(const struct job *j, const char *status)
{
	if (j->p->registry)
		pull_tell(j->p->listener, j->id, status);
}

static void job_release(struct job *j)
{
	registry_fetch_free(j->fetch);
	convert_release(&j->convert);
	fd_close(j->blob_fd);
	fd_close(j->out_fd);
}

static void pull_release(struct pull *p)
{
	for (size_t i = 0; i < p->n; i++)
		job_release(&p->jobs[i]);
	free(p->jobs);
}
#define auto_pull __attribute__((cleanup(pull_release)))

/* ---- one job ---- */

static int on_data(void *ctx, const void *data, size_t n, struct err *e)
{
	struct job *j = ctx;
	int64_t now;

	if (fd_write_full(j->blob_fd, data, n, e) < 0)
		return -1;
	j->size += (int64_t)n;
	if (j->size - j->written_back >= WRITE_BACK_BYTES) {
		j->written_back = j->size;
		blob_write_back(j->blob_fd);
		if (j->out_fd >= 0)
			blob_write_back(j->out_fd);
	}
	if (j->p->listener && j->p->listener->progress && (now = clock_monotonic()) > j->told) {
		j->told = now + BAR_NS;
		pull_tell_bar(j->p->listener, j->id, "Downloading", j->size, j->layer->blob_size);
	}
	return 0;
}

static int start_fetch(struct job *j, struct err *e)
{
	struct registry_sink sink = { on_data, j };

	if (!j->p->registry)
		return err_set(e, ERR_CORRUPT, "blob %s is missing", j->layer->blob);
	if (blob_new_file(j->p->s, &j->blob_fd, e) < 0)
		return -1;
	return registry_fetch_start(j->p->registry, j->layer->blob, j->layer->blob_size, &sink,
				    &j->fetch, e);
}

static int open_blob(struct job *j, struct err *e)
{
	char path[PATH_NAME_SIZE];

	j->size = j->layer->blob_size;
	return fd_open(store_paths(j->p->s)->root_fd, path_blob(j->layer->blob, path), O_RDONLY, 0,
		       &j->blob_fd, e);
}

static int start_convert(struct job *j, struct err *e)
{
	if (blob_new_file(j->p->s, &j->out_fd, e) < 0 ||
	    convert_start(j->out_fd, &j->convert, e) < 0)
		return -1;
	return fd_set_nonblock(j->convert.in_fd, true, e);
}

static bool has_blob(const struct job *j)
{
	char path[PATH_NAME_SIZE];

	return blob_file_has_size(j->p->s, path_blob(j->layer->blob, path), j->layer->blob_size);
}

/* 1 when its row is there and its file is what the row says. */
static int has_layer(const struct job *j, struct err *e)
{
	char path[PATH_NAME_SIZE];
	int r = store_image_layer(j->p->s, j->layer, e);

	if (r <= 0)
		return r;
	return blob_file_has_size(j->p->s, path_layer(j->layer->diffid, path), j->layer->size);
}

static int job_start(struct job *j, struct err *e)
{
	bool blob = has_blob(j);

	if (j->wants_convert && start_convert(j, e) < 0)
		return -1;
	j->state = blob ? JOB_FEEDING : JOB_FETCHING;
	return blob ? open_blob(j, e) : start_fetch(j, e);
}

/* Gives the converter what has arrived, as far as its pipe takes it. */
static int feed(struct job *j, struct err *e)
{
	char buf[FEED_BYTES];

	while (j->wants_convert && !j->deaf && j->fed < j->size) {
		size_t want = (size_t)(j->size - j->fed);
		ssize_t n = fd_pread_full(j->blob_fd, buf, want < sizeof(buf) ? want : sizeof(buf),
					  j->fed, e);

		if (n < 0)
			return -1;
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "blob %s has become shorter",
				       j->layer->blob);
		n = write(j->convert.in_fd, buf, (size_t)n);
		if (n < 0 && errno == EPIPE)
			j->deaf = true;
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		else if (n < 0)
			return err_sys(e, "cannot write to the converter");
		else
			j->fed += n;
	}
	return 0;
}

static int finish_fetch(struct job *j, struct err *e)
{
	char path[PATH_NAME_SIZE];

	registry_fetch_free(j->fetch);
	j->fetch = NULL;
	tell(j, "Verifying Checksum");
	tell(j, "Download complete");
	if (feed(j, e) < 0)
		return -1;
	j->state = JOB_FEEDING;
	return blob_publish(j->p->s, j->blob_fd, path_blob(j->layer->blob, path), e);
}

static int finish_convert(struct job *j, struct err *e)
{
	struct convert_result result;
	char path[PATH_NAME_SIZE];

	if (convert_finish(&j->convert, &result, e) < 0)
		return err_wrap(e, "failed to register layer %.19s", j->layer->blob);
	if (strcmp(result.diffid, j->layer->diffid) != 0)
		return err_set(e, ERR_CORRUPT,
			       "layer %.19s does not unpack to what the image's configuration "
			       "says: %s instead of %s",
			       j->layer->blob, result.diffid, j->layer->diffid);
	j->layer->size = (int64_t)result.image_size;
	j->layer->tar_size = (int64_t)result.tar_size;
	j->layer->entries = (int64_t)result.entries;
	if (blob_publish(j->p->s, j->out_fd, path_layer(j->layer->diffid, path), e) < 0)
		return -1;
	tell(j, "Pull complete");
	j->state = JOB_DONE;
	return 0;
}

/* All of the blob is there and the converter has it. */
static void finish_feed(struct job *j)
{
	if (!j->wants_convert) {
		tell(j, "Pull complete");
		j->state = JOB_DONE;
	} else if (j->deaf || j->fed == j->size) {
		fd_close(take_fd(&j->convert.in_fd));
		j->state = JOB_CONVERTING;
	}
}

/* One step; `ended` tells that the converter's process has. */
static int job_step(struct job *j, bool ended, struct err *e)
{
	int r;

	if (j->state == JOB_FETCHING) {
		r = registry_fetch_result(j->fetch, e);
		if (r < 0 || (r > 0 ? finish_fetch(j, e) : feed(j, e)) < 0)
			return -1;
	}
	if (j->state == JOB_FEEDING) {
		if (feed(j, e) < 0)
			return -1;
		finish_feed(j);
	}
	if (j->state == JOB_CONVERTING && ended)
		return finish_convert(j, e);
	return 0;
}

/* ---- all of them ---- */

static bool is_running(const struct job *j)
{
	return j->state != JOB_WAITING && j->state != JOB_DONE;
}

static int start_some(struct pull *p, bool *ret_all_done, struct err *e)
{
	size_t running = 0;

	*ret_all_done = true;
	for (size_t i = 0; i < p->n; i++)
		running += is_running(&p->jobs[i]);
	for (size_t i = 0; i < p->n; i++) {
		struct job *j = &p->jobs[i];

		if (j->state == JOB_WAITING && running < JOBS_AT_A_TIME) {
			if (job_start(j, e) < 0)
				return -1;
			running++;
		}
		if (j->state != JOB_DONE)
			*ret_all_done = false;
	}
	return 0;
}

static int wait_without_registry(const struct pull *p, struct pollfd *fds, size_t n, struct err *e)
{
	int cancel = p->listener ? p->listener->cancel_fd : -1;

	fds[n] = (struct pollfd){ .fd = cancel, .events = POLLIN };
	if (poll(fds, n + 1, -1) < 0 && errno != EINTR)
		return err_sys(e, "cannot poll");
	return fds[n].revents ? err_set(e, ERR_CANCELLED, "interrupted") : 0;
}

/* What a job waits for besides its transfer. */
static struct pollfd wish(const struct job *j)
{
	if (j->state == JOB_CONVERTING)
		return (struct pollfd){ .fd = j->convert.proc.pidfd, .events = POLLIN };
	if (is_running(j) && j->wants_convert && !j->deaf && j->fed < j->size)
		return (struct pollfd){ .fd = j->convert.in_fd, .events = POLLOUT };
	return (struct pollfd){ .fd = -1 };
}

static int step_all(struct pull *p, struct err *e)
{
	struct pollfd fds[JOBS_AT_A_TIME + 1];
	struct job *of[JOBS_AT_A_TIME];
	size_t n = 0, running = 0;

	for (size_t i = 0; i < p->n && running < JOBS_AT_A_TIME; i++) {
		if (!is_running(&p->jobs[i]))
			continue;
		running++;
		fds[n] = wish(&p->jobs[i]);
		if (fds[n].fd >= 0)
			of[n++] = &p->jobs[i];
	}
	if ((p->registry ? registry_wait(p->registry, fds, n, -1, e)
			 : wait_without_registry(p, fds, n, e)) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		bool ended = false;

		for (size_t k = 0; k < n; k++)
			if (of[k] == &p->jobs[i] && fds[k].revents)
				ended = p->jobs[i].state == JOB_CONVERTING;
		if (is_running(&p->jobs[i]) && job_step(&p->jobs[i], ended, e) < 0)
			return -1;
	}
	return 0;
}

static int prepare(struct pull *p, struct image_layers *layers, struct err *e)
{
	p->jobs = xcalloc(layers->n, sizeof(*p->jobs));
	for (size_t i = 0; i < layers->n; i++) {
		struct job *j = &p->jobs[i];
		int r;

		*j = (struct job){ .p = p,
				   .layer = &layers->v[i],
				   .blob_fd = -1,
				   .out_fd = -1,
				   .convert = CONVERT_INIT };
		p->n = i + 1;
		memcpy(j->id, digest_hex(j->layer->blob), 12);
		for (size_t k = 0; k < i && !j->same; k++)
			if (str_eq(layers->v[k].blob, j->layer->blob) &&
			    str_eq(layers->v[k].diffid, j->layer->diffid))
				j->same = &p->jobs[k];
		r = j->same ? 1 : has_layer(j, e);
		if (r < 0)
			return -1;
		j->wants_convert = r == 0;
		tell(j, "Pulling fs layer");
	}
	for (size_t i = 0; i < p->n; i++) {
		struct job *j = &p->jobs[i];

		if (!j->same && (j->wants_convert || !has_blob(j)))
			continue;
		j->state = JOB_DONE;
		tell(j, "Already exists");
	}
	return 0;
}

static int run(struct pull *p, struct err *e)
{
	for (;;) {
		bool all_done;

		if (start_some(p, &all_done, e) < 0)
			return -1;
		if (all_done)
			break;
		if (step_all(p, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct job *same = p->jobs[i].same;
		struct image_layer *l = p->jobs[i].layer;

		if (!same)
			continue;
		l->size = same->layer->size;
		l->tar_size = same->layer->tar_size;
		l->entries = same->layer->entries;
	}
	return 0;
}

int pull_layers(struct store *s, struct registry *registry, struct image_layers *layers,
		const struct image_listener *listener, struct err *e)
{
	auto_pull struct pull p = { .s = s, .registry = registry, .listener = listener };
	/* A converter that ends early is an error like others, and no signal. */
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int r;

	if (prepare(&p, layers, e) < 0)
		return -1;
	sigaction(SIGPIPE, &ignore, &before);
	r = run(&p, e);
	sigaction(SIGPIPE, &before, NULL);
	return r;
}
