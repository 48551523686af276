/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom targets exchange datagrams with: sockets at addresses, files behind names, and which addresses are this machine's. */
#ifndef PT_CAPTURE_PEERS_TALK_H
#define PT_CAPTURE_PEERS_TALK_H

#include <netinet/in.h>
#include <sys/un.h>

#include "base/record.h"
#include "capture/probes.h"

#define PT_TALKS_PENDING 1024 /* of one look; further ones are not looked up */
#define PT_TALK_NETWORKS 16

struct pt_talk_wanted {
	uint64_t end;
	uint64_t address[2];
	uint64_t socket; /* inode of what was found there, 0: nothing */
	uint32_t network, tid;
	uint16_t port;
	uint8_t score; /* how well that fits */
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) +
		  1]; /* of a Unix socket: "/path", "@name" */
};

/* All zero is empty. */
struct pt_talk_peers {
	struct pt_talk_wanted *wanted;
	size_t count, room;
	uint32_t networks[PT_TALK_NETWORKS]; /* whose addresses have been told */
	size_t network_count;
	uint8_t ports
		[8192]; /* a bit for each UDP port that a target has: nobody has to be looked for */
};

/* Takes notice of a talk, or of a UDP socket; other records are ignored. 0 or -ENOMEM. */
int pt_talks_note(struct pt_talk_peers *peers, const struct pt_record *record);

/* Looks these up below /proc, until `deadline` (CLOCK_MONOTONIC ns), and forgets them. `found` is told the socket's end. */
int pt_talks_look(struct pt_talk_peers *peers, uint64_t deadline, pt_probes_sink sink,
		  void *context, int (*found)(void *look, uint64_t socket, uint64_t talk),
		  void *found_context);

void pt_talks_free(struct pt_talk_peers *peers);

#endif
