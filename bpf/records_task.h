/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fields of the records about tasks and CPUs, ids 1 to 19. bpf/records.h, which includes this, says how to read and change it. */
#ifndef PT_RECORDS_TASK_H
#define PT_RECORDS_TASK_H

#define PT_FIELDS_switch(F)                                                                        \
	F(__u64, time, TIME,                                                                       \
	  "when the kernel began to switch (its run-queue clock), rounded up to 16 ns")            \
	F(__u32, prev_tid, CHAIN, "who left the CPU, 0: the idle task")                            \
	F(__u32, next_tid, ID, "who came instead")                                                 \
	F(__u16, cpu, ID, "on which CPU")                                                          \
	F(__s16, syscall, ID, "the system call prev blocks in, -1: none, or prev is not blocked")  \
	F(__u8, prev_state, ENUM, "in which state prev left (pt_task_state)")                      \
	F(__u8, reason, ENUM, "what prev blocks on (pt_reason), 0 if it does not")                 \
	F(__u16, flags, FLAGS, "PT_SWITCH_*")                                                      \
	F(__u32, waker, ID, "with SWITCH_WOKEN: by whom next was woken, as in a wakeup")           \
	F(__u16, wakeup, FLAGS, "with SWITCH_WOKEN: PT_WAKEUP_*")                                  \
	F(__u16, reserved, FLAGS, "0")

#define PT_FIELDS_wakeup(F)                                                                        \
	F(__u64, time, TIME, "when the task became runnable")                                      \
	F(__u32, tid, ID, "who was woken")                                                         \
	F(__u32, waker, ID, "by whom, 0: the idle task, an interrupt; 0xffffffff: not known")      \
	F(__u16, cpu, ID, "the CPU it then ran on")                                                \
	F(__u16, flags, FLAGS, "PT_WAKEUP_*")                                                      \
	F(__u32, wait, NS, "from runnable to running, 0xffffffff if more")

#define PT_FIELDS_fork(F)                                                                          \
	F(__u64, time, TIME, "when the child was made")                                            \
	F(__u64, clone_flags, FLAGS, "CLONE_* as the kernel was asked")                            \
	F(__u64, start, NS, "the child's start time, CLOCK_BOOTTIME: with tid its identity")       \
	F(__u32, tid, ID, "the child")                                                             \
	F(__u32, pid, ID, "its process")                                                           \
	F(__u32, parent_tid, ID, "who called")                                                     \
	F(__u32, parent_pid, ID, "the caller's process")                                           \
	F(struct pt_comm, comm, NAME, "the child's name, as inherited")                            \
	F(__s32, syscall, ID, "the call it was made by, -1: none")                                 \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_exec(F)                                                                          \
	F(__u64, time, TIME, "when the new program took over")                                     \
	F(__u32, tid, ID, "the task, which leads its process from now on")                         \
	F(__u32, old_tid, ID, "its tid before: differs if another thread than the leader called")  \
	F(struct pt_comm, comm, NAME, "its new name")

#define PT_FIELDS_command(F)                                                                       \
	F(__u64, time, TIME, "since when")                                                         \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, text, TEXT, "its arguments, each ended by a zero byte")

#define PT_FIELDS_rename(F)                                                                        \
	F(__u64, time, TIME, "when")                                                               \
	F(struct pt_comm, comm, NAME, "the new name")                                              \
	F(__u32, tid, ID, "the task")                                                              \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_exit(F)                                                                          \
	F(__u64, time, TIME, "when it began to exit; its last switch comes later")                 \
	F(__u64, voluntary, COUNT, "nvcsw: the kernel's own count at this moment")                 \
	F(__u64, involuntary, COUNT, "nivcsw, likewise")                                           \
	F(__u64, minor_faults, COUNT, "over its whole life")                                       \
	F(__u64, major_faults, COUNT, "over its whole life")                                       \
	F(__u32, tid, ID, "the task")                                                              \
	F(__u32, pid, ID, "its process")                                                           \
	F(__u32, code, ID, "as wait(2) gives it: exit status << 8 | signal")                       \
	F(__u32, flags, FLAGS, "PT_EXIT_*")                                                        \
	F(__u64, user_time, NS,                                                                    \
	  "utime: time in user mode over its life, as the kernel samples it")                      \
	F(__u64, kernel_time, NS, "stime: likewise, in the kernel")

#define PT_FIELDS_migrate(F)                                                                       \
	F(__u64, time, TIME, "when it ran again")                                                  \
	F(__u32, tid, ID, "the task")                                                              \
	F(__u16, from_cpu, ID, "where it ran before")                                              \
	F(__u16, to_cpu, ID, "where it runs now")                                                  \
	F(__u32, count, COUNT, "how often the scheduler moved it in between")                      \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_task(F)                                                                          \
	F(__u64, time, TIME, "when the snapshot was taken")                                        \
	F(__u64, start, NS, "the task's start time, CLOCK_BOOTTIME: with tid its identity")        \
	F(__u64, since, NS, "for how long it has been runnable, 0: unknown, or it is not")         \
	F(__u64, voluntary, COUNT, "nvcsw: the kernel's own count at this moment")                 \
	F(__u64, involuntary, COUNT, "nivcsw, likewise")                                           \
	F(__u64, minor_faults, COUNT, "over its life so far")                                      \
	F(__u64, major_faults, COUNT, "over its life so far")                                      \
	F(__u32, tid, ID, "the task")                                                              \
	F(__u32, pid, ID, "its process")                                                           \
	F(__u32, ppid, ID, "its parent process")                                                   \
	F(__s16, syscall, ID, "the system call it is in, -1: none")                                \
	F(__u16, cpu, ID, "where it runs, or ran last")                                            \
	F(struct pt_comm, comm, NAME, "its name")                                                  \
	F(__u8, state, ENUM, "pt_task_state")                                                      \
	F(__u8, reason, ENUM, "what it blocks on (pt_reason)")                                     \
	F(__u16, flags, FLAGS, "PT_TASK_*")                                                        \
	F(__u32, reserved, FLAGS, "0")                                                             \
	F(__u64, user_time, NS, "utime: time in user mode so far, as the kernel samples it")       \
	F(__u64, kernel_time, NS, "stime: likewise, in the kernel")

#define PT_FIELDS_occupant(F)                                                                      \
	F(__u64, time, TIME, "when the target that waited for this CPU got it")                    \
	F(__u64, ago, NS, "how long before that moment this task had taken the CPU")               \
	F(__u32, tid, ID, "who had it; 0: idle, 0xffffffff: not known any more")                   \
	F(__u32, pid, ID, "its process")                                                           \
	F(struct pt_comm, comm, NAME, "its name")                                                  \
	F(__u16, cpu, ID, "which CPU")                                                             \
	F(__u16, flags, FLAGS, "0")                                                                \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_cgroup(F)                                                                        \
	F(__u64, time, TIME, "when it was looked at")                                              \
	F(__u64, group, ID, "its number in this recording, from 1")                                \
	F(__u64, parent, ID, "the one around it, 0: none")                                         \
	F(__u64, quota, NS, "of CPU time in each period, 0: no limit")                             \
	F(__u64, period, NS, "the period, 0: no limit")                                            \
	F(__u32, flags, FLAGS, "PT_CGROUP_*")                                                      \
	F(__u32, text, TEXT, "its path in the hierarchy that limits CPU time")

#define PT_FIELDS_member(F)                                                                        \
	F(__u64, time, TIME, "when it was looked at")                                              \
	F(__u64, group, ID, "the cgroup")                                                          \
	F(__u32, pid, ID, "the process that is in it")                                             \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_throttle(F)                                                                      \
	F(__u64, time, TIME, "when the kernel's counters were read")                               \
	F(__u64, group, ID, "the cgroup")                                                          \
	F(__u64, length, NS, "since they were read before, 0: for the first time")                 \
	F(__u64, periods, COUNT, "nr_periods: periods in which its tasks ran, ever")               \
	F(__u64, throttled, COUNT, "nr_throttled: those in which the quota was used up")           \
	F(__u64, throttled_time, NS, "for how long tasks were held back, all CPUs together, ever")

#define PT_FIELDS_loss(F)                                                                          \
	F(__u64, time, TIME, "end of the interval in which records were lost")                     \
	F(__u64, length, NS, "length of the interval")                                             \
	F(__u64, count, COUNT, "how many")                                                         \
	F(__u32, kind, ID, "of which kind; 0: a probe was skipped by the kernel")                  \
	F(__u32, reserved, FLAGS, "0")

#endif
