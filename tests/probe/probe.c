/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that kvbox runs in QEMU's place (KVBOX_QEMU names it), as a VMM that was taken over would be: it tries
 * to get out, and tells on its standard error, which is the VMM's log, what it could do. One line each:
 *
 *	<what> refused <errno's text>
 *	<what> reached <detail>
 *	<what> is <value>
 *
 * Under the name "probe-hungry" it takes memory without end instead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIDS	  70000
#define CHILDREN  3000
#define HOST_FILE 4096

static void tell(const char *what, long r)
{
	if (r < 0)
		fprintf(stderr, "%s refused %s\n", what, strerror(errno));
	else
		fprintf(stderr, "%s reached %ld\n", what, r);
}

static void try_open(const char *path, int flags)
{
	char what[HOST_FILE + 16];
	int fd = open(path, flags | O_CLOEXEC, 0600);
	const bool writes = (flags & O_ACCMODE) != O_RDONLY;

	snprintf(what, sizeof(what), "%s:%s", writes ? "write" : "read", path);
	tell(what, fd);
	if (fd >= 0)
		close(fd);
}

static void list(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			fprintf(stderr, "list:%s has %s\n", path, entry->d_name);
	if (d)
		closedir(d);
	else
		tell(path, -1);
}

/* ---- files --------------------------------------------------------------------------------------- */

/* The log is open, so its name on the host is known: but not the way there. */
static void try_store(void)
{
	char path[HOST_FILE];
	ssize_t n = readlink("/proc/self/fd/2", path, sizeof(path) - 1);
	char *slash;

	if (n < 0) {
		tell("store:name", -1);
		return;
	}
	path[n] = '\0';
	fprintf(stderr, "store:name is %s\n", path);
	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		try_open(path, O_RDONLY);
	}
	tell("store:openat", openat(2, "..", O_RDONLY | O_CLOEXEC));
	tell("store:reopen", open("/proc/self/fd/2", O_RDONLY | O_CLOEXEC));
}

static void try_files(void)
{
	static const char *const host[] = { "/etc/passwd",
					    "/etc/shadow",
					    "/root",
					    "/home",
					    "/var",
					    "/run",
					    "/tmp",
					    "/sys",
					    "/boot",
					    "/usr/bin/su",
					    "/proc/1/root/etc/passwd",
					    "/proc/self/cwd/../etc/passwd",
					    "/proc/sys/kernel/core_pattern",
					    "/proc/cpuinfo" };
	static const char *const ours[] = { "/vm/kernel", "/vm/initramfs", "/vm/kvb-layers.0",
					    "/vm/kvb-layers.1", "/vm/pad" };
	static const char *const folders[] = { "/new",	   "/vm/new",  "/vm/v/new",
					       "/dev/new", "/usr/new", "/proc/new" };

	list("/");
	list("/vm");
	list("/dev");
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++)
		try_open(host[i], O_RDONLY);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		try_open(ours[i], O_RDONLY);
		try_open(ours[i], O_RDWR);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		try_open(folders[i], O_WRONLY | O_CREAT);
	try_open("/vm/kvb-upper", O_RDWR);
	tell("unlink", unlink("/vm/kvb-upper"));
	try_store();
}

static void try_devices(void)
{
	static const char *const devices[] = { "/dev/mem",     "/dev/kvm",  "/dev/vda", "/dev/sda",
					       "/dev/net/tun", "/dev/fuse", "/dev/tty" };

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		try_open(devices[i], O_RDWR);
	tell("mknod", mknod("/vm/v/disk", S_IFBLK | 0600, makedev(8, 0)));
}

/* ---- network and processes ----------------------------------------------------------------------- */

static void try_network(void)
{
	static const struct {
		const char *name;
		int family, type;
	} sockets[] = {
		{ "inet", AF_INET, SOCK_STREAM },    { "inet6", AF_INET6, SOCK_DGRAM },
		{ "netlink", AF_NETLINK, SOCK_RAW }, { "packet", AF_PACKET, SOCK_RAW },
		{ "vsock", AF_VSOCK, SOCK_STREAM },  { "alg", AF_ALG, SOCK_SEQPACKET },
	};
	struct sockaddr_un bus = { .sun_family = AF_UNIX,
				   .sun_path = "/run/dbus/system_bus_socket" };
	char what[32];
	int pair[2];

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		snprintf(what, sizeof(what), "socket:%s", sockets[i].name);
		tell(what, socket(sockets[i].family, sockets[i].type | SOCK_CLOEXEC, 0));
	}
	/* the kernel would load the module of whatever family is asked for */
	tell("pair:tipc", socketpair(AF_TIPC, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	tell("pair:inet", socketpair(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	tell("socket:bus", connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
				   (const struct sockaddr *)&bus, sizeof(bus)));
}

static void try_processes(void)
{
	struct rlimit core = { 1, 1 };
	long reached = 0;

	fprintf(stderr, "pid is %d\nparent is %d\n", (int)getpid(), (int)getppid());
	for (pid_t pid = 2; pid < PIDS; pid++)
		reached += kill(pid, 0) == 0 || errno == EPERM;
	fprintf(stderr, "processes is %ld\n", reached);
	tell("kill:all", kill(-1, SIGKILL));
	tell("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	tell("pidfd", syscall(SYS_pidfd_open, 1, 0));
	tell("priority", setpriority(PRIO_PROCESS, 0, -10));
	(void)!getrlimit(RLIMIT_CORE, &core);
	fprintf(stderr, "core is %lu\n", (unsigned long)core.rlim_max);
}

/* How many processes there can be at once. */
static void count_children(void)
{
	static pid_t pid[CHILDREN];
	int n = 0;

	while (n < CHILDREN && (pid[n] = fork()) >= 0) {
		if (pid[n] == 0) {
			pause();
			_exit(0);
		}
		n++;
	}
	fprintf(stderr, "children is %d\n", n);
	for (int i = 0; i < n; i++)
		kill(pid[i], SIGKILL);
	while (wait(NULL) > 0)
		;
}

/* ---- privileges and the kernel ------------------------------------------------------------------- */

/* In a child, so that there is somebody to tell. */
static void try_exec(const char *path)
{
	char what[HOST_FILE], *copy = strdup(path), *argv[] = { copy, NULL };
	pid_t pid = fork();

	snprintf(what, sizeof(what), "exec:%s", path);
	if (pid == 0) {
		execve(path, argv, argv + 1);
		tell(what, -1);
		_exit(126);
	}
	if (pid < 0)
		tell(what, -1);
	else
		waitpid(pid, NULL, 0);
	free(copy);
}

static void try_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { 0 } };
	int bounding = 0;

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		bounding += prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
	(void)!syscall(SYS_capget, &head, caps);
	fprintf(stderr, "capabilities is %x %x\nbounding is %d\n", caps[0].permitted,
		caps[1].permitted, bounding);
	fprintf(stderr, "user is %u\n", (unsigned)getuid());
	fprintf(stderr, "groups is %d\n", getgroups(0, NULL));
	fprintf(stderr, "nonewprivs is %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	fprintf(stderr, "seccomp is %d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	tell("setuid", setuid(0));
	tell("setgid", setgid(0));
	tell("chown", chown("/vm/kvb-upper", 0, 0));
	try_exec("/bin/sh");
	try_exec("/usr/bin/su");
	try_exec("/usr/lib/x86_64-linux-gnu/libc.so.6");
}

static void try_kernel(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY };
	char room[256] = { 0 };

	tell("mount", mount("none", "/vm", "tmpfs", 0, NULL));
	tell("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	tell("umount", umount2("/vm/kernel", MNT_DETACH));
	tell("fsopen", fsopen("tmpfs", FSOPEN_CLOEXEC));
	tell("chroot", chroot("/vm"));
	tell("unshare:user", unshare(CLONE_NEWUSER));
	tell("unshare:mount", unshare(CLONE_NEWNS));
	tell("clone:user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
	tell("clone3", syscall(SYS_clone3, room, 64));
	tell("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
	tell("io_uring", syscall(SYS_io_uring_setup, 4, room));
	tell("userfaultfd", syscall(SYS_userfaultfd, 0));
	tell("keyring", syscall(SYS_add_key, "user", "probe", "x", 1, -2));
	tell("sysv", syscall(SYS_shmget, 0, 4096, 01600));
	tell("hostname", sethostname("probe", 5));
	tell("x32", syscall(0x40000000 | SYS_getpid));
}

static void eat(void)
{
	const size_t step = (size_t)16 << 20;

	for (;;) {
		void *p = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED) {
			tell("memory", -1);
			return;
		}
		memset(p, 1, step);
	}
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("QEMU emulator version 7.2.0 (the probe)");
		return 0;
	}
	if (strcmp(slash ? slash + 1 : argv[0], "probe-hungry") == 0) {
		eat();
		return 1;
	}
	try_files();
	try_devices();
	try_network();
	try_processes();
	try_privileges();
	try_kernel();
	count_children();
	fputs("probe is done\n", stderr);
	return 1;
}
