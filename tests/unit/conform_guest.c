/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The init of the guests of test_conform.c: static, alone in its initramfs. It finds its channel as the agent
 * does, says "hello", and does what each line tells it, answering with a line:
 *
 *	disks			"SERIAL SECTORS RO" of each, sorted as they come, "; " between
 *	nets			"MAC" of each, "; " between
 *	send MAC TEXT		"ok" when a frame with that text has gone out of the interface with that MAC, to all
 *	listen MAC		"ok" when frames that come in there are kept for the next
 *	receive			the text of the next such frame, "nothing" when none comes within 300 ms
 *	mac OLD NEW		gives the interface another: "ok"
 *	read SERIAL OFFSET	8 bytes there
 *	write SERIAL OFFSET TEXT	"ok" when it is on the disk
 *	words			the kernel's command line
 *	fill MIB		writes a pattern into that much memory: "ok"
 *	check			"intact", or how many pages of it are not
 *	free			gives it back: "ok"
 *	memory			MiB of RAM that the kernel has to give
 *	cpus			how many processors are online
 *	online			tells all to be: "ok"
 *	rest			"ok", then it hangs up where connections do not survive being saved, and dials until
 *				somebody answers, who hears "hello"
 *	end off, end again, end in panic	no answer
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static char words[4096];
static bool resting; /* between "rest" and the next "hello" */

/* The first line of a small file; empty when there is none. */
static const char *line_of(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

/* Of a kernel whose drivers are modules. */
static void load_modules(void)
{
	FILE *list = fopen("/modules/load", "re");
	char name[128], path[160];

	while (list && fgets(name, sizeof(name), list)) {
		int fd;

		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			syscall(SYS_finit_module, fd, "", 0);
			close(fd);
		}
	}
	if (list)
		fclose(list);
}

static int open_vsock(unsigned port)
{
	struct sockaddr_vm addr = { .svm_family = AF_VSOCK,
				    .svm_cid = VMADDR_CID_HOST,
				    .svm_port = port };
	/* A call that was on its way when the VM was saved is never answered; another one is only late. */
	const struct timeval patience = { .tv_sec = resting ? 0 : 60,
					  .tv_usec = resting ? 100000 : 0 };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &patience,
			   sizeof(patience));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int open_port(const char *name)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *d;
	char path[512], text[128];
	int fd = -1;

	while (dir && fd < 0 && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", d->d_name);
		if (strcmp(line_of(path, text, sizeof(text)), name) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", d->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int open_channel(void)
{
	const char *at = strstr(words, "kvbox.channel=");
	char name[64] = "";

	if (!at)
		return -1;
	at += strlen("kvbox.channel=");
	if (strncmp(at, "vsock:", 6) == 0)
		return open_vsock((unsigned)strtoul(at + 6, NULL, 10));
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 7, " \n"), at + 7);
	return open_port(name);
}

/* The disk's device node in /dev. */
static bool find_disk(const char *serial, char *ret, size_t size)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *d;
	char path[512], text[64];
	bool found = false;

	while (dir && !found && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/block/%s/serial", d->d_name);
		if (strcmp(line_of(path, text, sizeof(text)), serial) != 0)
			continue;
		snprintf(ret, size, "/dev/%s", d->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* A disk is in its folder a moment before it can be opened. */
static bool can_open(const char *disk)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", disk);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Likewise an interface, whose name the kernel learns last. */
static void list(FILE *out, const char *folder, const char *prefix, bool disks)
{
	DIR *dir = opendir(folder);
	struct dirent *d;
	char path[512], a[64], b[64], c[64];
	const char *between = "";

	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, prefix, strlen(prefix)) != 0)
			continue;
		if (!(disks ? can_open(d->d_name) : if_nametoindex(d->d_name) > 0))
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", folder, d->d_name,
			 disks ? "serial" : "address");
		line_of(path, a, sizeof(a));
		fprintf(out, "%s%s", between, a);
		if (disks) {
			snprintf(path, sizeof(path), "%s/%s/size", folder, d->d_name);
			line_of(path, b, sizeof(b));
			snprintf(path, sizeof(path), "%s/%s/ro", folder, d->d_name);
			line_of(path, c, sizeof(c));
			fprintf(out, " %s %s", b, c);
		}
		between = "; ";
	}
	if (dir)
		closedir(dir);
	fprintf(out, "\n");
}

static void access_disk(FILE *out, const char *rest, bool writing)
{
	char serial[64] = "", text[64] = "", path[300], bytes[9] = "";
	unsigned long long offset = 0;
	ssize_t n = -1;
	int fd;

	sscanf(rest, "%63s %llu %63s", serial, &offset, text);
	if (!find_disk(serial, path, sizeof(path))) {
		fprintf(out, "no disk\n");
		return;
	}
	fd = open(path, (writing ? O_WRONLY | O_SYNC : O_RDONLY) | O_CLOEXEC);
	if (fd >= 0)
		n = writing ? pwrite(fd, text, strlen(text), (off_t)offset)
			    : pread(fd, bytes, 8, (off_t)offset);
	if (n < 0)
		fprintf(out, "error %d\n", errno);
	else
		fprintf(out, "%s\n", writing ? "ok" : bytes);
	if (fd >= 0)
		close(fd);
}

/* ---- nets ---- */

#define ETHERTYPE_TEST 0x88b5 /* for experiments */

struct test_frame {
	unsigned char to[6], from[6];
	uint16_t type;
	char text[100];
};

static int listening = -1;

static bool parse_mac(const char *text, unsigned char ret[6])
{
	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &ret[0], &ret[1], &ret[2], &ret[3],
		      &ret[4], &ret[5]) == 6;
}

static bool find_net(const char *mac, struct ifreq *ret)
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *d;
	char path[512], text[64];
	bool found = false;

	memset(ret, 0, sizeof(*ret));
	while (dir && !found && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/address", d->d_name);
		if (strcmp(line_of(path, text, sizeof(text)), mac) != 0)
			continue;
		snprintf(ret->ifr_name, sizeof(ret->ifr_name), "%.15s", d->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool set_link(int fd, struct ifreq *net, bool up)
{
	struct ifreq r = *net;

	if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return false;
	r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &r) == 0;
}

/* A socket for such frames on the interface, which is up then; -1 with errno. */
static int open_net(const char *mac, struct sockaddr_ll *addr)
{
	struct ifreq net;
	int fd;

	errno = ENODEV;
	if (!find_net(mac, &net))
		return -1;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE_TEST));
	if (fd < 0 || !set_link(fd, &net, true) || ioctl(fd, SIOCGIFINDEX, &net) < 0)
		return -1;
	*addr = (struct sockaddr_ll){ .sll_family = AF_PACKET,
				      .sll_protocol = htons(ETHERTYPE_TEST),
				      .sll_ifindex = net.ifr_ifindex,
				      .sll_halen = 6 };
	return bind(fd, (struct sockaddr *)addr, sizeof(*addr)) < 0 ? -1 : fd;
}

static void send_frame(FILE *out, const char *rest)
{
	struct test_frame f = { .to = { 255, 255, 255, 255, 255, 255 },
				.type = htons(ETHERTYPE_TEST) };
	struct sockaddr_ll addr;
	char mac[32] = "";
	int fd;

	sscanf(rest, "%31s %99s", mac, f.text);
	fd = parse_mac(mac, f.from) ? open_net(mac, &addr) : -1;
	if (fd < 0 || write(fd, &f, sizeof(f)) != sizeof(f))
		fprintf(out, "error %d\n", errno);
	else
		fprintf(out, "ok\n");
	if (fd >= 0)
		close(fd);
}

static void listen_to(FILE *out, const char *mac)
{
	struct sockaddr_ll addr;

	if (listening >= 0)
		close(listening);
	listening = open_net(mac, &addr);
	if (listening < 0)
		fprintf(out, "error %d\n", errno);
	else
		fprintf(out, "ok\n");
}

static void receive(FILE *out, const char *rest)
{
	struct pollfd p = { listening, POLLIN, 0 };
	struct test_frame f;
	ssize_t n = 0;

	(void)rest;
	if (poll(&p, 1, 300) == 1)
		n = read(listening, &f, sizeof(f));
	if (n < (ssize_t)sizeof(f))
		fprintf(out, "nothing\n");
	else
		fprintf(out, "%.*s\n", (int)sizeof(f.text), f.text);
}

static void change_mac(FILE *out, const char *rest)
{
	char old[32] = "", new[32] = "";
	struct ifreq net;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sscanf(rest, "%31s %31s", old, new);
	if (fd < 0 || !find_net(old, &net) || !set_link(fd, &net, false)) {
		fprintf(out, "error %d\n", errno);
	} else {
		net.ifr_hwaddr.sa_family = ARPHRD_ETHER;
		parse_mac(new, (unsigned char *)net.ifr_hwaddr.sa_data);
		if (ioctl(fd, SIOCSIFHWADDR, &net) < 0)
			fprintf(out, "error %d\n", errno);
		else
			fprintf(out, "ok\n");
	}
	if (fd >= 0)
		close(fd);
}

/* ---- memory and processors ---- */

static void count_memory(FILE *out, const char *rest)
{
	char line[64];

	(void)rest;
	fprintf(out, "%lu\n",
		strtoul(line_of("/proc/meminfo", line, sizeof(line)) + strlen("MemTotal:"), NULL,
			10) >>
			10);
}

/* As udev would do it. */
static void switch_on(const char *cpu)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/%s/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "1", 1);
	close(fd);
}

static void count_cpus(FILE *out, const char *rest)
{
	(void)rest;
	fprintf(out, "%ld\n", sysconf(_SC_NPROCESSORS_ONLN));
}

static void switch_all_on(FILE *out, const char *rest)
{
	DIR *dir = opendir("/sys/devices/system/cpu");
	struct dirent *d;

	(void)rest;
	while (dir && (d = readdir(dir)))
		if (strncmp(d->d_name, "cpu", 3) == 0 && d->d_name[3] >= '0' && d->d_name[3] <= '9')
			switch_on(d->d_name);
	if (dir)
		closedir(dir);
	fprintf(out, "ok\n");
}

static uint64_t *filled; /* by "fill" */
static size_t filled_words;

static void fill(FILE *out, const char *mib)
{
	filled_words = strtoul(mib, NULL, 10) << 17;
	filled = mmap(NULL, filled_words * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (filled == MAP_FAILED) {
		filled_words = 0;
		fprintf(out, "error %d\n", errno);
		return;
	}
	for (size_t i = 0; i < filled_words; i++)
		filled[i] = i * 0x9e3779b97f4a7c15ULL;
	fprintf(out, "ok\n");
}

static void check(FILE *out, const char *rest)
{
	size_t bad = 0;

	(void)rest;
	for (size_t i = 0; i < filled_words; i++)
		if (filled[i] != i * 0x9e3779b97f4a7c15ULL) {
			bad++;
			i |= 511; /* the next page */
		}
	if (bad)
		fprintf(out, "%zu pages are not\n", bad);
	else
		fprintf(out, filled_words ? "intact\n" : "nothing\n");
}

static void give_back(FILE *out, const char *rest)
{
	(void)rest;
	if (filled_words)
		munmap(filled, filled_words * 8);
	filled_words = 0;
	fprintf(out, "ok\n");
}

/* ---- commands ---- */

static void list_disks(FILE *out, const char *rest)
{
	(void)rest;
	list(out, "/sys/block", "vd", true);
}

static void list_nets(FILE *out, const char *rest)
{
	(void)rest;
	list(out, "/sys/class/net", "e", false);
}

static void read_disk(FILE *out, const char *rest)
{
	access_disk(out, rest, false);
}

static void write_disk(FILE *out, const char *rest)
{
	access_disk(out, rest, true);
}

static void tell_words(FILE *out, const char *rest)
{
	(void)rest;
	fprintf(out, "%s\n", words);
}

static void end_vm(FILE *out, const char *how)
{
	(void)out;
	if (strcmp(how, "off") == 0)
		reboot(RB_POWER_OFF);
	else if (strcmp(how, "again") == 0)
		reboot(RB_AUTOBOOT);
	else
		exit(1); /* the kernel does not live without this process */
}

static const struct {
	const char *word;
	void (*run)(FILE *out, const char *rest);
} commands[] = {
	{ "disks", list_disks },    { "nets", list_nets },  { "read", read_disk },
	{ "write", write_disk },    { "send", send_frame }, { "listen", listen_to },
	{ "receive", receive },	    { "mac", change_mac },  { "words", tell_words },
	{ "fill", fill },	    { "check", check },	    { "free", give_back },
	{ "memory", count_memory }, { "cpus", count_cpus }, { "online", switch_all_on },
	{ "end", end_vm },
};

static void obey(FILE *out, char *line)
{
	size_t n = strcspn(line, " \n"), i = 0;
	const char *rest = line[n] == ' ' ? line + n + 1 : "";

	line[strcspn(line, "\n")] = '\0';
	line[n] = '\0';
	while (i < sizeof(commands) / sizeof(*commands) && strcmp(commands[i].word, line) != 0)
		i++;
	if (i < sizeof(commands) / sizeof(*commands))
		commands[i].run(out, rest);
	else
		fprintf(out, "what?\n");
	fflush(out);
}

/* Until somebody answers; on a port that is at once. */
static void connect_to_host(FILE **in, FILE **out)
{
	int fd = -1;

	for (int i = 0; i < 100000 && fd < 0; i++) {
		fd = open_channel();
		if (fd < 0)
			usleep(10000);
	}
	*in = fd < 0 ? NULL : fdopen(fd, "r");
	*out = fd < 0 ? NULL : fdopen(dup(fd), "w");
	if (!*in || !*out) {
		printf("conform: no channel\n");
		reboot(RB_POWER_OFF);
	}
	fprintf(*out, "hello\n");
	fflush(*out);
}

static void rest(FILE **in, FILE **out)
{
	fprintf(*out, "ok\n");
	fflush(*out);
	if (!strstr(words, "kvbox.channel=vsock:"))
		return;
	fclose(*in);
	fclose(*out);
	resting = true;
	connect_to_host(in, out);
	resting = false;
}

int main(void)
{
	char line[512];
	FILE *in, *out;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	line_of("/proc/cmdline", words, sizeof(words));
	load_modules();
	connect_to_host(&in, &out);
	for (;;) {
		if (!fgets(line, sizeof(line), in))
			usleep(10000); /* a port whose other end is not there (yet) */
		else if (strcmp(line, "rest\n") == 0)
			rest(&in, &out);
		else
			obey(out, line);
		clearerr(in);
	}
}
