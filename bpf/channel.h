/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Kinds of channels, and how records name their ends. To add a kind: a line here, and pt_end_identify() in endpoint.h. */
#ifndef PT_CHANNEL_H
#define PT_CHANNEL_H

/* What a channel is. Names go into JSON. */
#define PT_CHANNELS(S)                                                                             \
	S(0, NONE, "none")                                                                         \
	S(1, PIPE, "pipe")                                                                         \
	S(2, FIFO, "fifo")                                                                         \
	S(3, UNIX, "unix")                                                                         \
	S(4, EVENTFD, "eventfd")                                                                   \
	S(5, TCP, "tcp")                                                                           \
	S(6, UDP, "udp")                                                                           \
	S(7, SOCKET, "socket")                                                                     \
	S(8, POSIX_QUEUE, "posix-mq")                                                              \
	S(9, SYSV_QUEUE, "sysv-mq")                                                                \
	S(10, MEMORY, "process-vm")                                                                \
	S(11, SHARED, "shared-memory")                                                             \
	S(12, FUTEX, "futex")                                                                      \
	S(13, URING, "io-uring")

enum pt_channel_kind {
#define S(value, name, text) PT_CHANNEL_##name = value,
	PT_CHANNELS(S)
#undef S
		PT_CHANNEL_COUNT
};

/*
 * What is no channel, and goes through one: descriptors that are passed on may be ends of channels, and then are of the
 * kinds above, or of these. Names go into JSON.
 */
#define PT_PASSED_KINDS 48 /* above all of both */
#define PT_PASSED(S)                                                                               \
	S(32, FILE, "file")                                                                        \
	S(33, DIRECTORY, "directory")                                                              \
	S(34, MEMFD, "memfd")                                                                      \
	S(35, BLOCK, "block-device")                                                               \
	S(36, DEVICE, "device")                                                                    \
	S(37, TTY, "tty")                                                                          \
	S(38, EPOLL, "epoll")                                                                      \
	S(39, PIDFD, "pidfd")                                                                      \
	S(40, TIMERFD, "timerfd")                                                                  \
	S(41, SIGNALFD, "signalfd")                                                                \
	S(42, INOTIFY, "inotify")

enum pt_passed_kind {
#define S(value, name, text) PT_PASSED_##name = value,
	PT_PASSED(S)
#undef S
};

/*
 * The name of an end: a pipe, one socket, an eventfd... The class, and what is unique in it: an inode number (of a
 * FIFO with the device above it), or a number that the probes give.
 */
#define PT_ENDPOINT_OF(class, number)                                                              \
	((__u64)(class) << 56 | ((__u64)(number)&0x00ffffffffffffffULL))
#define PT_ENDPOINT_OF_FILE(class, device, inode)                                                  \
	PT_ENDPOINT_OF(class, (__u64)(device) << 32 | (__u32)(inode))
#define PT_ENDPOINT_CLASS(end) ((__u32)((__u64)(end) >> 56))
#define PT_CLASS_PIPE	       1
#define PT_CLASS_FIFO	       2
#define PT_CLASS_SOCKET	       3
#define PT_CLASS_EVENTFD       4
#define PT_CLASS_POSIX_QUEUE   5
#define PT_CLASS_SYSV_QUEUE    6
#define PT_CLASS_MEMORY	       7
/* Of the model only; the probes tell of neither. */
#define PT_CLASS_SHARED 8
#define PT_CLASS_FUTEX	9
/* By the task that made it: what goes through it is not seen. */
#define PT_CLASS_URING 10
/* A datagram socket and an address: by a hash of both. */
#define PT_CLASS_TALK 16
/* No channel: of the probes only, which keep in mind whom they have told of. */
#define PT_CLASS_COMPAT 11

#endif
