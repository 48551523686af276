/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fields of the records about loops and their turns, ids 20 to 39. bpf/records.h, which includes this, says how to read and change it. */
#ifndef PT_RECORDS_LOOP_H
#define PT_RECORDS_LOOP_H

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
	F(__u16, flags, FLAGS, "PT_TURN_*")                                                        \
	F(__u64, age, NS, "since the turn began which this wait ended, 0: in none, or not told")   \
	F(__u64, slept, NS, "since it fell asleep in the wait, 0: it did not, or not told")

#define PT_FIELDS_turn_sum(F)                                                                      \
	F(__u64, time, TIME, "when the last of these wait calls returned: a turn begins")          \
	F(__u64, loop, ID, "as in turn")                                                           \
	F(__u64, busy, NS, "in the turns that the histogram counts")                               \
	F(__u64, idle, NS, "in those waits that could sleep")                                      \
	F(__u64, waits, COUNT, "wait calls that returned")                                         \
	F(__u64, first, NS, "before `time`: when the first of these wait calls began")             \
	F(__u32, tid, ID, "who waited")                                                            \
	F(__s16, syscall, ID, "which call")                                                        \
	F(__u16, flags, FLAGS, "PT_TURN_SUM_*")                                                    \
	F(__u32, reserved, FLAGS, "0")                                                             \
	F(__u32, text, TEXT,                                                                       \
	  "a histogram of the turns' lengths: pairs of LEB128 numbers, how many buckets further, " \
	  "how many turns")

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

#endif
