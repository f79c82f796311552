/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See conform.h: taps. They are in a network namespace of the program's own, where root may make them, and
 * somebody else as root of a user namespace, if /dev/net/tun is his to open.
 *
 * A tap's descriptor has one queue, and what comes in there is the VMM's. So the host's side is the interface,
 * where a packet socket hears what the VMM writes, and sends what it is to read.
 */
#include "tests/unit/conform.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ETHERTYPE_TEST 0x88b5 /* for experiments; as in conform_guest.c */
/* How long one frame is waited for before it is sent again: it is dropped while a link comes up. */
#define AGAIN_MS 200

struct test_frame {
	unsigned char to[VMM_MAC_SIZE], from[VMM_MAC_SIZE];
	uint16_t type;
	char text[100];
};

/* ---- where ---- */

static bool write_text(const char *path, const char *text)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	return fd_open(AT_FDCWD, path, O_WRONLY, 0, &fd, &e) == 0 &&
	       fd_write_full(fd, text, strlen(text), &e) == 0;
}

/* As root of it, and as who we are for everything outside. */
static bool enter_user_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (!write_text("/proc/self/uid_map", map) || !write_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	return write_text("/proc/self/gid_map", map);
}

bool taps_begin(void)
{
	auto_close int fd = -1;
	struct err e = ERR_INIT;

	if (fd_open(AT_FDCWD, "/dev/net/tun", O_RDWR, 0, &fd, &e) < 0) {
		printf("# no taps: %s\n", e.msg);
		return false;
	}
	if ((geteuid() != 0 && !enter_user_namespace()) || unshare(CLONE_NEWNET) < 0) {
		printf("# no taps: no namespace for them: %s\n", strerror(errno));
		return false;
	}
	return true;
}

/* ---- one ---- */

static void open_interface(struct tap *t, char name[IFNAMSIZ])
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	struct err e = ERR_INIT;

	assert_ok(fd_open(AT_FDCWD, "/dev/net/tun", O_RDWR | O_NONBLOCK, 0, &t->fd, &e));
	assert_int_equal(ioctl(t->fd, TUNSETIFF, &r), 0);
	memcpy(name, r.ifr_name, IFNAMSIZ);
}

void tap_open(struct tap *t, char owner)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETHERTYPE_TEST) };
	struct ifreq r = { 0 };

	t->owner = owner;
	open_interface(t, r.ifr_name);
	t->packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE_TEST));
	assert_true(t->packets >= 0);
	assert_int_equal(ioctl(t->packets, SIOCGIFINDEX, &r), 0);
	addr.sll_ifindex = r.ifr_ifindex;
	/* First, else the socket's first read tells that the interface was down. */
	r.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(t->packets, SIOCSIFFLAGS, &r), 0);
	assert_int_equal(bind(t->packets, (struct sockaddr *)&addr, sizeof(addr)), 0);
}

void tap_close(struct tap *t)
{
	fd_close(take_fd(&t->fd));
	fd_close(take_fd(&t->packets));
}

void mac_parse(const char *text, unsigned char ret[VMM_MAC_SIZE])
{
	assert_int_equal(sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &ret[0], &ret[1], &ret[2],
				&ret[3], &ret[4], &ret[5]),
			 VMM_MAC_SIZE);
}

struct vmm_net tap_net(const struct tap *t, const char *id, const char *mac)
{
	struct vmm_net net = { .id = id, .tap_fd = t->fd };

	mac_parse(mac, net.mac);
	return net;
}

/* ---- frames ---- */

/* The next frame out of the tap; false when none comes for a while. */
static bool hear_frame(struct fixture *f, const struct tap *t, struct test_frame *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!wait_for(f, t->packets, AGAIN_MS))
		return false;
	assert_int_equal(read(t->packets, ret, sizeof(*ret)), sizeof(*ret));
	/* From this tap's guest, and no other's. */
	assert_int_equal(ret->text[0], t->owner);
	ret->text[sizeof(ret->text) - 1] = '\0';
	return true;
}

static void expect_from_guest(struct fixture *f, const struct tap *t, const char *mac,
			      const char *text)
{
	int64_t deadline = clock_monotonic() + (int64_t)PATIENCE_MS * 1000000;
	auto_free char *line = xasprintf("send %s %s", mac, text);
	unsigned char from[VMM_MAC_SIZE];
	struct test_frame frame;

	mac_parse(mac, from);
	do {
		if (clock_monotonic() > deadline)
			give_up(f, "the guest's frame does not come out of the tap");
		assert_string_equal(ask(f, line), "ok");
		/* What was said earlier may come twice. */
		while (hear_frame(f, t, &frame) && strcmp(frame.text, text) != 0)
			;
	} while (strcmp(frame.text, text) != 0);
	assert_memory_equal(frame.from, from, VMM_MAC_SIZE);
}

static void expect_at_guest(struct fixture *f, const struct tap *t, const char *mac,
			    const char *text)
{
	int64_t deadline = clock_monotonic() + (int64_t)PATIENCE_MS * 1000000;
	struct test_frame frame = { .from = { 2, 0, 0, 0, 0, 1 }, .type = htons(ETHERTYPE_TEST) };
	auto_free char *line = xasprintf("listen %s", mac);

	mac_parse(mac, frame.to);
	snprintf(frame.text, sizeof(frame.text), "%s", text);
	assert_string_equal(ask(f, line), "ok");
	do {
		if (clock_monotonic() > deadline)
			give_up(f, "a frame does not reach the guest");
		assert_int_equal(write(t->packets, &frame, sizeof(frame)), sizeof(frame));
	} while (strcmp(ask(f, "receive"), text) != 0);
}

void tap_exchange(struct fixture *f, const struct tap *t, const char *mac, const char *text)
{
	auto_free char *out = xasprintf("%c:out:%s", t->owner, text);
	auto_free char *in = xasprintf("%c:in:%s", t->owner, text);

	expect_from_guest(f, t, mac, out);
	expect_at_guest(f, t, mac, in);
}
