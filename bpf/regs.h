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

/* arch/x86/include/asm/thread_info.h; x32 has the 64-bit registers, but numbers and structures of its own. */
#define TS_COMPAT      2
#define PT_X32_SHIFT   30
#define PSR_MODE32_BIT 0x10

/* A task in a system call of 32 bits: its numbers, registers and structures are others. Any program can make one (int $0x80). */
static __always_inline bool pt_is_compat(struct task_struct *task, const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#else
	return regs->user_regs.pstate & PSR_MODE32_BIT;
#endif
}

static __always_inline bool pt_is_foreign(struct task_struct *task, const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	if ((__s32)regs->orig_ax >> PT_X32_SHIFT == 1)
		return true;
#endif
	return pt_is_compat(task, regs);
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

/* The number here of a call that is foreign. */
static __always_inline __s16 pt_foreign_number(struct task_struct *task, const struct pt_regs *regs)
{
	__u64 index = (__u16)pt_syscall_number(regs);

	if ((__s16)index < 0)
		return index;
	barrier_var(index); /* the verifier must see the value that is tested used */
	if (index >= PT_SYSCALL_LIMIT || !pt_is_compat(task, regs))
		return PT_SYSCALL_FOREIGN;
	return pt_config.compat_call[index];
}

/* The number of the system call of any task, -1 outside of one. */
static __always_inline __s16 pt_number_of(struct task_struct *task, const struct pt_regs *regs)
{
	return pt_is_foreign(task, regs) ? pt_foreign_number(task, regs) : pt_syscall_number(regs);
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

/* The first four arguments of the call of any task, i from 0. */
static __always_inline __u64 pt_argument_of(struct task_struct *task, const struct pt_regs *regs,
					    __u32 i)
{
#if defined(__TARGET_ARCH_x86)
	if (pt_is_compat(task, regs))
		return (__u32)(!i ? regs->bx : i == 1 ? regs->cx : i == 2 ? regs->dx : regs->si);
#endif
	return !i	? pt_syscall_first(regs)
	       : i == 1 ? pt_syscall_second(regs)
	       : i == 2 ? pt_syscall_third(regs)
			: pt_syscall_fourth(regs);
}

#endif
