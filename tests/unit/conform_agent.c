/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases of test_conform.c with the real agent instead of conform_guest.c: copies of one saved VM that run at once
 * are each a machine of their own, and nets that come later are found.
 *
 * What a copy is like is told by a shell in a container: the image is busybox alone.
 */
#include "tests/unit/conform.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/bare_vm.h"
#include "engine/disk.h"
#include "engine/erofs_write.h"
#include "engine/paths.h"
#include "engine/template.h"
#include "proto/conn.h"
#include "proto/preamble.h"
#include "tests/unit/fixture_tree.h"
#include "vmm/saved.h"

#define ID	   "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd"
#define MEMORY_MIB 256
#define MAC_SAVED  "52:54:00:6b:76:10"
#define LONG_AGO   INT64_C(1000000000000000000) /* 2001 */

/* ---- disks ---- */

/* An image with /bin/busybox. */
static uint64_t make_image(struct fixture *f, const char *name)
{
	auto_str struct str busybox = STR_INIT(16 << 20);
	const struct erofs_options options = { .ndevices = 0 };
	auto_erofs_writer struct erofs_writer *w = NULL;
	auto_close int fd = -1;
	auto_tree struct tree t;
	struct erofs_info info;
	struct err e = ERR_INIT;
	uint32_t program;

	assert_ok(file_read(AT_FDCWD, "/bin/busybox", &busybox, &e));
	assert_ok(fd_open(f->dirfd, name, O_RDWR | O_CREAT, 0644, &fd, &e));
	tree_init(&t);
	w = erofs_writer_new(fd);
	program = add(&t, add(&t, TREE_ROOT, "bin", S_IFDIR | 0755), "busybox", S_IFREG | 0755);
	t.inodes[program].size = busybox.len;
	t.inodes[program].block = erofs_writer_block(w);
	assert_ok(erofs_writer_data(w, busybox.buf, busybox.len, &e));
	assert_ok(erofs_writer_align(w, &e));
	assert_ok(erofs_writer_finish(w, &t, &options, &info, &e));
	return info.size;
}

/* An empty writable disk in the fixture's folder: its path. */
static char *make_upper(struct fixture *f)
{
	auto_free char *root = xasprintf("%s/root", f->dir), *run = xasprintf("%s/run", f->dir);
	auto_paths struct paths p = PATHS_INIT;
	char name[PATH_NAME_SIZE];
	struct err e = ERR_INIT;

	assert_ok(paths_open(root, run, true, &p, &e));
	assert_ok(dir_make(p.root_fd, path_container(ID, NULL, name), 0700, &e));
	assert_ok(disk_create(&p, ID, DISK_SIZE_MIN, false, &e));
	return paths_absolute(&p, path_container(ID, DISK_FILE, name));
}

/* ---- the agent's channel ---- */

struct talk {
	struct fixture *f;
	struct conn *conn;
	struct preamble_scan scan;
	bool scanning, greeted, exited;
	int64_t asked, answered;
	struct err failure; /* of the last answer */
	struct str output;  /* of the process */
};

static int on_message(void *ctx, const struct message *m, struct err *e)
{
	struct talk *t = ctx;
	struct hello hello;

	if (m->type == FRAME_HELLO) {
		t->greeted = true;
		return message_hello(m, "agent", &hello, e);
	}
	if (m->type == FRAME_REPLY) {
		t->answered = message_id(m);
		(void)!message_reply_error(m, &t->failure);
	} else if (str_eq(message_event(m), "process.exit")) {
		t->exited = true;
	}
	return 0;
}

static int on_data(void *ctx, uint32_t stream, void *owner, const void *p, size_t n, struct err *e)
{
	struct talk *t = ctx;

	(void)owner;
	(void)e;
	str_addn(&t->output, p, n);
	conn_consumed(t->conn, stream, n);
	return 0;
}

static int on_eof(void *ctx, uint32_t stream, void *owner, struct err *e)
{
	(void)ctx;
	(void)stream;
	(void)owner;
	(void)e;
	return 0;
}

static const struct conn_ops ops = { on_message, on_data, on_eof, NULL };

/* What is to be sent is little, and the socket takes it at once. */
static void send_all(struct talk *t)
{
	struct err e = ERR_INIT;
	const void *p;
	size_t n;

	for (conn_output(t->conn, &p, &n); n > 0; conn_output(t->conn, &p, &n)) {
		assert_ok(fd_write_full(t->f->channel, p, n, &e));
		conn_output_done(t->conn, n);
	}
}

static void wait_flag(struct talk *t, const bool *flag, const int64_t *number, const char *what)
{
	struct err e = ERR_INIT;
	char buf[4096];

	for (;;) {
		size_t used = 0;
		ssize_t n;

		send_all(t);
		if (flag ? *flag : *number == t->asked)
			return;
		if (!wait_for(t->f, t->f->channel, PATIENCE_MS))
			give_up(t->f, what);
		n = read(t->f->channel, buf, sizeof(buf));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			give_up(t->f, "the agent's channel has ended");
		if (t->scanning)
			t->scanning = !preamble_scan(&t->scan, buf, (size_t)n, &used);
		if (conn_feed(t->conn, buf + used, (size_t)n - used, &e) < 0)
			give_up(t->f, e.msg);
	}
}

/* The agent's call; one that it gave up before it was answered ends without a word, and another one comes. */
static void answer(struct fixture *f)
{
	struct err e = ERR_INIT;
	char first;

	do {
		fd_close(take_fd(&f->channel));
		if (!wait_for(f, f->vmm.channel, PATIENCE_MS))
			give_up(f, "the agent does not dial");
		assert_ok(sock_accept(f->vmm.channel, &f->channel, &e));
		if (!wait_for(f, f->channel, PATIENCE_MS))
			give_up(f, "the agent does not greet");
	} while (recv(f->channel, &first, 1, MSG_PEEK) != 1);
	fd_close(take_fd(&f->vmm.channel));
}

static void begin(struct talk *t, struct fixture *f)
{
	auto_message_out struct message_out hello = MESSAGE_OUT_INIT;
	unsigned char mine[PREAMBLE_SIZE];
	struct err e = ERR_INIT;

	*t = (struct talk){ .f = f, .conn = conn_new(&ops, t), .output = STR_INIT(65536) };
	if (f->vmm.channel_kind == VMM_CHANNEL_VSOCK) {
		answer(f);
	} else {
		f->channel = take_fd(&f->vmm.channel);
		preamble_make(mine);
		preamble_scan_init(&t->scan, mine);
		t->scanning = true;
		conn_send_raw(t->conn, mine, sizeof(mine));
	}
	message_out_hello(&hello, "monitor");
	assert_ok(conn_send_message(t->conn, &hello, &e));
	wait_flag(t, &t->greeted, NULL, "the agent does not greet");
}

static void end(struct talk *t)
{
	conn_free(t->conn);
	str_release(&t->output);
}

static void send_request(struct talk *t, struct message_out *m)
{
	struct err e = ERR_INIT;

	assert_ok(conn_send_message(t->conn, m, &e));
	send_all(t);
}

static void wait_answer(struct talk *t)
{
	wait_flag(t, NULL, &t->answered, "the agent does not answer");
}

static void request(struct talk *t, struct message_out *m)
{
	send_request(t, m);
	wait_answer(t);
}

/* ---- one copy ---- */

static void set_identity(struct talk *t, const char *saved, const char *own)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	struct template_mac mac;

	mac_parse(saved, mac.saved);
	mac_parse(own, mac.own);
	message_out_request(&m, "identity", ++t->asked);
	template_identity(&m, &mac, 1);
	request(t, &m);
}

static void ask_set_up(struct talk *t, const char *hostname)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;

	message_out_request(&m, "container.setup", ++t->asked);
	jw_str(&m.json, "container", ID);
	jw_str(&m.json, "hostname", hostname);
	jw_str(&m.json, "upper", "slot-upper");
	jw_begin_object(&m.json, "root");
	jw_str(&m.json, "joined", "slot-image");
	jw_end(&m.json);
	send_request(t, &m);
}

static void wait_set_up(struct talk *t)
{
	wait_answer(t);
	if (err_is_set(&t->failure))
		give_up(t->f, t->failure.msg);
}

/* What the shell says. */
static char *run(struct talk *t, const char *script)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	auto_strv struct strv args = STRV_INIT, env = STRV_INIT;
	struct err e = ERR_INIT;

	strv_add(&args, "/bin/busybox");
	strv_add(&args, "sh");
	strv_add(&args, "-c");
	strv_add(&args, script);
	assert_ok(conn_open_stream(t->conn, 1, NULL, &e));
	message_out_request(&m, "process.start", ++t->asked);
	jw_str(&m.json, "container", ID);
	jw_int(&m.json, "process", 1);
	jw_int(&m.json, "stdout", 1);
	message_out_list(&m, "args", &args);
	message_out_list(&m, "env", &env);
	request(t, &m);
	if (err_is_set(&t->failure))
		give_up(t->f, t->failure.msg);
	wait_flag(t, &t->exited, NULL, "the process does not end");
	return str_take(&t->output, &e);
}

/* The n-th line of several. */
static char *line(const char *text, size_t n)
{
	while (n-- > 0) {
		text = strchr(text, '\n');
		assert_non_null(text);
		text++;
	}
	return xstrndup(text, strcspn(text, "\n"));
}

/* ---- cases ---- */

struct saved {
	char *image;
	uint64_t image_size;
	int ram, sealed;
	char *state; /* file */
};

/* Without a tap there is neither net nor writable disk, but room for both. */
static void start_spec(struct fixture *f, const struct saved *s, const struct tap *tap,
		       enum vmm_saving saving, int state, struct bare_vm **ret)
{
	auto_free char *upper = tap ? make_upper(f) : NULL;
	const struct vmm_file image_file = { s->image, s->image_size };
	const struct vmm_file upper_file = { upper, DISK_SIZE_MIN };
	const struct vmm_disk disks[] = { { "slot-image", true, false, &image_file, 1 },
					  { "slot-upper", false, false, &upper_file, 1 } };
	const struct tap none = { .fd = -1 };
	const struct vmm_net net = tap_net(tap ? tap : &none, "net-slot", MAC_SAVED);
	struct vmm_spec spec = spec_of(f);
	struct err e = ERR_INIT;

	spec.initramfs = conform.agent;
	spec.memory_mib = MEMORY_MIB;
	spec.disks = disks;
	spec.ndisks = tap ? ARRAY_LEN(disks) : 1;
	spec.nets = &net;
	spec.nnets = tap ? 1 : 0;
	spec.hotplug = tap ? 0 : 2;
	spec.saving = saving;
	spec.ram_fd = saving == VMM_FROM_SAVED ? s->sealed : s->ram;
	spec.state_fd = state;
	if (!ret)
		start(f, &spec);
	else if (bare_vm_start(conform.choice.driver, &spec, ret, &e) < 0)
		give_up(f, e.msg);
}

/* Its clock is wrong, so that copies which have the right time were given it. */
static void save_an_agent(struct fixture *f, struct saved *s)
{
	auto_message_out struct message_out m = MESSAGE_OUT_INIT;
	auto_bare_vm struct bare_vm *vm = NULL;
	auto_close int state = -1;
	struct err e = ERR_INIT;
	struct tap tap;

	tap_open(&tap, 's');
	s->image = xasprintf("%s/image", f->dir);
	s->image_size = make_image(f, "image");
	s->state = xasprintf("%s/state", f->dir);
	assert_ok(vmm_ram_new((uint64_t)MEMORY_MIB << 20, &s->ram, &e));
	assert_ok(fd_open(f->dirfd, "state", O_RDWR | O_CREAT, 0600, &state, &e));
	start_spec(f, s, &tap, VMM_TO_BE_SAVED, state, &vm);
	bare_vm_begin(vm, &m, "clock");
	jw_int(&m.json, "now", LONG_AGO);
	assert_ok(bare_vm_request(vm, &m, &e));
	bare_vm_begin(vm, &m, "rest");
	assert_ok(bare_vm_request(vm, &m, &e));
	if (bare_vm_save(vm, &e) < 0)
		give_up(f, e.msg);
	assert_ok(vmm_ram_load(s->ram, &s->sealed, &e));
	tap_close(&tap);
}

struct copy {
	struct tap tap;
	struct fixture *f;
	const char *mac, *name;
	char *random[2]; /* boot_id, and bytes */
};

static void start_copy(struct fixture *of, const struct saved *s, struct copy *c)
{
	auto_close int state = -1;
	struct err e = ERR_INIT;

	tap_open(&c->tap, c->name[0]);
	c->f = fixture_more(of);
	assert_ok(fd_open(AT_FDCWD, s->state, O_RDONLY, 0, &state, &e));
	start_spec(c->f, s, &c->tap, VMM_FROM_SAVED, state, NULL);
}

static void look_at_copy(struct copy *c)
{
	int64_t before = clock_now() / 1000000000, its;
	auto_free char *text = NULL, *date = NULL, *name = NULL, *mac = NULL;
	struct talk t;

	begin(&t, c->f);
	/* An address that no interface has: nothing is done by halves. */
	set_identity(&t, c->mac, MAC_SAVED);
	assert_int_equal(t.failure.kind, ERR_NOT_FOUND);
	err_clear(&t.failure);
	set_identity(&t, MAC_SAVED, c->mac);
	if (err_is_set(&t.failure))
		give_up(c->f, t.failure.msg);
	ask_set_up(&t, c->name);
	wait_set_up(&t);
	text = run(&t,
		   "cat /proc/sys/kernel/random/boot_id; head -c 16 /dev/urandom | od -An -tx1; "
		   "date +%s; hostname; cat /sys/class/net/eth0/address");
	c->random[0] = line(text, 0);
	c->random[1] = line(text, 1);
	date = line(text, 2);
	name = line(text, 3);
	mac = line(text, 4);
	its = strtoll(date, NULL, 10);
	assert_in_range(its, before, clock_now() / 1000000000 + 1);
	assert_string_equal(name, c->name);
	assert_string_equal(mac, c->mac);
	end(&t);
}

void copies_of_the_agent_are_machines_of_their_own(void **state)
{
	struct copy copies[] = { { .mac = "52:54:00:6b:76:1a", .name = "alpha" },
				 { .mac = "52:54:00:6b:76:1b", .name = "beta" } };
	struct saved s = { .ram = -1, .sealed = -1 };

	save_an_agent(*state, &s);
	/* Both run before either is asked. */
	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		start_copy(*state, &s, &copies[i]);
	for (size_t i = 0; i < ARRAY_LEN(copies); i++)
		look_at_copy(&copies[i]);
	for (size_t i = 0; i < ARRAY_LEN(copies[0].random); i++) {
		assert_true(strlen(copies[0].random[i]) > 30);
		assert_string_not_equal(copies[0].random[i], copies[1].random[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		tap_close(&copies[i].tap);
		free(copies[i].random[0]);
		free(copies[i].random[1]);
	}
	fd_close(s.ram);
	fd_close(s.sealed);
	free(s.image);
	free(s.state);
}

/* A container.setup waits for its disk. */
void the_agent_finds_a_disk_and_a_net_that_come_later(void **state)
{
	struct saved s = { .ram = -1, .sealed = -1, .state = NULL };
	struct fixture *f = *state;
	auto_free char *text = NULL, *upper = make_upper(f);
	const struct vmm_file file = { upper, DISK_SIZE_MIN };
	const struct vmm_disk disk = { "slot-upper", false, false, &file, 1 };
	struct vmm_net net;
	struct talk t;
	struct tap tap;
	struct err e = ERR_INIT;

	s.image = xasprintf("%s/image", f->dir);
	s.image_size = make_image(f, "image");
	start_spec(f, &s, NULL, VMM_NOT_SAVED, -1, NULL);
	begin(&t, f);
	ask_set_up(&t, "gamma");
	wait_done(f, vmm_add_disk(&f->vmm, &disk, &e), &e);
	wait_set_up(&t);
	tap_open(&tap, 'g');
	net = tap_net(&tap, "net-later", MAC_SAVED);
	wait_done(f, vmm_add_net(&f->vmm, &net, &e), &e);
	text = run(&t, "n=0; while [ ! -e /sys/class/net/eth0 ] && [ $n -lt 1000 ]; do "
		       "sleep 0.1; n=$((n + 1)); done; cat /sys/class/net/eth0/address");
	assert_string_equal(text, MAC_SAVED "\n");
	tap_close(&tap);
	end(&t);
	free(s.image);
}
