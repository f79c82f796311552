/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a container's output goes through the host's side: into the log, out of it again, and through
 * a whole monitor to an attached client (with the fake VMM, that is, everything but the guest).
 *
 *	build/release/bench/streams [MiB]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "base/str.h"
#include "engine/client.h"
#include "engine/logfile.h"
#include "engine/logread.h"
#include "engine/monitor.h"
#include "engine/rundir.h"
#include "engine/spec.h"
#include "engine/start.h"
#include "engine/state.h"
#include "vmm/fake.h"

#define ID     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" ID
#define PIECE  (64u * 1024)

static struct err e;

static void need(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, e.msg);
	exit(1);
}

static int64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

struct timer {
	int64_t wall, cpu;
};

static struct timer begin(void)
{
	return (struct timer){ clock_monotonic(), cpu_time() };
}

static double rate(uint64_t bytes, int64_t ns)
{
	return (double)bytes / 1e6 / ((double)ns / 1e9);
}

static void report(const char *what, uint64_t bytes, struct timer begun)
{
	printf("%-34s %8.0f MB/s, by our CPU time %8.0f MB/s\n", what,
	       rate(bytes, clock_monotonic() - begun.wall), rate(bytes, cpu_time() - begun.cpu));
	fflush(stdout);
}

/* What the monitor itself used; the fake guest and the commands in it have their own costs. */
static void report_monitor(pid_t pid, uint64_t bytes)
{
	struct rusage ru;
	double seconds;

	if (wait4(pid, NULL, 0, &ru) != pid)
		return;
	seconds = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		  (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	printf("  the monitor alone, by CPU time   %8.0f MB/s (%.2f s, at most %ld KiB)\n",
	       (double)bytes / 1e6 / seconds, seconds, ru.ru_maxrss);
	fflush(stdout);
}

static int count(void *ctx, const struct log_record *r, struct err *why)
{
	(void)why;
	*(uint64_t *)ctx += r->n;
	return 0;
}

static void bench_log(int dir, const char *what, const char *line, uint64_t total)
{
	auto_str struct str piece = STR_INIT(2 * PIECE);
	struct logread r = LOGREAD_INIT;
	uint64_t done = 0, seen = 0;
	struct logfile *log;
	char title[64];
	struct timer begun;

	while (piece.len < PIECE)
		str_add(&piece, line);
	need(file_remove(dir, LOGFILE_NAME, &e), "remove");
	need(logfile_open(dir, NULL, &log, &e), "open");
	begun = begin();
	while (done < total) {
		need(logfile_write(log, LOG_STDOUT, piece.buf, piece.len, &e), "write");
		done += piece.len;
	}
	need(logfile_flush(log, &e), "flush");
	snprintf(title, sizeof(title), "log written, %s", what);
	report(title, done, begun);
	logfile_free(log);
	r.dirfd = dir;
	r.record = count;
	r.ctx = &seen;
	begun = begin();
	need(logread_run(&r, &e), "read");
	snprintf(title, sizeof(title), "log read, %s", what);
	report(title, seen, begun);
	if (seen != done)
		printf("  but %llu bytes are missing\n", (unsigned long long)(done - seen));
}

/* ---- the whole way ----------------------------------------------------------------------------- */

static void make_container(struct paths *p, const char *path, uint64_t total)
{
	auto_free char *root = xasprintf("%s/root", path), *run = xasprintf("%s/run", path);
	auto_free char *kernel = xasprintf("%s/kernel", path);
	auto_rundir struct rundir dir = RUNDIR_INIT;
	auto_str struct str text = STR_INIT(STR_HUGE);
	auto_spec struct container_spec spec;
	char name[PATH_NAME_SIZE], block[4096] = "\177ELF";

	need(paths_open(root, run, true, p, &e), "paths");
	need(file_write_replace(AT_FDCWD, kernel, block, sizeof(block), 0644, &e), "kernel");
	setenv("KVBOX_KERNEL", kernel, 1);
	setenv("KVBOX_INITRAMFS", kernel, 1);
	need(dir_make(p->root_fd, path_container(ID, NULL, name), 0700, &e), "folder");
	need(file_write_replace(p->root_fd, path_chain(DIGEST, name), block, 4096, 0644, &e),
	     "chain");
	need(file_write_replace(p->root_fd, path_layer(DIGEST, name), block, 4096, 0644, &e),
	     "layer");
	need(file_write_replace(p->root_fd, path_container(ID, "upper.img", name), block, 4096,
				0644, &e),
	     "disk");
	need(rundir_open(p, ID, true, &dir, &e), "run folder");
	spec_init(&spec);
	free(spec.id);
	spec.id = xstrdup(ID);
	free(spec.chain);
	spec.chain = xstrdup(DIGEST);
	spec.auto_remove = true;
	strv_add(&spec.layers, DIGEST);
	strv_add(&spec.args, "/bin/sh");
	strv_add(&spec.args, "-c");
	strv_addf(&spec.args,
		  "yes 'a line of output as programs write them, 64 bytes of it, so say' | "
		  "head -c %llu",
		  (unsigned long long)total);
	strv_add(&spec.env, "PATH=/usr/bin:/bin");
	spec_write(&spec, &text);
	need(file_write_replace(p->root_fd, path_container(ID, SPEC_FILE, name), text.buf, text.len,
				0600, &e),
	     "definition");
}

static void bench_monitor(const char *path, uint64_t total, bool attached)
{
	const struct client_streams streams = { false, attached, attached };
	struct client_io io = CLIENT_IO_INIT;
	struct client_result result;
	struct client *c;
	struct paths paths = PATHS_INIT;
	auto_rundir struct rundir dir = RUNDIR_INIT;
	auto_vmstate struct vmstate state = VMSTATE_INIT;
	struct timer begun;
	int null, code;

	make_container(&paths, path, total);
	need(fd_open(AT_FDCWD, "/dev/null", O_WRONLY, 0, &null, &e), "null");
	need(container_start(&paths, ID, NULL, &c, &e), "start");
	need(rundir_open(&paths, ID, false, &dir, &e), "run folder");
	need(vmstate_read(dir.fd, &state, &e), "state");
	need(client_start(c, &streams, NULL, &e), "start");
	begun = begin();
	io.out = io.err = null;
	if (attached)
		need(client_run_streams(c, &io, &result, &e), "streams");
	else
		need(client_wait(c, &code, &e), "wait");
	report(attached ? "monitor, log and attached client" : "monitor, log only", total, begun);
	client_free(c);
	report_monitor((pid_t)state.pid, total);
	paths_release(&paths);
}

int main(int argc, char **argv)
{
	char path[] = "/tmp/kvbox-bench-XXXXXX";
	auto_free char *self = proc_own_path(&e);
	uint64_t mib = 512;
	int dir;

	if (argc > 1 && strcmp(argv[1], "monitor") == 0)
		return monitor_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "finish") == 0)
		return 0;
	if (strcmp(argv[0], "kvbox-fake-vmm") == 0)
		return fake_guest_main(argc, argv);
	if (argc > 1)
		need(parse_u64(argv[1], 65536, &mib, &e), "MiB");
	setenv("KVBOX_VMM", "fake", 1);
	setenv("KVBOX_FAKE_VMM", self, 1);
	setenv("KVBOX_ACCEL", "tcg", 1);
	if (!mkdtemp(path) || fd_open_dir(AT_FDCWD, path, &dir, &e) < 0)
		return 1;
	bench_log(dir, "lines of 66 bytes",
		  "a line of output as programs write them, 64 bytes of it, so say\n", mib << 20);
	bench_log(dir, "UTF-8",
		  "Zeilen in einer Sprache mit Umlauten: \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f, "
		  "\xe2\x82\xac\n",
		  mib << 20);
	bench_log(dir, "empty lines", "\n", (mib << 20) / 16);
	bench_monitor(path, mib << 20, false);
	bench_monitor(path, mib << 20, true);
	fd_close(dir);
	need(dir_remove_tree(AT_FDCWD, path, &e), "clean up");
	return 0;
}
