/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where a TCP connection stands. Both its sides number its bytes alike, so that these numbers, taken at two moments at two
 * sides, say what lay between them.
 */
#ifndef PT_BPF_SEQUENCE_H
#define PT_BPF_SEQUENCE_H

#include "bpf/read.h"

/* include/net/tcp_states.h, as bits */
#define PT_TCP_OPEN	    (1 << 1 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11)
#define PT_TCP_FIN_SENT	    (1 << 4 | 1 << 5 | 1 << 9 | 1 << 11)
#define PT_TCP_FIN_RECEIVED (1 << 8 | 1 << 9 | 1 << 11)

/* What lies in a socket. */
struct pt_level {
	__u32 bytes;  /* received and not read; or sent and not acknowledged */
	__u32 unsent; /* of the latter, what has not been sent on */
};

/* A TCP socket: numbers of the next byte to be written by its owner, and to be read. The end of a direction is no byte. */
struct pt_sequences {
	__u32 written, copied;
	__u32 unread;
	__u32 open; /* the others are valid */
};

static __always_inline __u64 pt_tcp_behind(__u64 file)
{
	__u64 socket = pt_read_address(struct file, file, private_data);

	return pt_read_address(struct socket, socket, sk);
}

static __always_inline __u32 pt_tcp_state(__u64 tcp)
{
	return 1U << (pt_read(struct sock, tcp, __sk_common.skc_state) & 15);
}

/* The end of what the other side sends is numbered like a byte, and lies there like one until it is read. */
static __always_inline __u32 pt_tcp_unread(__u64 tcp, __u32 copied, __u32 state)
{
	__s32 unread = pt_read(struct tcp_sock, tcp, rcv_nxt) - copied;

	if (unread > 0 && state & PT_TCP_FIN_RECEIVED)
		unread--;
	return unread > 0 ? unread : 0;
}

/* The end that its owner has sent is no byte either: what has been acknowledged of what he wrote, up to which number. */
static __always_inline __u32 pt_tcp_acked(__u64 tcp, __u32 written)
{
	__u32 acked = pt_read(struct tcp_sock, tcp, snd_una);

	return (__s32)(acked - written) > 0 ? written : acked;
}

static __always_inline void pt_sequences_read(struct pt_sequences *is, __u64 tcp)
{
	__u32 state = pt_tcp_state(tcp);

	is->open = !!(state & PT_TCP_OPEN);
	is->written = pt_read(struct tcp_sock, tcp, write_seq) - !!(state & PT_TCP_FIN_SENT);
	is->copied = pt_read(struct tcp_sock, tcp, copied_seq);
	is->unread = pt_tcp_unread(tcp, is->copied, state);
	/* The end has been read, too. */
	if (state & PT_TCP_FIN_RECEIVED && is->copied == pt_read(struct tcp_sock, tcp, rcv_nxt))
		is->copied--;
}

static __always_inline void pt_level_read(struct pt_level *level, __u64 file, __u32 sent)
{
	__u64 tcp = pt_tcp_behind(file);
	__u32 written;

	if (!sent) {
		level->bytes = pt_tcp_unread(tcp, pt_read(struct tcp_sock, tcp, copied_seq),
					     pt_tcp_state(tcp));
		return;
	}
	written = pt_read(struct tcp_sock, tcp, write_seq);
	level->bytes = written - pt_tcp_acked(tcp, written);
	level->unsent = written - pt_read(struct tcp_sock, tcp, snd_nxt);
	if ((__s32)level->unsent < 0)
		level->unsent = 0;
}

#endif
