/* SPDX-License-Identifier: BSD-2-Clause */
/* The other sides of loopback TCP connections that targets use, as far as no target has them. */
#ifndef PT_CAPTURE_PEERS_INET_H
#define PT_CAPTURE_PEERS_INET_H

#include "base/record.h"

#define PT_INET_SLOTS                                                                              \
	1024 /* connections of one look; one that falls on the slot of another takes its place */

/* One side of a connection: as the kernel lists it the other way round. */
struct pt_inet_side {
	uint64_t end;		      /* 0: the slot is free */
	uint64_t local[2], remote[2]; /* addresses: high, low */
	uint32_t tid;		      /* who uses it */
	uint32_t network;	      /* inode of its network namespace */
	uint16_t local_port, remote_port;
};

/* All zero is empty. */
struct pt_inet_peers {
	struct pt_inet_side slots[PT_INET_SLOTS];
	size_t count;
};

/* Takes notice of a side. If it is the other one of a connection that is known, nobody has to be looked for. */
void pt_inet_note(struct pt_inet_peers *peers, const struct pt_endpoint *row);

/*
 * Looks the other sides up below /proc/TID/net, until `deadline` (CLOCK_MONOTONIC ns), and forgets all. `found` is told
 * their ends, each with the one that was noted. 0, or what `found` returned if that is not 0.
 */
int pt_inet_look(struct pt_inet_peers *peers, uint64_t deadline,
		 int (*found)(void *context, uint64_t end, uint64_t other), void *context);

/*
 * Parses a line of /proc/net/tcp or tcp6: a side and, as its `end`, the socket's inode. False if it is none.
 */
bool pt_inet_parse(const char *line, struct pt_inet_side *side);

#endif
