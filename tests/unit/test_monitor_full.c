/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor whose disk is full, or whose descriptors are used up. */
#include "tests/unit/fixture_monitor.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* /dev/shm becomes a small file system of this program's own, and the fixture makes its folders there. */
static int own_disk(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/dev/shm", "tmpfs", 0, "size=16m,mode=1777") < 0) {
		print_error("cannot mount a file system: %s\n", strerror(errno));
		return -1;
	}
	return setenv("TMPDIR", "/dev/shm", true);
}

static void fill_disk(struct fixture *f)
{
	static const char block[4096];
	auto_close int fd = -1;

	assert_ok(
		fd_open(f->paths.root_fd, "filler", O_WRONLY | O_CREAT | O_APPEND, 0600, &fd, &e));
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
}

/* Runs `script` when it is let go; the disk is full then. */
static void start_on_full_disk(struct fixture *f, const char *script)
{
	command_that_waits(f, "", script);
	start_detached(f);
	fill_disk(f);
}

static void the_exit_code_survives_a_full_disk(void **state)
{
	struct fixture *f = *state;
	auto_vmstate struct vmstate st = VMSTATE_INIT;

	strv_add(&f->spec.health.test, "CMD");
	strv_add(&f->spec.health.test, "/bin/true");
	f->spec.health.interval = 10000000;
	start_on_full_disk(f, "sleep 0.2; exit 7");
	let_go(f);
	wait_until_free(f);
	st = now(f);
	assert_int_equal(st.phase, VM_EXITED);
	assert_int_equal(st.exit_code, 7);
	assert_true(st.finished_at > st.started_at);
	assert_non_null(strstr(st.health, "{\"Status\":\"unhealthy\""));
}

static size_t count_all(int fd)
{
	char buf[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += (size_t)n;
	return total;
}

static void a_client_that_lags_behind_is_kept_in_memory_for_a_while(void **state)
{
	const size_t total = 3u << 20;
	struct fixture *f = *state;
	struct client_result result = { 0 };
	struct client *c;
	pid_t counter;
	int status;

	make_pipes(f);
	start_on_full_disk(f, "head -c 3145728 /dev/zero; exit 3");
	c = connect_again(f);
	assert_ok(client_attach(c, &output_only, NULL, &e));
	let_go(f);
	wait_until_free(f);
	counter = fork();
	if (counter == 0) {
		close_sinks(f);
		_exit(count_all(f->out) == total ? 0 : 1);
	}
	assert_ok(client_run_streams(c, &f->io, &result, &e));
	close_sinks(f);
	client_free(c);
	assert_int_equal(result.code, 3);
	assert_int_equal(waitpid(counter, &status, 0), counter);
	assert_int_equal(status, 0);
}

static void one_that_lags_too_far_is_told_that_it_lost_output(void **state)
{
	struct fixture *f = *state;
	struct client_result result = { 0 };
	const struct client_io nothing = CLIENT_IO_INIT;
	struct client *c;

	start_on_full_disk(f, "head -c 16777216 /dev/zero; exit 3");
	c = connect_again(f);
	assert_ok(client_attach(c, &output_only, NULL, &e));
	let_go(f);
	wait_until_free(f);
	assert_true(client_run_streams(c, &nothing, &result, &e) < 0);
	assert_non_null(strstr(e.msg, "the rest of the output is lost"));
	assert_non_null(strstr(e.msg, strerror(ENOSPC)));
	err_clear(&e);
	client_free(c);
}

/* How many of 40 looks find the process asleep: none where it spins. */
static int looks_asleep(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/stat", (int)pid);
	int asleep = 0;

	for (int i = 0; i < 40; i++) {
		auto_str struct str text = STR_INIT(4096);
		const char *at;

		usleep(17000);
		assert_ok(file_read(AT_FDCWD, path, &text, &e));
		at = strrchr(text.buf, ')');
		assert_non_null(at);
		asleep += at[2] == 'S';
	}
	return asleep;
}

static void without_descriptors_it_waits_and_does_not_spin(void **state)
{
	struct fixture *f = *state;
	const struct rlimit few = { 40, 40 };
	int fds[60];
	struct client *c;
	size_t n;

	command(f, "exec sleep 100");
	start_detached(f);
	assert_int_equal(prlimit(f->monitor, RLIMIT_NOFILE, &few, NULL), 0);
	/* Connections that nobody accepts any more wait in the socket's queue. */
	for (n = 0; n < ARRAY_LEN(fds); n++)
		assert_ok(sock_connect(f->run.fd, RUNDIR_SOCKET, 10000, &fds[n], &e));
	usleep(300000);
	assert_true(looks_asleep(f->monitor) > 10);
	for (n = 0; n < ARRAY_LEN(fds); n++)
		fd_close(fds[n]);
	c = connect_again(f);
	assert_ok(client_kill(c, &e));
	client_free(c);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_exit_code_survives_a_full_disk),
		TEST(a_client_that_lags_behind_is_kept_in_memory_for_a_while),
		TEST(one_that_lags_too_far_is_told_that_it_lost_output),
		TEST(without_descriptors_it_waits_and_does_not_spin),
	};
	int code;

	if (is_other_program(argc, argv, &code))
		return code;
	use_fake_vmm(argc, argv);
	return cmocka_run_group_tests_name("monitor_full", tests, own_disk, NULL);
}
