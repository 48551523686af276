/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams. A talk is what one socket exchanges with one address; a mailbox is an address at which datagrams arrive, and
 * the queue of the socket that is bound there. Which mailbox an address means depends on who sends: a socket that is connected
 * to the sender comes before one that is bound to just this address, and that before one that is bound to all.
 */
#ifndef PT_MODEL_TALKS_H
#define PT_MODEL_TALKS_H

#include "base/keymap.h"
#include "model/channels.h"

struct pt_talk_of {
	struct pt_channel *channel; /* of the socket */
	uint8_t side;
	bool unsure;	       /* whose address that is was not looked up */
	uint16_t family, port; /* port 0: of a Unix socket, or there is no address */
	uint32_t network;
	uint64_t address[2];
	uint64_t peer; /* an end: whom a Unix socket is connected to; 0: nobody, or not known */
	char *name;    /* of a Unix socket; NULL: none */
	size_t name_len;
	uint64_t inode; /* of the file of that name; 0: not known */
	uint32_t device;
	struct pt_mailbox *mailbox; /* as found last */
	uint32_t found_at;	    /* pt_talks.changes then; 0: never */
	struct pt_side *outside;    /* who is at that address, if no target; NULL: not known */
};

struct pt_mailbox {
	struct pt_lane lane;	 /* of what is sent from there */
	struct pt_mailbox *next; /* of those with the same port or name */
	uint32_t network;
	uint16_t port, peer_port; /* peer_port 0: not connected */
	uint64_t address[2], peer[2];
	bool any;      /* bound to all addresses */
	bool six;      /* of IPv6 */
	bool six_only; /* nothing of IPv4 comes there */
	char *name;    /* of a Unix socket */
	size_t name_len;
	struct pt_channel *owner; /* whose queue it is; NULL: no socket has been seen there */
	uint8_t side;
	uint32_t sockets;      /* seen there at the same time, as far as is known */
	struct pt_queue queue; /* while there is no owner */
};

/* What targets say of a datagram socket, or say anew: an `endpoint`, a `talk`, an `own_address`. Each 0 or -ENOMEM. */
int pt_talks_bind(struct pt_channels *channels, struct pt_channel *channel, unsigned int side,
		  const struct pt_record *record);
int pt_talks_add(struct pt_channels *channels, const struct pt_record *record);
int pt_talks_add_own(struct pt_channels *channels, const struct pt_own_address *row);

/* NULL: not known (yet). */
struct pt_talk_of *pt_talks_find(const struct pt_channels *channels, uint64_t end);

/* What a socket sends or receives without an address: with its peer, or (receiving) with anybody. NULL: no memory. */
struct pt_talk_of *pt_talks_plain(struct pt_channels *channels, struct pt_channel *channel,
				  unsigned int side);

/* Where what is sent to a talk's address arrives, on this machine. 0 or -ENOMEM; *out is NULL if it is elsewhere, or not known. */
int pt_talks_mailbox(struct pt_channels *channels, struct pt_talk_of *talk,
		     struct pt_mailbox **out);

/* Likewise of an IP address that is one of this machine; NULL: nothing was sent there, and nobody has been seen there. */
struct pt_mailbox *pt_mailbox_find(const struct pt_talks *talks, const struct pt_talk_of *talk);

/* Addresses of this machine: loopback, and what is known of others. */
bool pt_address_is_own(const struct pt_talks *talks, uint32_t network, const uint64_t *address);
int pt_address_note_own(struct pt_talks *talks, uint32_t network, const uint64_t *address);

/* The queue of a mailbox, and whose it is: *channel is NULL if it is nobody's. */
struct pt_queue *pt_mailbox_queue(struct pt_mailbox *mailbox, struct pt_channel **channel,
				  unsigned int *side);

/* Which file the name of a talk means. 0 or -ENOMEM. */
int pt_talks_resolve(struct pt_channels *channels, const struct pt_resolved *row);

/* A socket had no room for a datagram. 0 or -ENOMEM. */
int pt_talks_drop(struct pt_channels *channels, const struct pt_drop *row,
		  const struct pt_model_task *task);

/* Who else than targets may be at the address of a talk. 0 or -ENOMEM. */
int pt_talks_add_opposite(struct pt_channels *channels, struct pt_talk_of *talk, uint64_t end);

/* Did a target send something to many at once, at that port? */
static inline bool pt_talks_is_cast(const struct pt_talks *talks, uint32_t network, uint16_t port)
{
	return port && pt_keymap_get(&talks->casts, (uint64_t)network << 16 | port) != NULL;
}

/* At the end: which talks remain unsure. 0 or -ENOMEM. */
int pt_talks_settle(struct pt_channels *channels);

void pt_talks_clear(struct pt_talks *talks);

#endif
