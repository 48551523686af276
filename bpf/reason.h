/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a task is doing in the kernel, and why it sleeps there. */
#ifndef PT_BPF_REASON_H
#define PT_BPF_REASON_H

#include "bpf/regs.h"

#define S_IFMT	 0170000
#define S_IFSOCK 0140000
#define S_IFREG	 0100000
#define S_IFBLK	 0060000
#define S_IFDIR	 0040000
#define S_IFCHR	 0020000
#define S_IFIFO	 0010000

#define AF_UNIX	    1
#define AF_INET	    2
#define AF_INET6    10
#define IPPROTO_UDP 17

/* include/linux/major.h: consoles, terminals and pseudo-terminals */
#define TTY_MAJOR		4
#define TTYAUX_MAJOR		5
#define UNIX98_PTY_MASTER_MAJOR 128
#define UNIX98_PTY_SLAVE_END	143

#define PT_FD_TRUST 100000 /* ns */

static __always_inline struct file *pt_file_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *table = task->files->fdt;
	struct file *file = NULL;

	if (fd < table->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
	return file;
}

static __always_inline __u8 pt_reason_of_socket(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sock = BPF_CORE_READ(socket, sk);
	__u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);

	if (family == AF_UNIX)
		return PT_REASON_UNIX;
	if (family != AF_INET && family != AF_INET6)
		return PT_REASON_OTHER;
	return BPF_CORE_READ(sock, sk_protocol) == IPPROTO_UDP ? PT_REASON_UDP : PT_REASON_TCP;
}

/* A character device: a terminal, or something else. */
static __always_inline __u8 pt_reason_of_device(struct inode *inode)
{
	__u32 major = BPF_CORE_READ(inode, i_rdev) >> 20;

	if (major == TTY_MAJOR || major == TTYAUX_MAJOR ||
	    (major >= UNIX98_PTY_MASTER_MAJOR && major <= UNIX98_PTY_SLAVE_END))
		return PT_REASON_TTY;
	return PT_REASON_OTHER;
}

static __always_inline __u8 pt_reason_of_file(struct file *file)
{
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : NULL;

	if (!inode)
		return PT_REASON_OTHER;
	switch (BPF_CORE_READ(inode, i_mode) & S_IFMT) {
	case S_IFIFO:
		return PT_REASON_PIPE;
	case S_IFSOCK:
		return pt_reason_of_socket(file);
	case S_IFCHR:
		return pt_reason_of_device(inode);
	case S_IFREG:
	case S_IFDIR:
	case S_IFBLK:
		return PT_REASON_DISK;
	default: /* an anonymous inode that a task reads and blocks in: an eventfd, a timerfd, a
		    signalfd */
		return PT_REASON_EVENTFD;
	}
}

/*
 * By the file behind a descriptor. Whoever sleeps there hundreds of thousands of times a second does so on the same
 * file: within PT_FD_TRUST ns the last answer serves for the same task, descriptor and call.
 */
static __always_inline __u8 pt_reason_of_fd(struct task_struct *task, struct pt_cpu *cpu, __u32 fd,
					    __u16 number, __u64 clock)
{
	struct pt_fd_reason *last = &cpu->fd_reasons[(__u32)task->pid % PT_FD_CACHE];
	__u64 key = (__u64)task->pid << 32 | (__u64)fd << 16 | number;

	if (last->key == key && clock - last->clock < PT_FD_TRUST)
		return last->reason;
	last->key = key;
	last->clock = clock;
	last->reason = pt_reason_of_file(pt_file_of(task, fd));
	return last->reason;
}

/* How the reason of a sleep in this system call is found: enum pt_call_class, or above. */
static __always_inline __u8 pt_call_class(__s16 number)
{
	__u64 index = (__u16)number;

	barrier_var(index); /* the verifier must see the value that is tested used */
	return index < PT_SYSCALL_LIMIT ? pt_config.call_class[index] : PT_CALL_OTHER;
}

/* What a task waits for that sleeps in a system call. */
static __always_inline __u8 pt_reason_of_call(struct task_struct *task, struct pt_cpu *cpu,
					      struct pt_regs *regs, __s16 number, __u64 clock)
{
	__u8 class = pt_call_class(number);

	if (class == PT_CALL_FD)
		return pt_reason_of_fd(task, cpu, pt_syscall_first(regs), number, clock);
	if (class == PT_CALL_FILE_LOCK)
		return PT_REASON_LOCK;
	return class >= PT_CALL_REASON ? class - PT_CALL_REASON : PT_REASON_OTHER;
}

/* Why a task that is not runnable sleeps; number is the system call it sleeps in, or -1, and
 * in_call what it tells. */
static __always_inline __u8 pt_reason_of(struct task_struct *task, __u32 state, __s16 number,
					 __u8 in_call)
{
	if (task->flags & PF_KTHREAD)
		return PT_REASON_KERNEL;
	if (state & TASK_STOPPED_TRACED)
		return PT_REASON_STOPPED;
	if (number < 0)
		return PT_REASON_FAULT;
	if (in_call == PT_REASON_OTHER && BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait))
		return PT_REASON_DISK;
	return in_call;
}

static __always_inline __u8 pt_state_of(__u32 state)
{
	if (state & (TASK_DEAD | TASK_EXIT))
		return PT_STATE_DEAD;
	if (state & TASK_STOPPED_TRACED)
		return PT_STATE_STOPPED;
	if (state & TASK_UNINTERRUPTIBLE)
		return state & TASK_NOLOAD ? PT_STATE_IDLE : PT_STATE_DISK;
	return state & TASK_INTERRUPTIBLE ? PT_STATE_SLEEPING : PT_STATE_RUNNABLE;
}

#endif
