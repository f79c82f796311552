/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's processes may call by default: the effect of Docker's default profile (as of
 * 2026, with AF_ALG refused), in groups by what the calls are for. All else fails with EPERM.
 *
 * Not here, as there: what loads code into the kernel, changes clocks, mounts or namespaces
 * (without the capability), io_uring, userfaultfd, keyrings.
 */
#include "engine/seccomp_priv.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>

#define CAP(n) ((uint64_t)1 << (n))

enum machine { ANY, AMD64, ARM64 };

struct group {
	const char *names; /* with blanks between */
	uint64_t with;	   /* only with all of these capabilities */
	uint64_t without;  /* only without all of these */
	enum machine machine;
	int error; /* 0: allowed */
	bool has_arg;
	struct seccomp_arg arg;
};

/* A clone that makes no namespace. */
#define NEW_NAMESPACES                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

static const struct group groups[] = {
	/* files by name */
	{ .names = "access chdir chmod chown chown32 creat faccessat faccessat2 fchmodat "
		   "fchmodat2 fchownat fstatat64 futimesat getcwd lchown lchown32 link linkat "
		   "listmount lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at "
		   "newfstatat open openat openat2 readlink readlinkat rename renameat "
		   "renameat2 rmdir stat stat64 statfs statfs64 statmount statx symlink "
		   "symlinkat truncate truncate64 umask unlink unlinkat utime utimensat "
		   "utimensat_time64 utimes" },
	/* files by descriptor */
	{ .names = "close close_range copy_file_range dup dup2 dup3 fadvise64 fadvise64_64 "
		   "fallocate fchdir fchmod fchown fchown32 fcntl fcntl64 fdatasync flock "
		   "fstat fstat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 getdents "
		   "getdents64 ioctl _llseek lseek pipe pipe2 pread64 preadv preadv2 pwrite64 "
		   "pwritev pwritev2 read readahead readv sendfile sendfile64 splice sync "
		   "sync_file_range syncfs tee vmsplice write writev" },
	/* extended attributes */
	{ .names = "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr "
		   "listxattr listxattrat llistxattr lremovexattr lsetxattr removexattr "
		   "removexattrat setxattr setxattrat" },
	/* waiting for events */
	{ .names = "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait "
		   "epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 fanotify_mark "
		   "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch _newselect "
		   "poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4" },
	/* asynchronous input and output */
	{ .names = "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 "
		   "io_setup io_submit" },
	/* memory */
	{ .names = "brk cachestat madvise map_shadow_stack membarrier memfd_create "
		   "memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap "
		   "mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect "
		   "remap_file_pages" },
	/* processes */
	{ .names = "execve execveat exit exit_group fork getpgid getpgrp getpid getppid getsid "
		   "gettid kill pidfd_open pidfd_send_signal prctl process_mrelease setpgid "
		   "setsid tgkill tkill vfork wait4 waitid waitpid" },
	/* users and groups */
	{ .names = "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 "
		   "getgroups getgroups32 getresgid getresgid32 getresuid getresuid32 getuid "
		   "getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups "
		   "setgroups32 setregid setregid32 setresgid setresgid32 setresuid "
		   "setresuid32 setreuid setreuid32 setuid setuid32" },
	/* limits, priorities and accounting */
	{ .names = "getcpu getpriority getrlimit getrusage ioprio_get ioprio_set prlimit64 "
		   "sched_get_priority_max sched_get_priority_min sched_getaffinity "
		   "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
		   "sched_rr_get_interval_time64 sched_setaffinity sched_setattr "
		   "sched_setparam sched_setscheduler sched_yield setpriority setrlimit "
		   "sysinfo times ugetrlimit uname" },
	/* threads */
	{ .names = "futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake "
		   "get_robust_list get_thread_area rseq set_robust_list set_thread_area "
		   "set_tid_address" },
	/* signals */
	{ .names = "pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask "
		   "rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
		   "rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn" },
	/* time */
	{ .names = "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres "
		   "clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
		   "clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time "
		   "timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
		   "timer_settime timer_settime64 timerfd_create timerfd_gettime "
		   "timerfd_gettime64 timerfd_settime timerfd_settime64" },
	/* sockets */
	{ .names = "accept accept4 bind connect getpeername getsockname getsockopt listen recv "
		   "recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto "
		   "setsockopt shutdown socketcall socketpair" },
	/* IPC of System V and POSIX */
	{ .names = "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
		   "mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd "
		   "semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget" },
	/* restricting oneself, and the rest */
	{ .names = "getrandom landlock_add_rule landlock_create_ruleset landlock_restrict_self "
		   "riscv_hwprobe seccomp uretprobe" },
	/* other processes (the guest's kernel is newer than 4.8, from which on this is safe) */
	{ .names = "process_vm_readv process_vm_writev ptrace" },

	/*
	 * all families of sockets but AF_ALG and AF_VSOCK, which is the way to the host; of the
	 * number the kernel takes the lower half, and so does this (not so in Docker's, where
	 * 2^32 + AF_VSOCK goes through)
	 */
	{ .names = "socket", .has_arg = true, .arg = { 0, SECCOMP_OP_LT, AF_ALG, 0, true } },
	{ .names = "socket", .has_arg = true, .arg = { 0, SECCOMP_OP_EQ, AF_NFC, 0, true } },
	{ .names = "socket", .has_arg = true, .arg = { 0, SECCOMP_OP_GT, AF_VSOCK, 0, true } },

	/* no other system's execution domain, and asking for the present one */
	{ .names = "personality",
	  .has_arg = true,
	  .arg = { 0, SECCOMP_OP_EQ, PER_LINUX, 0, false } },
	{ .names = "personality",
	  .has_arg = true,
	  .arg = { 0, SECCOMP_OP_EQ, PER_LINUX32, 0, false } },
	{ .names = "personality", .has_arg = true, .arg = { 0, SECCOMP_OP_EQ, UNAME26, 0, false } },
	{ .names = "personality",
	  .has_arg = true,
	  .arg = { 0, SECCOMP_OP_EQ, PER_LINUX32 | UNAME26, 0, false } },
	{ .names = "personality",
	  .has_arg = true,
	  .arg = { 0, SECCOMP_OP_EQ, UINT32_MAX, 0, false } },

	/* of one machine */
	{ .names = "arch_prctl modify_ldt", .machine = AMD64 },
	{ .names = "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls "
		   "sync_file_range2",
	  .machine = ARM64 },

	/* what comes with a capability */
	{ .names = "open_by_handle_at", .with = CAP(CAP_DAC_READ_SEARCH) },
	{ .names = "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
		   "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr "
		   "move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname "
		   "sethostname setns syslog umount umount2 unshare",
	  .with = CAP(CAP_SYS_ADMIN) },
	{ .names = "clone",
	  .without = CAP(CAP_SYS_ADMIN),
	  .has_arg = true,
	  .arg = { 0, SECCOMP_OP_MASKED_EQ, 0, NEW_NAMESPACES, false } },
	/*
	 * its flags are in memory, where a filter cannot look; with this error libraries take
	 * clone
	 */
	{ .names = "clone3", .without = CAP(CAP_SYS_ADMIN), .error = ENOSYS },
	{ .names = "reboot", .with = CAP(CAP_SYS_BOOT) },
	{ .names = "chroot", .with = CAP(CAP_SYS_CHROOT) },
	{ .names = "delete_module finit_module init_module", .with = CAP(CAP_SYS_MODULE) },
	{ .names = "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
	  .with = CAP(CAP_SYS_NICE) },
	{ .names = "acct", .with = CAP(CAP_SYS_PACCT) },
	{ .names = "kcmp pidfd_getfd process_madvise", .with = CAP(CAP_SYS_PTRACE) },
	{ .names = "ioperm iopl", .with = CAP(CAP_SYS_RAWIO) },
	{ .names = "clock_settime clock_settime64 settimeofday stime", .with = CAP(CAP_SYS_TIME) },
	{ .names = "vhangup", .with = CAP(CAP_SYS_TTY_CONFIG) },
	{ .names = "syslog", .with = CAP(CAP_SYSLOG) },
	{ .names = "bpf", .with = CAP(CAP_BPF) },
	{ .names = "perf_event_open", .with = CAP(CAP_PERFMON) },
};
_Static_assert(AF_ALG == 38 && AF_NFC == 39 && AF_VSOCK == 40, "the three rules about sockets");

static void split_names(struct strv *ret, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		strv_addn(ret, text, n);
		text += n;
		text += strspn(text, " ");
	}
}

void seccomp_default(const struct seccomp_target *t, struct seccomp_profile *ret)
{
	const char *const machine[] = {
		[ANY] = seccomp_arch_docker, [AMD64] = "amd64", [ARM64] = "arm64"
	};

	seccomp_profile_init(ret, SECCOMP_RET_ERRNO | EPERM);
	for (unsigned int i = 0; seccomp_arch_name(i); i++)
		ret->arches |= 1u << i;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		const struct group *g = &groups[i];
		struct seccomp_rule *r;

		if ((t->caps & g->with) != g->with || (g->without && (t->caps & g->without)) ||
		    strcmp(machine[g->machine], seccomp_arch_docker) != 0)
			continue;
		r = seccomp_profile_add(ret, g->error ? SECCOMP_RET_ERRNO | (uint32_t)g->error
						      : SECCOMP_RET_ALLOW);
		split_names(&r->names, g->names);
		r->nargs = g->has_arg;
		r->args[0] = g->arg;
	}
}
