/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The init of the guests of test_conform.c: static, alone in its initramfs. It finds its channel as the agent
 * does, says "hello", and does what each line tells it, answering with a line:
 *
 *	disks			"SERIAL SECTORS RO" of each, sorted as they come, "; " between
 *	nets			"MAC" of each, "; " between
 *	read SERIAL OFFSET	8 bytes there
 *	write SERIAL OFFSET TEXT	"ok" when it is on the disk
 *	words			the kernel's command line
 *	fill MIB		writes a pattern into that much memory: "ok"
 *	check			"intact", or how many pages of it are not
 *	free			gives it back: "ok"
 *	rest			"ok", then it hangs up where connections do not survive being saved, and dials until
 *				somebody answers, who hears "hello"
 *	off, reboot, panic	no answer
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static char words[4096];

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
	/* A call that was on its way when the VM was saved is never answered. */
	const struct timeval patience = { .tv_usec = 100000 };
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

static void list(FILE *out, const char *folder, const char *prefix, bool disks)
{
	DIR *dir = opendir(folder);
	struct dirent *d;
	char path[512], a[64], b[64], c[64];
	const char *between = "";

	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, prefix, strlen(prefix)) != 0)
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

/* ---- memory ---- */

static uint64_t *filled;
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

static void check(FILE *out)
{
	size_t bad = 0;

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

static void give_back(FILE *out)
{
	if (filled_words)
		munmap(filled, filled_words * 8);
	filled_words = 0;
	fprintf(out, "ok\n");
}

static void obey(FILE *out, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "disks") == 0)
		list(out, "/sys/block", "vd", true);
	else if (strcmp(line, "nets") == 0)
		list(out, "/sys/class/net", "e", false);
	else if (strncmp(line, "read ", 5) == 0)
		access_disk(out, line + 5, false);
	else if (strncmp(line, "write ", 6) == 0)
		access_disk(out, line + 6, true);
	else if (strncmp(line, "fill ", 5) == 0)
		fill(out, line + 5);
	else if (strcmp(line, "check") == 0)
		check(out);
	else if (strcmp(line, "free") == 0)
		give_back(out);
	else if (strcmp(line, "words") == 0)
		fprintf(out, "%s\n", words);
	else if (strcmp(line, "off") == 0)
		reboot(RB_POWER_OFF);
	else if (strcmp(line, "reboot") == 0)
		reboot(RB_AUTOBOOT);
	else if (strcmp(line, "panic") == 0)
		exit(1); /* the kernel does not live without this process */
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
	connect_to_host(in, out);
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
