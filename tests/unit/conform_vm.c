/* SPDX-License-Identifier: Apache-2.0 */
/* See conform.h: VMs of tests, and their guests. */
#include "tests/unit/conform.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conform conform;

/* ---- files --------------------------------------------------------------------------------------- */

char *put_file(struct fixture *f, const char *name, const char *text, off_t size)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	assert_ok(fd_open(f->dirfd, name, O_RDWR | O_CREAT | O_TRUNC, 0600, &fd, &e));
	assert_ok(fd_write_full(fd, text, strlen(text), &e));
	assert_int_equal(ftruncate(fd, size), 0);
	return xasprintf("%s/%s", f->dir, name);
}

char *text_of(struct fixture *f, const char *name)
{
	auto_str struct str text = STR_INIT(1 << 20);
	struct err e = ERR_INIT;

	assert_ok(file_read(f->dirfd, name, &text, &e));
	return str_take(&text, &e);
}

static int open_logs(struct fixture *f, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_APPEND;

	return fd_open(f->dirfd, "console", flags, 0600, &f->console, e) < 0 ||
			       fd_open(f->dirfd, "log", flags, 0600, &f->log, e) < 0
		       ? -1
		       : 0;
}

int fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	*state = f;
	f->vmm = (struct vmm)VMM_INIT;
	f->channel = -1;
	strcpy(f->dir, "/tmp/kvbox-conform.XXXXXX");
	if (!mkdtemp(f->dir) || fd_open_dir(AT_FDCWD, f->dir, &f->dirfd, &e) < 0 ||
	    dir_make(f->dirfd, "r", 0700, &e) < 0 || fd_open_dir(f->dirfd, "r", &f->run, &e) < 0 ||
	    open_logs(f, &e) < 0)
		return -1;
	f->run_path = xasprintf("%s/r", f->dir);
	return 0;
}

static int release(struct fixture *f)
{
	struct err e = ERR_INIT;
	int r = 0;

	if (f->more)
		r = release(f->more);
	fd_close(f->channel);
	vmm_release(&f->vmm);
	fd_close(f->console);
	fd_close(f->log);
	fd_close(f->run);
	fd_close(f->dirfd);
	free(f->run_path);
	if (dir_remove_tree(AT_FDCWD, f->dir, &e) < 0)
		r = -1;
	free(f);
	return r;
}

int fixture_teardown(void **state)
{
	return release(*state);
}

struct fixture *fixture_more(struct fixture *f)
{
	void *made = NULL;
	struct fixture *more;

	assert_int_equal(fixture_setup(&made), 0);
	more = made;
	more->more = f->more;
	f->more = more;
	return more;
}

void fixture_stop(struct fixture *f)
{
	vmm_release(&f->vmm);
	fd_close(take_fd(&f->channel));
}

struct vmm_spec spec_of(const struct fixture *f)
{
	return (struct vmm_spec){
		.binary = conform.choice.binary,
		.caps = conform.choice.about.caps,
		.kvm = conform.choice.kvm,
		.kernel = conform.kernel,
		.initramfs = conform.initramfs,
		.memory_mib = 256,
		.vcpus = 1,
		.console_fd = f->console,
		.log_fd = f->log,
		.run_fd = f->run,
		.run_path = f->run_path,
		.vm_lock_fd = -1,
		.cgroup_fd = -1,
		.ram_fd = -1,
		.state_fd = -1,
	};
}

/* ---- waiting ------------------------------------------------------------------------------------- */

void give_up(struct fixture *f, const char *what)
{
	auto_free char *console = text_of(f, "console"), *log = text_of(f, "log");

	fail_msg("%s\nconsole: %s\nlog: %s", what, console, log);
}

bool take_events(struct fixture *f)
{
	struct vmm_event ev;
	struct err e = ERR_INIT;
	int r;

	while ((r = vmm_event(&f->vmm, &ev, &e)) > 0) {
		assert_true(ev.kind < VMM_EVENT_COUNT);
		f->seen |= 1u << ev.kind;
		if (ev.kind == VMM_EVENT_DONE)
			f->done = ev;
	}
	return r == 0;
}

bool wait_for(struct fixture *f, int fd, int ms)
{
	int64_t deadline = clock_monotonic() + (int64_t)ms * 1000000;
	bool more = true;

	for (;;) {
		struct pollfd p[] = { { fd, POLLIN, 0 },
				      { more ? f->vmm.control : -1, POLLIN, 0 } };
		int64_t left = (deadline - clock_monotonic()) / 1000000;

		if (left < 0 || poll(p, ARRAY_LEN(p), (int)left + 1) < 0)
			return false;
		if (p[1].revents)
			more = take_events(f);
		if (p[0].revents)
			return true;
	}
}

void wait_event(struct fixture *f, unsigned kinds, const char *what)
{
	int64_t deadline = clock_monotonic() + (int64_t)PATIENCE_MS * 1000000;

	while (!(f->seen & kinds)) {
		struct pollfd p = { f->vmm.control, POLLIN, 0 };

		if (clock_monotonic() > deadline)
			give_up(f, what);
		poll(&p, 1, 1000);
		if (!take_events(f) && !(f->seen & kinds))
			give_up(f, what);
	}
}

static void wait_answer(struct fixture *f, int request)
{
	f->seen &= ~(1u << VMM_EVENT_DONE);
	wait_event(f, 1u << VMM_EVENT_DONE, "the VMM did not answer");
	assert_int_equal(f->done.request, request);
}

void wait_done(struct fixture *f, int request, struct err *e)
{
	if (request <= 0)
		give_up(f, e->msg);
	wait_answer(f, request);
	if (f->done.failed)
		give_up(f, f->done.text);
}

void wait_refused(struct fixture *f, int request, struct err *e)
{
	if (request < 0) {
		assert_true(strlen(e->msg) > 5);
		err_clear(e);
		return;
	}
	wait_answer(f, request);
	assert_true(f->done.failed);
	assert_true(strlen(f->done.text) > 5);
}

int wait_end(struct fixture *f)
{
	struct err e = ERR_INIT;
	int status;

	if (!wait_for(f, f->vmm.proc.pidfd, PATIENCE_MS))
		give_up(f, "the VMM does not end");
	/* What it said last. */
	take_events(f);
	assert_ok(spawn_wait(&f->vmm.proc, &status, &e));
	return status;
}

/* ---- the guest ----------------------------------------------------------------------------------- */

const char *hear(struct fixture *f)
{
	static char line[512];
	size_t n = 0;

	while (n == 0 || line[n - 1] != '\n') {
		if (!wait_for(f, f->channel, PATIENCE_MS))
			give_up(f, "the guest does not answer");
		if (n == sizeof(line) - 1 || read(f->channel, line + n, 1) != 1)
			give_up(f, "the guest's channel has ended");
		n++;
	}
	line[n - 1] = '\0';
	return line;
}

void tell(struct fixture *f, const char *line)
{
	struct err e = ERR_INIT;

	assert_ok(fd_write_full(f->channel, line, strlen(line), &e));
	assert_ok(fd_write_full(f->channel, "\n", 1, &e));
}

const char *ask(struct fixture *f, const char *line)
{
	tell(f, line);
	return hear(f);
}

void ask_until(struct fixture *f, const char *line, const char *words, bool has)
{
	int64_t deadline = clock_monotonic() + (int64_t)PATIENCE_MS * 1000000;
	const char *answer = ask(f, line);

	while ((strstr(answer, words) != NULL) != has) {
		if (clock_monotonic() > deadline)
			give_up(f, answer);
		wait_for(f, -1, 20);
		answer = ask(f, line);
	}
}

void start(struct fixture *f, const struct vmm_spec *spec)
{
	struct err e = ERR_INIT;

	f->seen = 0;
	if (vmm_start(conform.choice.driver, spec, &f->vmm, &e) < 0)
		give_up(f, e.msg);
}

/* A call that the guest gave up before it was answered ends without a word; another one comes. */
static bool says_something(struct fixture *f)
{
	char first;

	if (!wait_for(f, f->channel, PATIENCE_MS))
		give_up(f, "the guest does not say hello");
	return recv(f->channel, &first, 1, MSG_PEEK) == 1;
}

void expect_hello(struct fixture *f)
{
	struct err e = ERR_INIT;

	if (f->vmm.channel_kind == VMM_CHANNEL_VSOCK) {
		do {
			fd_close(take_fd(&f->channel));
			if (!wait_for(f, f->vmm.channel, PATIENCE_MS))
				give_up(f, "the guest does not dial");
			assert_ok(sock_accept(f->vmm.channel, &f->channel, &e));
		} while (!says_something(f));
		/* A guest that is to be saved dials on until nobody answers. */
		fd_close(take_fd(&f->vmm.channel));
	} else {
		f->channel = take_fd(&f->vmm.channel);
	}
	assert_string_equal(hear(f), "hello");
}

void start_to_hello(struct fixture *f)
{
	const struct vmm_spec spec = spec_of(f);

	start(f, &spec);
	expect_hello(f);
}
