/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The catalogue of records: the one place where a record is described. From it derive the structs that probes fill
 * and the model reads, the decoder of the rings, the schema inside every trace file, and docs/records.md.
 *
 * To add a record: a PT_FIELDS_<name> list, in the records_*.h of its subject, and a line in PT_KINDS. Ids and field
 * names are for ever: a kind that is no longer written leaves its id as a hole; a field may be added at the end of its
 * list, never moved or reused.
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
#include "bpf/records_channel.h"
#include "bpf/records_loop.h"
#include "bpf/records_memory.h"
#include "bpf/records_task.h"

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
	S(16, SWITCH_WOKEN, "switch: next became runnable at this very time; it has no wakeup")    \
	S(1, WAKEUP_IRQ, "wakeup: by an interrupt; `waker` is whoever it interrupted")             \
	S(2, WAKEUP_SOFTIRQ,                                                                       \
	  "wakeup: by a soft interrupt; often work that `waker` itself caused (loopback)")         \
	S(1, TASK_KTHREAD, "task: a kernel thread")                                                \
	S(2, TASK_LAST, "task: the snapshot at the end of recording, not at its start")            \
	S(4, TASK_PEER, "task: not a target: named because a target's records mention it")         \
	S(8, TASK_JOINED, "task: it became a target at this time, in the middle of the recording") \
	S(1, CGROUP_READ, "cgroup: its quota could be read; else there is no telling")             \
	S(1, TURN_TIMED, "turn, call: calls and length were measured, else they are 0")            \
	S(2, TURN_NESTED, "turn, call: not on the object of the loop which this task is in")       \
	S(4, TURN_AFTER_EMPTY, "turn: the wait before the turn was a poll that found nothing")     \
	S(1, TURN_SUM_EMPTY, "turn_sum: the last wait was a poll that found nothing")              \
	S(1, SAMPLE_USER, "sample: in user mode")                                                  \
	S(1, EXIT_GROUP, "exit: the last task of its process")

enum pt_flag {
#define S(value, name, doc) PT_##name = value,
	PT_FLAG_BITS(S)
#undef S
};

/* A field `syscall`: a call of 32 bits that has no number on this machine. */
#define PT_SYSCALL_FOREIGN 511

/* turn.loop of poll(2), select(2) and their like: the loop is the task */
#define PT_LOOP_OF_TASK 0

/*
 * Buckets of turn_sum.text, as in base/histogram.h: each length below 64 ns has its own, above every power of two is cut into
 * 64. Turns that are added up are shorter than 2^20 ns.
 */
#define PT_TURN_SUB_LOG2 6
#define PT_TURN_MAX_LOG2 20
#define PT_TURN_BUCKETS	 ((PT_TURN_MAX_LOG2 - PT_TURN_SUB_LOG2 + 1) << PT_TURN_SUB_LOG2)

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
	K(2, wakeup,                                                                               \
	  "A target was woken, and has run since; told by its switch if it did not wait for a "    \
	  "CPU.")                                                                                  \
	K(3, fork, "A target made a task.")                                                        \
	K(4, exec, "A target runs another program.")                                               \
	K(5, command, "The command line of a process.")                                            \
	K(6, rename, "A target changed its name.")                                                 \
	K(7, exit, "A target exits.")                                                              \
	K(8, migrate, "A target runs on another CPU than before.")                                 \
	K(9, task, "What the kernel knew of a task at one moment.")                                \
	K(10, occupant, "Who, not a target, had the CPU that a target waited for.")                \
	K(11, loss, "Records that did not reach the file.")                                        \
	K(12, cgroup, "A cgroup that a target is in, or that is around such a one.")               \
	K(13, member, "A process is in a cgroup.")                                                 \
	K(14, throttle, "How a CPU quota held back the tasks of a cgroup, if that has changed.")   \
	K(20, turn, "A wait call of a target returned.")                                           \
	K(21, call, "What system calls a turn consisted of that was at least a stall.")            \
	K(22, sample, "What a target did on its CPU, in a turn that had become long.")             \
	K(23, sleep, "On what a target slept for a millisecond or more, in the middle of a turn.") \
	K(24, turn_sum, "Short turns of a loop, in which nothing happened, added up.")             \
	K(40, endpoint, "An end of a channel, which a target has begun to use.")                   \
	K(41, transfer, "A target sent or received.")                                              \
	K(42, attempt, "A target tried to send or receive, and nothing went.")                     \
	K(43, pass, "A target sent or received descriptors.")                                      \
	K(44, accept, "A target accepted a connection.")                                           \
	K(45, holder, "Who has an end of a channel open.")                                         \
	K(46, segment, "A target maps memory that others can map, too.")                           \
	K(47, opposite, "The other side of a connection, which no target uses.")                   \
	K(48, compat, "A process makes system calls of 32 bits: what they move is not seen.")      \
	K(52, talk, "An address that a datagram socket sends to, or has received from.")           \
	K(53, own_address, "An IP address of this machine.")                                       \
	K(54, resolved, "The file that a datagram was sent to.")                                   \
	K(55, drop, "A datagram that was lost: the socket it was for had no room.")                \
	K(56, uring, "What a task completed of what was asked for by io_uring.")                   \
	K(57, sequence,                                                                            \
	  "Where a direction of a TCP connection stood when a target first used it.")              \
	K(58, leftover, "What lay in a TCP socket of a target when recording ended.")              \
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
	K(71, memory_rss, "Resident memory of a process, told when it has changed much.")          \
	K(72, memory_host, "Memory of the machine, once a second.")                                \
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
