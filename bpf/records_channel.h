/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fields and flags of the records about channels, ids 40 to 59. bpf/records.h, which includes this, says how to read and change it. */
#ifndef PT_RECORDS_CHANNEL_H
#define PT_RECORDS_CHANNEL_H

/* endpoint.flags */
#define PT_ENDPOINT_CREATED   1	   /* tid made it just now */
#define PT_ENDPOINT_LISTENS   2	   /* a socket that connections are accepted from */
#define PT_ENDPOINT_UNSURE    4	   /* what lay in it could not be determined */
#define PT_ENDPOINT_LOOPBACK  8	   /* both ends are on this machine */
#define PT_ENDPOINT_SEMAPHORE 16   /* an eventfd of which a read takes 1 */
#define PT_ENDPOINT_SEQUENCE  32   /* sequence records tell what lay in it, not `queued` */
#define PT_ENDPOINT_FRESH     256  /* a datagram socket that was made during the recording */
#define PT_ENDPOINT_NAMED     512  /* `text` is its own address */
#define PT_ENDPOINT_SHARED    1024 /* further sockets may be bound to its address */
#define PT_ENDPOINT_SIX_ONLY  2048 /* an IPv6 socket that nothing of IPv4 comes to */

/* transfer.flags, pass.flags */
#define PT_TRANSFER_SENT   1 /* else received */
#define PT_TRANSFER_COPIED 2 /* tee: what was sent was not taken from where it came */

/* transfer.syscall of what was moved by io_uring: io_uring_enter, everywhere the same */
#define PT_CALL_URING 426

/* pass.flags, beside PT_TRANSFER_SENT */
#define PT_PASS_ALIKE  4  /* all of them are of this kind, not only the first */
#define PT_PASS_PEEKED 8  /* received, by a look at a message that stayed where it was */
#define PT_PASS_READS  16 /* open for reading */
#define PT_PASS_WRITES 32 /* open for writing */

/* sequence.flags */
#define PT_SEQUENCE_RECEIVED 1
#define PT_SEQUENCE_SENT     2

/* leftover.flags */
#define PT_LEFTOVER_TARGET 1 /* a target has it open */

/* holder.flags */
#define PT_HOLDER_READS	 1
#define PT_HOLDER_WRITES 2

/* segment.flags */
#define PT_SEGMENT_WRITES 1 /* the process may write to it */
#define PT_SEGMENT_MAPPED 2 /* the process has just mapped it; bytes are those of this mapping */
#define PT_SEGMENT_ENDED  4 /* it maps these bytes no longer */

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
	  "of a FIFO, or of the file that a Unix socket is bound to: major << 20 | minor; of an "  \
	  "eventfd: its number in fdinfo")                                                         \
	F(__u32, network, ID, "inode of the network namespace of an IP or a Unix socket")          \
	F(__u16, local_port, ID, "of an IP socket")                                                \
	F(__u16, peer_port, ID, "of an IP socket, 0: not connected")                               \
	F(__u16, family, ID, "AF_*, 0: no socket")                                                 \
	F(__u16, flags, FLAGS, "PT_ENDPOINT_*")                                                    \
	F(__u8, kind, ENUM, "pt_channel_kind")                                                     \
	F(__u8, type, ENUM, "SOCK_*, 0: no socket")                                                \
	F(__u16, reserved, FLAGS, "0")                                                             \
	F(__u32, text, TEXT,                                                                       \
	  "address of a Unix socket, its own or the other side's; a FIFO's name")                  \
	F(__u64, inode, ID, "of the file that a Unix socket is bound to, 0: none")                 \
	F(__u64, age, NS, "ns since a datagram socket was bound; 0: not seen")                     \
	F(__u64, folder, ID, "of the folder which that file is in, 0: none")

#define PT_FIELDS_talk(F)                                                                          \
	F(__u64, time, TIME, "when a target was first seen to use it")                             \
	F(__u64, end, ID, "its name: PT_ENDPOINT_OF()")                                            \
	F(__u64, socket, ID, "the datagram socket, an end")                                        \
	F(__u64, high, HASH,                                                                       \
	  "the address: IPv6 in host order, or 0; of a relative path: the device of the sender's " \
	  "working directory")                                                                     \
	F(__u64, low, HASH, "IPv6, or IPv4; of a relative path: that directory's inode")           \
	F(__u32, tid, ID, "who used it")                                                           \
	F(__u32, network, ID, "inode of the socket's network namespace")                           \
	F(__u16, port, ID, "of the address")                                                       \
	F(__u16, family, ID, "AF_*")                                                               \
	F(__u32, text, TEXT, "the address of a Unix socket, as the caller gave it")

#define PT_FIELDS_own_address(F)                                                                   \
	F(__u64, time, TIME, "when this was looked up")                                            \
	F(__u64, high, HASH, "IPv6 in host order, or 0")                                           \
	F(__u64, low, HASH,                                                                        \
	  "IPv6, or IPv4; both 0: all addresses of this namespace have been told")                 \
	F(__u32, network, ID, "inode of a network namespace")                                      \
	F(__u32, flags, FLAGS, "0")

#define PT_FIELDS_resolved(F)                                                                      \
	F(__u64, time, TIME, "when this was looked up")                                            \
	F(__u64, end, ID, "a `talk` with a Unix socket that has a path")                           \
	F(__u64, inode, ID, "of the file there")                                                   \
	F(__u32, device, ID, "of that file: major << 20 | minor")                                  \
	F(__u32, flags, FLAGS, "0")

#define PT_FIELDS_drop(F)                                                                          \
	F(__u64, time, TIME, "when")                                                               \
	F(__u64, end, ID, "the socket that had no room for a datagram")                            \
	F(__u64, high, HASH, "address of the sender: IPv6 in host order, or 0")                    \
	F(__u64, low, HASH, "IPv6, or IPv4; both 0: not known")                                    \
	F(__u32, tid, ID, "who was on the CPU: the sender, on loopback")                           \
	F(__u32, bytes, BYTES, "of the datagram, 0: not known")                                    \
	F(__u16, port, ID, "of the sender, 0: not known")                                          \
	F(__u16, flags, FLAGS, "0")                                                                \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_transfer(F)                                                                      \
	F(__u64, time, TIME, "when the call returned, the last one if several")                    \
	F(__u64, end, ID, "the end that was used")                                                 \
	F(__u64, bytes, BYTES, "what the calls returned")                                          \
	F(__u32, tid, ID, "who called")                                                            \
	F(__u32, count, COUNT, "messages, that is calls but for sendmmsg and recvmmsg")            \
	F(__s16, syscall, ID, "which call; -1: several calls in one record")                       \
	F(__u16, flags, FLAGS, "PT_TRANSFER_*")                                                    \
	F(__u32, value, COUNT,                                                                     \
	  "what was added to an eventfd, or taken from it; 0xffffffff if more")                    \
	F(__u64, age, NS,                                                                          \
	  "of several calls: how long ago the last of them was, to a tick of the kernel's clock")  \
	F(__u32, level, BYTES,                                                                     \
	  "TCP, one call: bytes received and still unread; or sent and not acknowledged yet")      \
	F(__u32, unsent, BYTES, "TCP, one send: of these, what has not left the sender yet")       \
	F(__u64, with, ID,                                                                         \
	  "the `talk` of a datagram that was sent with an address, or whose sender the receiver "  \
	  "asked for; else 0")

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
	F(__u32, count, COUNT,                                                                     \
	  "descriptors; more than one are those of a message beyond the 16 that are told singly")  \
	F(__u16, port, ID, "own port of that object, 0: none")                                     \
	F(__u8, kind, ENUM, "what it is: pt_channel_kind, or pt_passed_kind")                      \
	F(__u8, flags, FLAGS, "PT_TRANSFER_SENT, PT_PASS_*")                                       \
	F(__u32, bytes, BYTES, "what went with them; told once for each message")                  \
	F(__u64, inode, ID, "of what is no end of a channel, 0: not told")                         \
	F(__u32, device, ID, "major << 20 | minor of the file system that this is on")             \
	F(__u32, text, TEXT, "its name, without the folders that it is in")

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

#define PT_FIELDS_opposite(F)                                                                      \
	F(__u64, time, TIME, "when this was looked up")                                            \
	F(__u64, end, ID, "a socket that a target uses")                                           \
	F(__u64, opposite, ID, "the socket at its other side, by their addresses")

#define PT_FIELDS_uring(F)                                                                         \
	F(__u64, time, TIME, "when it had last completed one")                                     \
	F(__u32, tid, ID, "who completed them: the task that asked, or one that works for it")     \
	F(__u32, told, COUNT, "requests to send, receive or accept that other records tell of")    \
	F(__u32, untold, COUNT, "requests that may have, not known through what")                  \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_compat(F)                                                                        \
	F(__u64, time, TIME, "when the first of them ended")                                       \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, tid, ID, "who made it")

#define PT_FIELDS_sequence(F)                                                                      \
	F(__u64, time, TIME, "when the first transfer of a direction that is on record was told")  \
	F(__u64, end, ID, "a TCP socket")                                                          \
	F(__u32, received, HASH, "TCP's number of the first byte that was received on record")     \
	F(__u32, sent, HASH, "TCP's number of the first byte that was sent on record")             \
	F(__u32, tid, ID, "who called")                                                            \
	F(__u32, flags, FLAGS, "PT_SEQUENCE_*: which of both is told here")

#define PT_FIELDS_leftover(F)                                                                      \
	F(__u64, time, TIME, "when recording ended")                                               \
	F(__u64, end, ID, "a TCP socket that is still open")                                       \
	F(__u32, unread, BYTES, "received, and not read")                                          \
	F(__u32, unacked, BYTES, "sent, and not acknowledged")                                     \
	F(__u32, copied, HASH, "TCP's number of the first byte that is unread")                    \
	F(__u32, written, HASH, "TCP's number of the byte that would be sent next")                \
	F(__u32, flags, FLAGS, "PT_LEFTOVER_*")                                                    \
	F(__u32, reserved, FLAGS, "0")

#define PT_FIELDS_segment(F)                                                                       \
	F(__u64, time, TIME, "when its mappings were looked at, or changed")                       \
	F(__u64, inode, ID, "of the file, memfd or System V segment; with `device` its identity")  \
	F(__u64, bytes, BYTES, "addresses that the process maps it to")                            \
	F(__u32, pid, ID, "the process")                                                           \
	F(__u32, device, ID, "dev_t of user space")                                                \
	F(__u32, flags, FLAGS, "PT_SEGMENT_*")                                                     \
	F(__u32, text, TEXT, "its name, as below /proc/PID/map_files; empty: not known")

#endif
