/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptors of a child: 0 the compressed layer, or a socket with the layer images'
 * descriptors in its queue; RESULT_FD takes one JSON document at the end; OUT_FD is the image. The
 * child confines itself before it reads any data; what it could still do to its parent is to send a
 * wrong result, so that is read with care.
 */
#include "engine/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/chain.h"
#include "engine/convert_confine.h"
#include "engine/layer.h"
#include "engine/load_unpack.h"

#define RESULT_FD 3
#define OUT_FD	  4
/* As many as one message takes. */
#define FDS_PER_MESSAGE 8

#define PIPE_SIZE  (1 << 20)
#define RESULT_MAX ((size_t)8 << 10)

/* ---- parent ---------------------------------------------------------------------------------- */

void convert_release(struct convert *c)
{
	if (c->proc.pid != 0)
		proc_destroy(&c->proc);
	fd_close(c->in_fd);
	fd_close(c->result_fd);
	*c = (struct convert)CONVERT_INIT;
}

/* Starts the program with these arguments; fds[0] is kept for the result. Takes nothing. */
static int start_child(const char *const *argv, struct spawn_fd *fds, size_t nfds,
		       struct convert *c, struct err *e)
{
	auto_free char *own = NULL;
	struct spawn s = {
		.fds = fds, .nfds = nfds, .cwd = -1, .cgroup = -1, .die_with_parent = true
	};
	auto_strv struct strv args = STRV_INIT;
	int pipe_fds[2];

	s.path = getenv("KVBOX_CONVERT");
	if (!s.path)
		s.path = own = proc_own_path(e);
	if (!s.path)
		return -1;
	for (size_t i = 0; argv[i]; i++)
		strv_add(&args, argv[i]);
	s.argv = strv_args(&args);
	if (fd_pipe(pipe_fds, e) < 0)
		return -1;
	c->result_fd = pipe_fds[0];
	fds[0] = (struct spawn_fd){ .from = pipe_fds[1], .to = RESULT_FD };
	if (spawn_start(&s, &c->proc, e) < 0) {
		fd_close(pipe_fds[1]);
		return -1;
	}
	fd_close(pipe_fds[1]);
	return 0;
}

int convert_start(int out_fd, struct convert *ret, struct err *e)
{
	static const char *const argv[] = { "kvbox", "convert", "layer", NULL };
	struct spawn_fd fds[3] = { [1] = { .from = out_fd, .to = OUT_FD } };
	auto_convert struct convert c = CONVERT_INIT;
	auto_close int in = -1;
	int pipe_fds[2];

	if (fd_pipe(pipe_fds, e) < 0)
		return err_wrap(e, "cannot start the layer converter");
	in = pipe_fds[0];
	c.in_fd = pipe_fds[1];
	/* Fewer switches between the two processes. Past the system's limit it stays as it is. */
	(void)!fcntl(in, F_SETPIPE_SZ, PIPE_SIZE);
	fds[2] = (struct spawn_fd){ .from = in, .to = 0 };
	if (start_child(argv, fds, ARRAY_LEN(fds), &c, e) < 0)
		return err_wrap(e, "cannot start the layer converter");
	*ret = c;
	c = (struct convert)CONVERT_INIT;
	return 0;
}

int convert_start_archive(int fd, struct convert *ret, struct err *e)
{
	static const char *const argv[] = { "kvbox", "convert", "archive", NULL };
	struct spawn_fd fds[2] = { [1] = { .from = fd, .to = 0 } };
	auto_convert struct convert c = CONVERT_INIT;

	if (start_child(argv, fds, ARRAY_LEN(fds), &c, e) < 0)
		return err_wrap(e, "cannot start the reader of the archive");
	(void)!fcntl(c.result_fd, F_SETPIPE_SZ, PIPE_SIZE);
	*ret = c;
	c = (struct convert)CONVERT_INIT;
	return 0;
}

struct result {
	char *diffid, *kind, *message;
	int64_t tar_size, image_size, entries;
};

static const struct json_field result_fields[] = {
	JSON_STR("diffid", false, struct result, diffid),
	JSON_INT("tar_size", false, struct result, tar_size),
	JSON_INT("image_size", false, struct result, image_size),
	JSON_INT("entries", false, struct result, entries),
	JSON_STR("kind", false, struct result, kind),
	JSON_STR("message", false, struct result, message),
	JSON_END,
};

static void result_release(struct result *r)
{
	free(r->diffid);
	free(r->kind);
	free(r->message);
}

static int read_result(const char *text, size_t n, struct convert_result *ret, struct err *e)
{
	__attribute__((cleanup(result_release))) struct result r = { .image_size = 0 };

	if (json_read_text(text, n, result_fields, &r, e) < 0)
		return err_wrap(e, "result of the layer converter");
	if (r.message)
		return err_set(e, err_kind_parse(r.kind ? r.kind : ""), "%s", r.message);
	if (r.image_size <= 0 || r.image_size % 4096 != 0 || r.tar_size < 0 || r.entries < 0 ||
	    (r.diffid && !digest_is_valid(r.diffid)))
		return err_set(e, ERR_CORRUPT, "the layer converter's result makes no sense");
	*ret = (struct convert_result){ .tar_size = (uint64_t)r.tar_size,
					.image_size = (uint64_t)r.image_size,
					.entries = (uint64_t)r.entries };
	if (r.diffid)
		memcpy(ret->diffid, r.diffid, sizeof(ret->diffid));
	return 0;
}

int convert_finish(struct convert *c, struct convert_result *ret, struct err *e)
{
	auto_convert struct convert own = *c;
	char text[RESULT_MAX];
	int status = 0;
	ssize_t n;

	*c = (struct convert)CONVERT_INIT;
	fd_close(own.in_fd);
	own.in_fd = -1;
	n = fd_read_full(own.result_fd, text, sizeof(text), e);
	if (n < 0 || spawn_wait(&own.proc, &status, e) < 0)
		return err_wrap(e, "layer converter");
	proc_release(&own.proc);
	own.proc = (struct proc)PROC_INIT;
	if (n == 0)
		return err_set(e, ERR_SYSTEM, "the layer converter ended without a result (%s %d)",
			       status > 128 ? "signal" : "exit code",
			       status > 128 ? status - 128 : status);
	return read_result(text, (size_t)n, ret, e);
}

/* Puts the layers' descriptors into the socket's queue, in their order. */
static int send_layers(int sock, const struct convert_layer *layers, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i += FDS_PER_MESSAGE) {
		size_t count = n - i < FDS_PER_MESSAGE ? n - i : FDS_PER_MESSAGE;
		int fds[FDS_PER_MESSAGE];

		for (size_t k = 0; k < count; k++)
			fds[k] = layers[i + k].fd;
		if (sock_send_fds(sock, "l", 1, fds, count, e) < 0)
			return -1;
	}
	return 0;
}

int convert_chain(const struct convert_layer *layers, size_t n, int out_fd,
		  struct convert_result *ret, struct err *e)
{
	const char *argv[3 + CONVERT_LAYERS_MAX + 1] = { "kvbox", "convert", "chain" };
	struct spawn_fd fds[3] = { [1] = { .from = out_fd, .to = OUT_FD } };
	auto_convert struct convert c = CONVERT_INIT;
	auto_close int theirs = -1;
	int pair[2];

	if (n == 0 || n > CONVERT_LAYERS_MAX)
		return err_set(e, ERR_INVALID, "%zu layers, where 1 to %d can be", n,
			       CONVERT_LAYERS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (!digest_is_valid(layers[i].diffid))
			return err_set(e, ERR_INVALID, "bad diffID '%s'", layers[i].diffid);
		argv[3 + i] = digest_hex(layers[i].diffid);
	}
	if (fd_socketpair(pair, e) < 0)
		return err_wrap(e, "cannot start the layer converter");
	c.in_fd = pair[0];
	theirs = pair[1];
	fds[2] = (struct spawn_fd){ .from = theirs, .to = 0 };
	if (send_layers(c.in_fd, layers, n, e) < 0 ||
	    start_child(argv, fds, ARRAY_LEN(fds), &c, e) < 0)
		return err_wrap(e, "cannot start the layer converter");
	return convert_finish(&c, ret, e);
}

int convert_chain_id(const char *const *diffids, size_t n, char ret[DIGEST_TEXT_SIZE],
		     struct err *e)
{
	char chain[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		char text[2 * DIGEST_TEXT_SIZE];

		if (!digest_is_valid(diffids[i]))
			return err_set(e, ERR_INVALID, "bad diffID '%s'", diffids[i]);
		if (i == 0) {
			memcpy(chain, diffids[0], sizeof(chain));
			continue;
		}
		snprintf(text, sizeof(text), "%s %s", chain, diffids[i]);
		if (digest_of(text, strlen(text), chain, e) < 0)
			return -1;
	}
	if (n == 0)
		return err_set(e, ERR_INVALID, "a chain without layers");
	memcpy(ret, chain, sizeof(chain));
	return 0;
}

/* ---- child ----------------------------------------------------------------------------------- */

static ssize_t read_input(void *ctx, void *buf, size_t n, struct err *e)
{
	(void)ctx;
	for (;;) {
		ssize_t got = read(STDIN_FILENO, buf, n);

		if (got >= 0)
			return got;
		if (errno != EINTR)
			return err_sys(e, "cannot read the layer");
	}
}

static int run_layer(struct convert_result *ret, struct err *e)
{
	struct layer_info info = { .image_size = 0 };

	if (layer_load(e) < 0 || convert_confine(e) < 0 ||
	    layer_build(read_input, NULL, OUT_FD, &info, e) < 0)
		return -1;
	memcpy(ret->diffid, info.diffid, sizeof(ret->diffid));
	ret->tar_size = info.tar_size;
	ret->image_size = info.image_size;
	ret->entries = info.entries;
	return 0;
}

static int receive_layers(struct chain_layer *layers, size_t n, struct err *e)
{
	for (size_t i = 0; i < n;) {
		int fds[FDS_PER_MESSAGE];
		size_t count = FDS_PER_MESSAGE;
		char byte;

		if (sock_recv_fds(STDIN_FILENO, &byte, 1, fds, &count, e) < 0)
			return -1;
		if (count == 0 || count > n - i)
			return err_set(e, ERR_INVALID, "not as many layers as promised");
		for (size_t k = 0; k < count; k++)
			layers[i++].fd = fds[k];
	}
	return 0;
}

static int run_chain(char *const *tags, size_t n, struct convert_result *ret, struct err *e)
{
	struct chain_layer layers[CONVERT_LAYERS_MAX];
	struct chain_info info = { .size = 0 };

	if (n > CONVERT_LAYERS_MAX)
		return err_set(e, ERR_INVALID, "too many layers");
	for (size_t i = 0; i < n; i++)
		layers[i].tag = tags[i];
	if (receive_layers(layers, n, e) < 0 || layer_load(e) < 0 || convert_confine(e) < 0 ||
	    chain_build(layers, n, OUT_FD, &info, e) < 0)
		return -1;
	ret->image_size = info.size;
	ret->entries = info.entries;
	return 0;
}

static int send_result(const struct convert_result *r, const struct err *failed)
{
	auto_str struct str text = STR_INIT(RESULT_MAX - 1);
	struct err ignored = ERR_INIT;
	struct json_writer w;

	jw_init(&w, &text, 0);
	jw_begin_object(&w, NULL);
	if (failed) {
		jw_str(&w, "kind", err_kind_name(failed->kind));
		jw_str(&w, "message", failed->msg);
	} else {
		if (r->diffid[0])
			jw_str(&w, "diffid", r->diffid);
		jw_int(&w, "tar_size", (int64_t)r->tar_size);
		jw_int(&w, "image_size", (int64_t)r->image_size);
		jw_int(&w, "entries", (int64_t)r->entries);
	}
	jw_end(&w);
	return fd_write_full(RESULT_FD, text.buf, text.len, &ignored);
}

int convert_main(int argc, char **argv)
{
	struct convert_result result = { .diffid = "" };
	struct err e = ERR_INIT;
	int r, at = 0;

	/* The words before are the dispatcher's. */
	while (at < argc && strcmp(argv[at], "layer") != 0 && strcmp(argv[at], "chain") != 0 &&
	       strcmp(argv[at], "archive") != 0)
		at++;
	if (at == argc)
		return 125;
	if (argv[at][0] == 'a')
		_exit(load_unpack(RESULT_FD) < 0 ? 1 : 0);
	if (argv[at][0] == 'l')
		r = run_layer(&result, &e);
	else
		r = run_chain(argv + at + 1, (size_t)(argc - at - 1), &result, &e);
	if (send_result(&result, r < 0 ? &e : NULL) < 0)
		r = -1;
	/* Not through exit handlers of libraries, which the filter knows nothing of. */
	_exit(r < 0 ? 1 : 0);
}
