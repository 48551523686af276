/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The registers of a task as it entered the kernel. */
#ifndef PT_BPF_REGS_H
#define PT_BPF_REGS_H

#include "bpf/core.h"

static __always_inline struct pt_regs *pt_regs_of(struct task_struct *task)
{
	if (pt_config.casts && pt_control.registers)
		return pt_cast(struct pt_regs, (__u64)task->stack + pt_control.registers);
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

/* The number of the system call that a task is in, -1 outside of one: the entry code leaves it on the stack. */
static __always_inline __s16 pt_syscall_number(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

/* The first six arguments of that call. They survive it: the result has a place of its own. */
static __always_inline __u64 pt_syscall_first(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->di;
#else
	return regs->orig_x0;
#endif
}

static __always_inline __u64 pt_syscall_second(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->si;
#else
	return regs->user_regs.regs[1];
#endif
}

static __always_inline __u64 pt_syscall_third(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->dx;
#else
	return regs->user_regs.regs[2];
#endif
}

static __always_inline __u64 pt_syscall_fourth(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->r10;
#else
	return regs->user_regs.regs[3];
#endif
}

static __always_inline __u64 pt_syscall_fifth(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->r8;
#else
	return regs->user_regs.regs[4];
#endif
}

static __always_inline __u64 pt_syscall_sixth(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->r9;
#else
	return regs->user_regs.regs[5];
#endif
}

#endif
