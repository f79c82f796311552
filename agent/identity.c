/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/identity.h"

#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/fs.h>
#include <linux/random.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define NS_A_SECOND INT64_C(1000000000)

/*
 * Adding entropy only fills the pool, from which the generator takes a new key once a minute: until then
 * copies would give equal bytes. So it is told to take one now.
 */
static int reseed(const void *entropy, size_t n, struct err *e)
{
	/* Its bytes stand behind it. */
	unsigned char pool[sizeof(struct rand_pool_info) + IDENTITY_ENTROPY_MAX]
		__attribute__((aligned(__alignof__(struct rand_pool_info))));
	const struct rand_pool_info info = { .entropy_count = (int)(n * 8), .buf_size = (int)n };
	auto_close int fd = -1;

	memcpy(pool, &info, sizeof(info));
	memcpy(pool + sizeof(info), entropy, n);
	if (fd_open(AT_FDCWD, "/dev/urandom", O_RDWR, 0, &fd, e) < 0)
		return -1;
	if (ioctl(fd, RNDADDENTROPY, pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
		return err_sys(e, "cannot seed the random number generator");
	return 0;
}

static int set_clock(int64_t now_ns, struct err *e)
{
	struct timespec ts = { now_ns / NS_A_SECOND, now_ns % NS_A_SECOND };

	return clock_settime(CLOCK_REALTIME, &ts) < 0 ? err_sys(e, "cannot set the clock") : 0;
}

static int flush_disk(void *ctx, const char *name, struct err *e)
{
	auto_close int fd = -1;
	char path[64];

	(void)ctx;
	if (!str_has_prefix(name, "vd"))
		return 0;
	snprintf(path, sizeof(path), "/dev/%.32s", name);
	if (fd_open(AT_FDCWD, path, O_RDONLY, 0, &fd, e) < 0)
		return -1;
	return ioctl(fd, BLKFLSBUF, 0) < 0 ? err_sys(e, "cannot drop what is cached of %s", path)
					   : 0;
}

int identity_forget_disks(struct err *e)
{
	auto_close int dir = -1;

	if (fd_open_dir(AT_FDCWD, "/sys/block", &dir, e) < 0)
		return -1;
	return dir_each(dir, ".", flush_disk, NULL, e);
}

int identity_take(const void *entropy, size_t n, int64_t now_ns, struct err *e)
{
	if (n < IDENTITY_ENTROPY_MIN || n > IDENTITY_ENTROPY_MAX)
		return err_set(e, ERR_INVALID, "%zu bytes of entropy", n);
	if (now_ns <= 0)
		return err_set(e, ERR_INVALID, "the host's time is missing");
	if (reseed(entropy, n, e) < 0)
		return -1;
	return set_clock(now_ns, e);
}

/* ---- network interfaces ---------------------------------------------------------------------- */

#define MAC_SIZE 6
#define MAC_TEXT 17

struct change {
	unsigned char from[MAC_SIZE], to[MAC_SIZE];
	char name[IFNAMSIZ]; /* empty: not found yet */
};

/* Exactly "xx:xx:xx:xx:xx:xx". */
static bool parse_mac(const char *text, unsigned char ret[MAC_SIZE])
{
	for (size_t i = 0; i < MAC_TEXT; i++) {
		bool hex = memchr("0123456789abcdefABCDEF", text[i], 22) != NULL;

		if (i % 3 == 2 ? text[i] != ':' : !hex)
			return false;
		if (i % 3 == 0)
			ret[i / 3] = (unsigned char)strtoul(text + i, NULL, 16);
	}
	return true;
}

static int parse_change(const char *text, struct change *ret, struct err *e)
{
	*ret = (struct change){ .name = "" };
	if (strlen(text) != 2 * MAC_TEXT + 1 || text[MAC_TEXT] != '=' ||
	    !parse_mac(text, ret->from) || !parse_mac(text + MAC_TEXT + 1, ret->to))
		return err_set(e, ERR_INVALID, "'%.64s' are not two addresses", text);
	/* A group's, or nobody's. */
	if ((ret->to[0] & 1) || memcmp(ret->to, (unsigned char[MAC_SIZE]){ 0 }, MAC_SIZE) == 0)
		return err_set(e, ERR_INVALID, "no interface can have the second one of '%s'",
			       text);
	return 0;
}

struct search {
	int socket;
	struct change *changes;
	size_t n;
};

static int look_at_interface(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	struct ifreq r = { .ifr_flags = 0 };

	(void)e;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%.15s", name);
	if (ioctl(s->socket, SIOCGIFHWADDR, &r) < 0 || r.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return 0;
	for (size_t i = 0; i < s->n; i++)
		if (memcmp(s->changes[i].from, r.ifr_hwaddr.sa_data, MAC_SIZE) == 0)
			memcpy(s->changes[i].name, r.ifr_name, IFNAMSIZ);
	return 0;
}

static int set_flags(int fd, const struct change *c, short flags, struct err *e)
{
	struct ifreq r = { .ifr_flags = flags };

	memcpy(r.ifr_name, c->name, IFNAMSIZ);
	return ioctl(fd, SIOCSIFFLAGS, &r) < 0 ? err_sys(e, "cannot set the flags of '%s'", c->name)
					       : 0;
}

/* While the link is down, since not every driver takes it else. */
static int set_mac(int fd, const struct change *c, struct err *e)
{
	struct ifreq flags = { .ifr_flags = 0 }, r = { .ifr_flags = 0 };
	bool up;

	memcpy(flags.ifr_name, c->name, IFNAMSIZ);
	memcpy(r.ifr_name, c->name, IFNAMSIZ);
	r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r.ifr_hwaddr.sa_data, c->to, MAC_SIZE);
	if (ioctl(fd, SIOCGIFFLAGS, &flags) < 0)
		return err_sys(e, "cannot read the flags of '%s'", c->name);
	up = flags.ifr_flags & IFF_UP;
	if (up && set_flags(fd, c, (short)(flags.ifr_flags & ~IFF_UP), e) < 0)
		return -1;
	if (ioctl(fd, SIOCSIFHWADDR, &r) < 0)
		return err_sys(e, "cannot set the address of '%s'", c->name);
	return up ? set_flags(fd, c, flags.ifr_flags, e) : 0;
}

static int set_all(const struct search *s, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		const unsigned char *m = s->changes[i].from;

		if (!s->changes[i].name[0])
			return err_set(e, ERR_NOT_FOUND,
				       "no interface has the address %02x:%02x:%02x:%02x:%02x:%02x",
				       m[0], m[1], m[2], m[3], m[4], m[5]);
	}
	for (size_t i = 0; i < s->n; i++)
		if (set_mac(s->socket, &s->changes[i], e) < 0)
			return -1;
	return 0;
}

int identity_set_macs(const struct strv *macs, struct err *e)
{
	auto_free struct change *changes = xcalloc(macs->n + 1, sizeof(*changes));
	auto_close int fd = -1, dir = -1;
	struct search s = { -1, changes, macs->n };

	if (macs->n == 0)
		return 0;
	if (macs->n > IDENTITY_MACS_MAX)
		return err_set(e, ERR_INVALID, "more than %d addresses", IDENTITY_MACS_MAX);
	for (size_t i = 0; i < macs->n; i++)
		if (parse_change(macs->v[i], &changes[i], e) < 0)
			return -1;
	/* Any socket will do, and one of the Internet's would be the first of this VM. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "cannot look at network interfaces");
	s.socket = fd;
	if (fd_open_dir(AT_FDCWD, "/sys/class/net", &dir, e) < 0 ||
	    dir_each(dir, ".", look_at_interface, &s, e) < 0)
		return -1;
	return set_all(&s, e);
}
