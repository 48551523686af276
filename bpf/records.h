/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The catalogue of records: the one place where a record is described. From it derive the structs that probes fill
 * and the model reads, the decoder of the rings, the schema inside every trace file, and docs/records.md.
 *
 * To add a record: a PT_FIELDS_<name> list and a line in PT_KINDS. Ids and field names are for ever: a kind that is
 * no longer written leaves its id as a hole; a field may be added at the end of its list, never moved or reused.
 *
 * F(type, name, class, doc), with class one of
 *   TIME   ns; the first field of every kind. CLOCK_MONOTONIC in the rings, since the start of recording in a file
 *   NS     a duration in ns
 *   ID     a tid, pid, cpu or another name of a thing: few distinct values, no order
 *   CHAIN  an ID that equals, nearly always, `next_tid` of the last record of this kind with the same `cpu`
 *   ENUM   a small closed set; the values are listed below
 *   FLAGS  a set of bits; the bits are listed below
 *   COUNT  a number of things
 *   BYTES  a size
 *   HASH   64 bits without structure
 *   NAME   a task's name as the kernel keeps it, 16 bytes, zero-padded
 *   TEXT   length of a text; its bytes follow the struct. At most one in a kind, and its last field
 *
 * Fields are ordered so that the structs have no holes; a struct's size is a multiple of 8.
 */
#ifndef PT_RECORDS_H
#define PT_RECORDS_H

#include "bpf/channel.h"

#define PT_COMM_LEN 16
#define PT_TEXT_MAX 4096

struct pt_comm {
	char s[PT_COMM_LEN];
} __attribute__((aligned(8)));

/* Where a task is. What the kernel calls TASK_RUNNING is RUNNING on a CPU and RUNNABLE off it. */
#define PT_TASK_STATES(S)                                                                          \
	S(0, RUNNABLE, "wants a CPU")                                                              \
	S(1, SLEEPING, "asleep, a signal wakes it")                                                \
	S(2, DISK, "asleep, no signal wakes it")                                                   \
	S(3, STOPPED, "stopped by a signal or a tracer")                                           \
	S(4, DEAD, "has exited")                                                                   \
	S(5, IDLE, "a kernel thread without work")                                                 \
	S(6, RUNNING, "on a CPU")

/* Why a task is blocked, as DESIGN.md lists the reasons. Names go into JSON in lower case. */
#define PT_REASONS(S)                                                                              \
	S(0, UNKNOWN, "unknown")                                                                   \
	S(1, POLL, "poll")                                                                         \
	S(2, LOCK, "lock")                                                                         \
	S(3, PIPE, "pipe")                                                                         \
	S(4, UNIX, "unix")                                                                         \
	S(5, TCP, "tcp")                                                                           \
	S(6, UDP, "udp")                                                                           \
	S(7, TTY, "tty")                                                                           \
	S(8, EVENTFD, "eventfd")                                                                   \
	S(9, DISK, "disk")                                                                         \
	S(10, FAULT, "page-fault")                                                                 \
	S(11, CHILD, "child")                                                                      \
	S(12, SLEEP, "sleep")                                                                      \
	S(13, STOPPED, "stopped")                                                                  \
	S(14, SIGNAL, "signal")                                                                    \
	S(15, IPC, "ipc")                                                                          \
	S(16, KERNEL, "kernel-thread")                                                             \
	S(17, OTHER, "other")

enum pt_task_state {
#define S(value, name, doc) PT_STATE_##name = value,
	PT_TASK_STATES(S)
#undef S
};

enum pt_reason {
#define S(value, name, text) PT_REASON_##name = value,
	PT_REASONS(S)
#undef S
		PT_REASON_COUNT
};

/* The bits of the fields `flags`. S(value, name, doc): a kind's name, or the two that share it, and what the bit says. */
#define PT_FLAG_BITS(S)                                                                            \
	S(1, SWITCH_PREEMPT, "switch: taken from the CPU, as trace_sched_switch() says")           \
	S(2, SWITCH_VOLUNTARY, "switch: the kernel counted it in nvcsw, not in nivcsw")            \
	S(4, SWITCH_USER, "switch: prev was interrupted in user mode, not in a system call")       \
	S(8, SWITCH_UNSEEN,                                                                        \
	  "switch: told late, as the kernel showed it to nobody; next came then")                  \
	S(1, WAKEUP_IRQ, "wakeup: by an interrupt; `waker` is whoever it interrupted")             \
	S(2, WAKEUP_SOFTIRQ,                                                                       \
	  "wakeup: by a soft interrupt; often work that `waker` itself caused (loopback)")         \
	S(1, TASK_KTHREAD, "task: a kernel thread")                                                \
	S(2, TASK_LAST, "task: the snapshot at the end of recording, not at its start")            \
	S(4, TASK_PEER, "task: not a target: named because a target's records mention it")         \
	S(1, TURN_TIMED, "turn, call: calls and length were measured, else they are 0")            \
	S(2, TURN_NESTED, "turn, call: not on the object of the loop which this task is in")       \
	S(1, SAMPLE_USER, "sample: in user mode")                                                  \
	S(1, EXIT_GROUP, "exit: the last task of its process")

enum pt_flag {
#define S(value, name, doc) PT_##name = value,
	PT_FLAG_BITS(S)
#undef S
};

/* turn.loop of poll(2), select(2) and their like: the loop is the task */
#define PT_LOOP_OF_TASK 0

/* What a mapping holds. Names go into JSON in lower case. */
#define PT_MAPPING_CLASSES(S)                                                                      \
	S(0, PROGRAM, "the program file: code and data")                                           \
	S(1, LIBRARY, "other files of which some part is executable")                              \
	S(2, HEAP, "the brk heap")                                                                 \
	S(3, ARENA, "glibc's heaps of further threads")                                            \
	S(4, STACK, "stacks of tasks")                                                             \
	S(5, ANON, "other anonymous memory")                                                       \
	S(6, SHMEM, "shared memory: memfd, tmpfs, System V, MAP_SHARED without a file")            \
	S(7, JIT, "executable memory that comes from no file")                                     \
	S(8, FILE, "other files")                                                                  \
	S(9, SPECIAL, "vdso and its like")

enum pt_mapping_class {
#define S(value, name, doc) PT_MAPPING_##name = value,
	PT_MAPPING_CLASSES(S)
#undef S
		PT_MAPPING_COUNT
};

/* flags of memory, memory_class, memory_share, memory_common and memory_group */
#define PT_MEMORY_LAST	     1	 /* taken at the end of the recording */
#define PT_MEMORY_SAMPLED    2	 /* estimated from a part of the pages: see `sampling`, `error` */
#define PT_MEMORY_CUT	     4	 /* cut short by the time budget or a limit: too low */
#define PT_MEMORY_NO_FRAMES  8	 /* page frames are hidden (no CAP_SYS_ADMIN): no matrix */
#define PT_MEMORY_NO_DIRTY   16	 /* anonymous and shared memory stand as dirty, files as clean */
#define PT_MEMORY_WALKED     32	 /* summed from page entries, piece by piece, not at one instant */
#define PT_MEMORY_SAME_SPACE 64	 /* memory_share: a and b are one address space */
#define PT_MEMORY_NO_PSS     128 /* pss is not known and 0 */

/* flags of memory_exit and memory_fork */
#define PT_MEMORY_EXIT_ONLY_PEAK 1 /* this kernel has no figures any more at that moment */
#define PT_MEMORY_EXIT_ROUGH	 2 /* without the counters' shares of single CPUs: some pages off */

/* memory_parted.flags */
#define PT_PARTED_EXEC	    1 /* by exec; otherwise by exit */
#define PT_PARTED_NO_PARENT 2 /* the parent's faults are not known: it is gone, or no target */

/* endpoint.flags */
#define PT_ENDPOINT_CREATED   1	 /* tid made it just now */
#define PT_ENDPOINT_LISTENS   2	 /* a socket that connections are accepted from */
#define PT_ENDPOINT_UNSURE    4	 /* what lay in it could not be determined */
#define PT_ENDPOINT_LOOPBACK  8	 /* both ends are on this machine */
#define PT_ENDPOINT_SEMAPHORE 16 /* an eventfd of which a read takes 1 */

/* transfer.flags, pass.flags */
#define PT_TRANSFER_SENT   1 /* else received */
#define PT_TRANSFER_COPIED 2 /* tee: what was sent was not taken from where it came */

/* holder.flags */
#define PT_HOLDER_READS	 1
#define PT_HOLDER_WRITES 2

#define PT_FIELDS_switch(F)                                                                        \
	F(__u64, time, TIME, "when the kernel began to switch (its run-queue clock)")              \
	F(__u32, prev_tid, CHAIN, "who left the CPU, 0: the idle task")                            \
	F(__u32, next_tid, ID, "who came instead")                                                 \
	F(__u16, cpu, ID, "on which CPU")                                                          \
	F(__s16, syscall, ID, "the system call prev blocks in, -1: none, or prev is not blocked")  \
	F(__u8, prev_state, ENUM, "in which state prev left (pt_task_state)")                      \
	F(__u8, reason, ENUM, "what prev blocks on (pt_reason), 0 if it does not")                 \
	F(__u16, flags, FLAGS, "PT_SWITCH_*")

#define PT_FIELDS_wakeup(F)                                                                        \
	F(__u64, time, TIME, "when the task became runnable")                                      \
	F(__u32, tid, ID, "who was woken")                                                         \
	F(__u32, waker, ID, "by whom, 0: the idle task, that is an interrupt")                     \
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

#define PT_FIELDS_memory(F)                                                                        \
	F(__u64, time, TIME, "when the snapshot was ready")                                        \
	F(__u64, span, NS, "how long taking it took, up to then")                                  \
	F(__u64, start, NS, "the process's start time, CLOCK_BOOTTIME in clock ticks' precision")  \
	F(__u64, rss, BYTES, "resident, as smaps_rollup has it")                                   \
	F(__u64, pss, BYTES, "its proportional share: each page divided by the mappings it has")   \
	F(__u64, uss, BYTES, "mapped by nobody else: private clean + private dirty")               \
	F(__u64, pss_error, BYTES, "standard error of pss, 0: counted, not estimated")             \
	F(__u64, uss_error, BYTES, "standard error of uss")                                        \
	F(__u64, anon, BYTES, "resident anonymous memory, by the kernel's counters")               \
	F(__u64, file, BYTES, "resident file pages, likewise")                                     \
	F(__u64, shmem, BYTES, "resident shared memory, likewise")                                 \
	F(__u64, swap, BYTES, "swapped out")                                                       \
	F(__u64, shared_clean, BYTES, "mapped by others too, unchanged")                           \
	F(__u64, shared_dirty, BYTES, "mapped by others too, changed")                             \
	F(__u64, private_clean, BYTES, "mapped by nobody else, unchanged")                         \
	F(__u64, private_dirty, BYTES, "mapped by nobody else, changed")                           \
	F(__u64, hugetlb, BYTES, "hugetlb pages, which are in none of the above")                  \
	F(__u64, peak, BYTES, "highest rss so far")                                                \
	F(__u64, page_tables, BYTES, "its page tables")                                            \
	F(__u64, kernel_stacks, BYTES, "kernel stacks of its tasks")                               \
	F(__u64, minor_faults, COUNT, "of all its tasks, dead ones too, over its life so far")     \
	F(__u64, major_faults, COUNT, "likewise")                                                  \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, threads, COUNT, "its tasks")                                                      \
	F(__u32, sampling, COUNT, "one in so many pieces of 2 MiB was read")                       \
	F(__u32, flags, FLAGS, "PT_MEMORY_*")

#define PT_FIELDS_memory_class(F)                                                                  \
	F(__u64, time, TIME, "when it was ready, soon after the memory record of the process")     \
	F(__u64, size, BYTES, "of address space")                                                  \
	F(__u64, rss, BYTES, "resident")                                                           \
	F(__u64, pss, BYTES, "proportional share")                                                 \
	F(__u64, uss, BYTES, "mapped by nobody else")                                              \
	F(__u64, swap, BYTES, "swapped out")                                                       \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, mappings, COUNT, "how many mappings")                                             \
	F(__u16, class, ENUM, "pt_mapping_class")                                                  \
	F(__u16, flags, FLAGS, "PT_MEMORY_*")                                                      \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_memory_thread(F)                                                                 \
	F(__u64, time, TIME, "when it was ready, soon after the memory record of the process")     \
	F(__u64, stack_size, BYTES, "address space of its stack")                                  \
	F(__u64, stack_rss, BYTES, "resident part of its stack")                                   \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, tid, ID, "the task")

#define PT_FIELDS_memory_share(F)                                                                  \
	F(__u64, time, TIME, "of the memory_group record it belongs to")                           \
	F(__u64, file, BYTES, "page frames of files that both map")                                \
	F(__u64, anon, BYTES, "anonymous page frames that both map (copy-on-write)")               \
	F(__u64, shmem, BYTES, "page frames of shared memory, hugetlb included, that both map")    \
	F(__u64, error, BYTES, "bound of the standard error of the sum, 0: counted")               \
	F(__u32, a, ID, "a process")                                                               \
	F(__u32, b, ID, "another; a < b")                                                          \
	F(__u32, flags, FLAGS, "PT_MEMORY_*")                                                      \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_memory_common(F)                                                                 \
	F(__u64, time, TIME, "of the memory_group record it belongs to")                           \
	F(__u64, file, BYTES, "page frames of files that exactly k of the n map")                  \
	F(__u64, anon, BYTES, "anonymous page frames, likewise")                                   \
	F(__u64, shmem, BYTES, "page frames of shared memory, likewise")                           \
	F(__u32, k, COUNT, "by how many address spaces these frames are mapped")                   \
	F(__u32, n, COUNT, "of how many")

#define PT_FIELDS_memory_group(F)                                                                  \
	F(__u64, time, TIME, "when the matrix was ready")                                          \
	F(__u64, span, NS, "how long reading it took: what changed meanwhile blurs it")            \
	F(__u64, unshared, BYTES, "what the group would cost if nothing were shared")              \
	F(__u64, cost, BYTES, "what it costs: every page frame once; sum of pss if NO_FRAMES")     \
	F(__u32, processes, COUNT, "processes in the matrix")                                      \
	F(__u32, spaces, COUNT, "address spaces in the matrix")                                    \
	F(__u32, left_out, COUNT, "processes that are not in it, for want of room or time")        \
	F(__u32, sampling, COUNT, "one in so many pieces of 2 MiB was read")                       \
	F(__u32, flags, FLAGS, "PT_MEMORY_*")                                                      \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_memory_exit(F)                                                                   \
	F(__u64, time, TIME, "when the process began to exit")                                     \
	F(__u64, anon, BYTES, "resident anonymous memory then")                                    \
	F(__u64, file, BYTES, "resident file pages then")                                          \
	F(__u64, shmem, BYTES, "resident shared memory then")                                      \
	F(__u64, swap, BYTES, "swapped out then")                                                  \
	F(__u64, page_tables, BYTES, "its page tables then")                                       \
	F(__u64, peak, BYTES, "highest rss of its life since the last exec")                       \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, flags, FLAGS, "PT_MEMORY_EXIT_*")

#define PT_FIELDS_memory_fork(F)                                                                   \
	F(__u64, time, TIME, "when the child was made, as in fork")                                \
	F(__u64, copying, NS,                                                                      \
	  "time in the call from the making of the child's address space, 0: unknown")             \
	F(__u64, anon, BYTES, "anonymous memory that the child was given to share")                \
	F(__u64, file, BYTES, "file pages likewise")                                               \
	F(__u64, shmem, BYTES, "shared memory likewise")                                           \
	F(__u64, page_tables, BYTES, "the child's page tables: what was copied")                   \
	F(__u64, cow_faults, COUNT, "the caller's copy-on-write faults so far, see memory_faults") \
	F(__u64, minor_faults, COUNT, "the caller's minor faults so far")                          \
	F(__u32, pid, ID, "the child")                                                             \
	F(__u32, parent_tid, ID, "who called")                                                     \
	F(__u32, parent_pid, ID, "the caller's process")                                           \
	F(__u32, flags, FLAGS, "PT_MEMORY_EXIT_*")

#define PT_FIELDS_memory_parted(F)                                                                 \
	F(__u64, time, TIME, "when child and parent ceased to share what fork gave to both")       \
	F(__u64, cow_faults, COUNT, "the child's copy-on-write faults since its birth")            \
	F(__u64, minor_faults, COUNT, "the child's minor faults since its birth")                  \
	F(__u64, parent_cow_faults, COUNT, "those of the task that had called fork, so far")       \
	F(__u64, parent_minor_faults, COUNT, "likewise")                                           \
	F(__u32, pid, ID, "the child")                                                             \
	F(__u32, flags, FLAGS, "PT_PARTED_*")

#define PT_FIELDS_memory_faults(F)                                                                 \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, cow_faults, COUNT, "writes to present, write-protected pages while recorded")     \
	F(__u32, tid, ID, "the task")                                                              \
	F(__u32, pid, ID, "its process")

#define PT_FIELDS_memory_pulse(F)                                                                  \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, anon, BYTES, "resident anonymous memory, by the kernel's counters")               \
	F(__u64, file, BYTES, "resident file pages, likewise")                                     \
	F(__u64, shmem, BYTES, "resident shared memory, likewise")                                 \
	F(__u64, swap, BYTES, "swapped out")                                                       \
	F(__u64, page_tables, BYTES, "its page tables")                                            \
	F(__u64, minor_faults, COUNT, "of all its tasks, dead ones too, over its life so far")     \
	F(__u64, major_faults, COUNT, "likewise")                                                  \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, threads, COUNT, "its tasks")

#define PT_FIELDS_loss(F)                                                                          \
	F(__u64, time, TIME, "end of the interval in which records were lost")                     \
	F(__u64, length, NS, "length of the interval")                                             \
	F(__u64, count, COUNT, "how many")                                                         \
	F(__u32, kind, ID, "of which kind; 0: a probe was skipped by the kernel")                  \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_turn(F)                                                                          \
	F(__u64, time, TIME, "when the wait call returned: a turn begins")                         \
	F(__u64, loop, ID, "the wait object; PT_LOOP_OF_TASK if it has none of its own")           \
	F(__u64, calls, NS, "in other system calls since the last of these records of the task")   \
	F(__u64, wait, NS, "since the wait call began, only if PT_TURN_TIMED")                     \
	F(__u32, tid, ID, "who waited")                                                            \
	F(__u32, call_count, COUNT, "other system calls since then")                               \
	F(__s32, timeout, ID,                                                                      \
	  "what the call was given, ms rounded up; 0: it polled, -1: for ever")                    \
	F(__s32, events, COUNT, "what it returned: ready descriptors, or -errno")                  \
	F(__u32, limit, ID, "how many it could have returned, 0: no limit")                        \
	F(__s16, syscall, ID, "which call")                                                        \
	F(__u16, flags, FLAGS, "PT_TURN_*")

#define PT_FIELDS_call(F)                                                                          \
	F(__u64, time, TIME, "when the wait call after the turn returned, as in its turn record")  \
	F(__u64, length, NS, "in these calls; only if PT_TURN_TIMED")                              \
	F(__u32, tid, ID, "who called")                                                            \
	F(__u32, count, COUNT, "how often")                                                        \
	F(__s16, syscall, ID, "which call; -1: all that did not fit into the table")               \
	F(__u16, flags, FLAGS, "PT_TURN_*")                                                        \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_sample(F)                                                                        \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, period, NS, "how much time of its CPU this sample stands for")                    \
	F(__u64, address, HASH, "the instruction")                                                 \
	F(__u32, tid, ID, "who was on the CPU, in a turn of a millisecond or more")                \
	F(__u16, cpu, ID, "which CPU")                                                             \
	F(__s16, syscall, ID, "the system call it was in, -1: none")                               \
	F(__u32, stack, ID, "stack trace, 0: none")                                                \
	F(__u16, flags, FLAGS, "PT_SAMPLE_*")                                                      \
	F(__u16, reserved, FLAGS, "0")

#define PT_FIELDS_sleep(F)                                                                         \
	F(__u64, time, TIME, "when it had the CPU again")                                          \
	F(__u64, length, NS, "since it had gone to sleep")                                         \
	F(__u64, object, HASH, "inode of the file, address of the futex, or 0")                    \
	F(__u32, tid, ID, "who slept")                                                             \
	F(__s32, fd, ID, "the descriptor, -1: none")                                               \
	F(__u32, device, ID, "of the file, as in st_dev: major << 20 | minor")                     \
	F(__u32, peer, ID, "pid of the child waited for, or of a Unix socket's peer; 0: any")      \
	F(__u32, address, HASH, "the peer's IPv4 address, network order; 0: none")                 \
	F(__u16, local_port, ID, "of a socket")                                                    \
	F(__u16, peer_port, ID, "of a socket")                                                     \
	F(__s16, syscall, ID, "in which system call, -1: none")                                    \
	F(__u8, reason, ENUM, "pt_reason")                                                         \
	F(__u8, flags, FLAGS, "0")                                                                 \
	F(__u32, text, TEXT, "the file: the last parts of its path, or nothing")

#define PT_FIELDS_endpoint(F)                                                                      \
	F(__u64, time, TIME, "when a target was first seen to use it")                             \
	F(__u64, end, ID, "its name: PT_ENDPOINT_OF()")                                            \
	F(__u64, peer, ID, "the socket at the other side, 0: not known")                           \
	F(__u64, queued, BYTES,                                                                    \
	  "what lay there to be received before this use; messages where these are kept apart")    \
	F(__u64, peer_queued, BYTES, "likewise at the other side")                                 \
	F(__u64, local_high, HASH, "own address: IPv6 in host order, or 0")                        \
	F(__u64, local_low, HASH, "IPv6, or IPv4")                                                 \
	F(__u64, peer_high, HASH, "the other side's")                                              \
	F(__u64, peer_low, HASH, "the other side's")                                               \
	F(__u32, tid, ID, "who used it")                                                           \
	F(__u32, peer_pid, ID, "who had made the other side of a Unix socket, 0: not known")       \
	F(__u32, device, ID,                                                                       \
	  "of a FIFO: major << 20 | minor; of an eventfd: its number in fdinfo")                   \
	F(__u32, network, ID, "inode of the network namespace of an IP socket")                    \
	F(__u16, local_port, ID, "of an IP socket")                                                \
	F(__u16, peer_port, ID, "of an IP socket, 0: not connected")                               \
	F(__u16, family, ID, "AF_*, 0: no socket")                                                 \
	F(__u16, flags, FLAGS, "PT_ENDPOINT_*")                                                    \
	F(__u8, kind, ENUM, "pt_channel_kind")                                                     \
	F(__u8, type, ENUM, "SOCK_*, 0: no socket")                                                \
	F(__u16, reserved, FLAGS, "0")                                                             \
	F(__u32, text, TEXT, "address of a Unix socket, its own or the other side's; a FIFO's name")

#define PT_FIELDS_transfer(F)                                                                      \
	F(__u64, time, TIME, "when the call returned, the last one if several")                    \
	F(__u64, end, ID, "the end that was used")                                                 \
	F(__u64, bytes, BYTES, "what the calls returned")                                          \
	F(__u32, tid, ID, "who called")                                                            \
	F(__u32, count, COUNT, "messages, that is calls but for sendmmsg and recvmmsg")            \
	F(__s16, syscall, ID, "which call; -1: several calls in one record")                       \
	F(__u16, flags, FLAGS, "PT_TRANSFER_*")                                                    \
	F(__u32, value, COUNT, "what was added to an eventfd, or taken from it; 0xffffffff if more")

#define PT_FIELDS_attempt(F)                                                                       \
	F(__u64, time, TIME, "when the last of these calls had returned")                          \
	F(__u64, end, ID, "the end that was used")                                                 \
	F(__u32, tid, ID, "who called")                                                            \
	F(__u32, send_blocked, COUNT, "sends that would have blocked")                             \
	F(__u32, send_failed, COUNT, "sends that failed otherwise")                                \
	F(__u32, send_empty, COUNT, "sends of nothing")                                            \
	F(__u32, receive_blocked, COUNT, "receives (and accepts) that would have blocked")         \
	F(__u32, receive_failed, COUNT, "receives that failed otherwise")                          \
	F(__u32, receive_empty, COUNT, "receives of nothing, that is of the end")                  \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_pass(F)                                                                          \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, end, ID, "the Unix socket through which descriptors went")                        \
	F(__u64, object, ID, "what the first of them stands for: an end, or 0")                    \
	F(__u32, tid, ID, "who called")                                                            \
	F(__u32, count, COUNT, "descriptors")                                                      \
	F(__u16, port, ID, "own port of that object, 0: none")                                     \
	F(__u8, kind, ENUM, "what it is: pt_channel_kind")                                         \
	F(__u8, flags, FLAGS, "PT_TRANSFER_SENT")                                                  \
	F(__u32, bytes, BYTES, "what went with them")

#define PT_FIELDS_accept(F)                                                                        \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, end, ID, "the socket that listens")                                               \
	F(__u64, object, ID, "the connection")                                                     \
	F(__u32, tid, ID, "who accepted it")                                                       \
	F(__u16, port, ID, "its own port, 0: none")                                                \
	F(__u16, flags, FLAGS, "0")

#define PT_FIELDS_holder(F)                                                                        \
	F(__u64, time, TIME, "when this was looked up")                                            \
	F(__u64, end, ID, "an end")                                                                \
	F(struct pt_comm, comm, NAME, "name of the process")                                       \
	F(__u32, pid, ID, "a process that has it open")                                            \
	F(__u32, flags, FLAGS, "PT_HOLDER_*")

#define PT_FIELDS_workload(F)                                                                      \
	F(__u64, time, TIME, "after the workload had ended; ascends with part")                    \
	F(__u32, part, COUNT, "the place of this piece in the whole text, from 0")                 \
	F(__u32, text, TEXT, "a piece of what the bundled workload printed: JSON")

/*
 * K(id, name, doc). Ids 1 to 19: tasks; 20 to 39: loops; 40 to 59: channels; 60 to 79: memory; 80 to 99: what the
 * recorder was told.
 */
#define PT_KINDS(K)                                                                                \
	K(1, switch, "A CPU went from one task to another, at least one of them a target.")        \
	K(2, wakeup, "A target was woken, and has run since.")                                     \
	K(3, fork, "A target made a task.")                                                        \
	K(4, exec, "A target runs another program.")                                               \
	K(5, command, "The command line of a process.")                                            \
	K(6, rename, "A target changed its name.")                                                 \
	K(7, exit, "A target exits.")                                                              \
	K(8, migrate, "A target runs on another CPU than before.")                                 \
	K(9, task, "What the kernel knew of a task at one moment.")                                \
	K(10, occupant, "Who, not a target, had the CPU that a target waited for.")                \
	K(11, loss, "Records that did not reach the file.")                                        \
	K(20, turn, "A wait call of a target returned.")                                           \
	K(21, call, "What system calls a turn consisted of that was at least a stall.")            \
	K(22, sample, "What a target did on its CPU, in a turn that had become long.")             \
	K(23, sleep, "On what a target slept for a millisecond or more, in the middle of a turn.") \
	K(40, endpoint, "An end of a channel, which a target has begun to use.")                   \
	K(41, transfer, "A target sent or received.")                                              \
	K(42, attempt, "A target tried to send or receive, and nothing went.")                     \
	K(43, pass, "A target sent or received descriptors.")                                      \
	K(44, accept, "A target accepted a connection.")                                           \
	K(45, holder, "Who has an end of a channel open.")                                         \
	K(60, memory, "The memory of a process at one moment.")                                    \
	K(61, memory_class, "What one class of mappings holds of it.")                             \
	K(62, memory_thread, "What one task adds to it, where that can be told.")                  \
	K(63, memory_share, "The physical memory that two processes both map.")                    \
	K(64, memory_common, "The physical memory that k of n address spaces map.")                \
	K(65, memory_group, "What all processes of the matrix cost together.")                     \
	K(66, memory_exit, "The memory of a process at its end, by the kernel's counters.")        \
	K(67, memory_fork, "What a fork that copies an address space cost and shared.")            \
	K(68, memory_parted, "A forked child exits or runs another program.")                      \
	K(69, memory_faults, "Copy-on-write faults of a task, at its end or the recording's.")     \
	K(70, memory_pulse, "The kernel's counters of a process, once a second if they changed.")  \
	K(80, workload, "What a bundled workload says of itself.")

#define PT_FIELD_MEMBER(type, name, class, doc) type name;
#define PT_KIND_STRUCT(id, name, doc)                                                              \
	struct pt_##name {                                                                         \
		PT_FIELDS_##name(PT_FIELD_MEMBER)                                                  \
	};                                                                                         \
	_Static_assert(sizeof(struct pt_##name) % 8 == 0, "pt_" #name " must not need padding");
PT_KINDS(PT_KIND_STRUCT)

enum pt_kind {
#define K(id, name, doc) PT_KIND_##name = id,
	PT_KINDS(K)
#undef K
		PT_KIND_LIMIT
};

/*
 * A message in a ring: one or more records, each a header, the struct, and its text if it has one, padded to 8 bytes.
 * Several in one message cost one reservation.
 */
struct pt_header {
	__u16 kind;
	__u16 reserved;
	__u32 size; /* of struct and text, without this header and the padding */
};

#endif
