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

/* The address of the struct file behind a descriptor; NULL: there is none. */
static __always_inline struct file *pt_file_of(struct task_struct *task, __u32 fd)
{
	__u64 files = pt_read_address(struct task_struct, task, files);
	__u64 table = pt_read_address(struct files_struct, files, fdt);

	if (fd >= pt_read(struct fdtable, table, max_fds))
		return NULL;
	return (struct file *)pt_read_word(pt_read_address(struct fdtable, table, fd) + fd * 8ULL);
}

static __always_inline __u8 pt_reason_of_socket(__u64 file)
{
	__u64 socket = pt_read_address(struct file, file, private_data);
	__u64 sock = pt_read_address(struct socket, socket, sk);
	__u16 family = pt_read(struct sock, sock, __sk_common.skc_family);

	if (family == AF_UNIX)
		return PT_REASON_UNIX;
	if (family != AF_INET && family != AF_INET6)
		return PT_REASON_OTHER;
	return pt_read(struct sock, sock, sk_protocol) == IPPROTO_UDP ? PT_REASON_UDP
								      : PT_REASON_TCP;
}

/* A character device: a terminal, or something else. */
static __always_inline __u8 pt_reason_of_device(__u64 inode)
{
	__u32 major = pt_read(struct inode, inode, i_rdev) >> 20;

	if (major == TTY_MAJOR || major == TTYAUX_MAJOR ||
	    (major >= UNIX98_PTY_MASTER_MAJOR && major <= UNIX98_PTY_SLAVE_END))
		return PT_REASON_TTY;
	return PT_REASON_OTHER;
}

/* Not inlined: the verifier goes through it once, by itself. */
__noinline __u32 pt_reason_of_file(__u64 file)
{
	__u64 inode = file ? pt_read_address(struct file, file, f_inode) : 0;

	if (!inode)
		return PT_REASON_OTHER;
	switch (pt_read(struct inode, inode, i_mode) & S_IFMT) {
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

/* How the reason of a sleep in this system call is found: enum pt_call_class, or above. */
static __always_inline __u8 pt_call_class(__s16 number)
{
	__u64 index = (__u16)number;

	barrier_var(index); /* the verifier must see the value that is tested used */
	return index < PT_SYSCALL_LIMIT ? pt_config.call_class[index] : PT_CALL_OTHER;
}

/* What a task waits for that sleeps in a system call. */
static __always_inline __u8 pt_reason_of_call(struct task_struct *task, struct pt_regs *regs,
					      __s16 number)
{
	__u8 class = pt_call_class(number);

	if (class == PT_CALL_FD)
		return pt_reason_of_file((__u64)pt_file_of(task, pt_argument_of(task, regs, 0)));
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
