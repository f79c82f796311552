/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no VMM calls, refused with EPERM.
 *
 * A list of what is refused, and not of what is allowed, because the VMM is whatever build a distribution or
 * a user has, with whatever C library: a list of its own calls is known only to the VMM, and both VMMs load
 * one over this (QEMU's -sandbox, Cloud Hypervisor's per thread). This one is there before their first
 * instruction, and takes what would widen an attack from the inside: other ways into the kernel that
 * need no privilege, and namespaces.
 *
 * The program is compiled by hand: a tree of 70 numbers needs no library. It is a tree since the kernel goes through it
 * for every call there is when it is loaded, and finds out which are always allowed; for those it is not run.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "vmm/confine.h"
#include "vmm/confine_priv.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "which architecture is this?"
#endif
#define X32_BIT 0x40000000u

#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)

static const int refused[] = {
	/* mounts and roots */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_mount_setattr,
	SYS_quotactl,
	SYS_swapon,
	SYS_swapoff,
	/* namespaces */
	SYS_unshare,
	SYS_setns,
	/* other processes */
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_open,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	SYS_kcmp,
	SYS_process_madvise,
	SYS_migrate_pages,
	SYS_move_pages,
	SYS_execveat,
	/* files by handle, and watching all of them */
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_fanotify_init,
	SYS_fanotify_mark,
	/* the kernel itself */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_syslog,
	SYS_reboot,
	SYS_acct,
	SYS_personality,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_vhangup,
	SYS_vmsplice,
	SYS_remap_file_pages,
	SYS_lookup_dcookie,
	SYS_nfsservctl,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_quotactl_fd
	SYS_quotactl_fd,
#endif
#ifdef SYS_memfd_secret
	SYS_memfd_secret,
#endif
	/* clocks and names of the host */
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	/* System V's and POSIX's objects */
	SYS_msgget,
	SYS_semget,
	SYS_shmget,
	SYS_mq_open,
#ifdef __x86_64__
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
	SYS_uselib,
	SYS_ustat,
	SYS_sysfs,
#endif
};

static const int io_uring[] = { SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register };

struct program {
	struct sock_filter *v;
	size_t n;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->n < CONFINE_FILTER_MAX)
		p->v[p->n++] = (struct sock_filter){ code, yes, no, k };
}

static void load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *p, uint32_t action)
{
	put(p, BPF_RET | BPF_K, action, 0, 0);
}

/* `action` when the loaded word is `value`. */
static void answer_if(struct program *p, uint32_t value, uint32_t action)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	answer(p, action);
}

#define REFUSE(error) (SECCOMP_RET_ERRNO | (uint32_t)(error))
/* The low half of an argument: both architectures are little endian. */
#define ARG(i) (offsetof(struct seccomp_data, args) + (i) * sizeof(uint64_t))

/* Threads, but no namespaces. */
static void check_clone(struct program *p)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
	load(p, ARG(0));
	put(p, BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1);
	answer(p, REFUSE(EPERM));
	answer(p, SECCOMP_RET_ALLOW);
}

/* Pairs too, which most families cannot make: the kernel loads the module of whatever family is asked for. */
static void check_family(struct program *p, uint32_t nr)
{
	size_t start = p->n;

	put(p, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 0);
	load(p, ARG(0));
	answer_if(p, AF_UNIX, SECCOMP_RET_ALLOW);
	answer(p, REFUSE(EAFNOSUPPORT));
	p->v[start].jf = (uint8_t)(p->n - start - 1);
}

struct refusal {
	uint32_t nr;
	uint32_t action;
};

/* So many are compared one after the other. */
#define LEAF 4

static int by_number(const void *a, const void *b)
{
	const struct refusal *x = a, *y = b;

	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

/* The answers to all numbers, where `v` is in their order. */
static void put_tree(struct program *p, const struct refusal *v, size_t n)
{
	size_t half = n / 2, start = p->n;

	if (n <= LEAF) {
		for (size_t i = 0; i < n; i++)
			answer_if(p, v[i].nr, v[i].action);
		answer(p, SECCOMP_RET_ALLOW);
		return;
	}
	put(p, BPF_JMP | BPF_JGE | BPF_K, v[half].nr, 0, 0);
	put_tree(p, v, half);
	p->v[start].jt = (uint8_t)(p->n - start - 1);
	put_tree(p, v + half, n - half);
}

static void put_refusals(struct program *p, unsigned flags)
{
	struct refusal all[ARRAY_LEN(refused) + ARRAY_LEN(io_uring) + 1];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		all[n++] = (struct refusal){ (uint32_t)refused[i], REFUSE(EPERM) };
	for (size_t i = 0; !(flags & VMM_SPAWN_IO_URING) && i < ARRAY_LEN(io_uring); i++)
		all[n++] = (struct refusal){ (uint32_t)io_uring[i], REFUSE(ENOSYS) };
	/* Its flags lie in memory, where a filter does not look: C libraries then take clone. */
	all[n++] = (struct refusal){ SYS_clone3, REFUSE(ENOSYS) };
	qsort(all, n, sizeof(*all), by_number);
	put_tree(p, all, n);
}

size_t confine_filter(unsigned flags, struct sock_filter ret[CONFINE_FILTER_MAX])
{
	struct program p = { ret, 0 };

	load(&p, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	answer(&p, SECCOMP_RET_KILL_PROCESS);
	load(&p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	put(&p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	answer(&p, REFUSE(ENOSYS));
#endif
	check_clone(&p);
	check_family(&p, SYS_socket);
	check_family(&p, SYS_socketpair);
	put_refusals(&p, flags);
	return p.n;
}
