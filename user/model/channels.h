/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels, put together from the records of their ends. A pipe, a FIFO, an eventfd or a message queue has one side, a
 * socket two; the other side may never be seen.
 */
#ifndef PT_MODEL_CHANNELS_H
#define PT_MODEL_CHANNELS_H

#include "base/keymap.h"
#include "model/model.h"
#include "model/passed.h"
#include "model/queue.h"

/* What targets did with one direction of a side. */
struct pt_traffic {
	uint64_t bytes, messages;
	uint64_t would_block, failed, empty;
	uint64_t fds;	     /* descriptors that went with messages */
	uint64_t blocked_ns; /* tasks were asleep in these calls */
	uint64_t blocked_max;
	uint64_t blocked_max_at;		      /* when the longest of these ended */
	const struct pt_model_task *blocked_max_task; /* NULL: none */
};

/* Of shared memory: the process has it from its parent. Beside PT_HOLDER_*; no record tells it. */
#define PT_HOLDER_INHERITED 128

/* A process that has a side open, and is no target: from a look at /proc. */
struct pt_holder_of {
	uint32_t pid;
	uint32_t flags; /* PT_HOLDER_* */
	char comm[PT_COMM_LEN + 1];
};

/* Where one direction of one side of a TCP connection stood before its first transfer on record. */
struct pt_tcp_begin {
	uint64_t time;
	uint32_t sequence;
	uint32_t tid; /* who told; 0: when nobody used it yet */
	bool known;
	bool crowded; /* somebody else may have been at it at that moment */
};

struct pt_tcp_side {
	struct pt_tcp_begin received, sent;
	bool left; /* it was open when recording ended, and these are known of then: */
	uint32_t unread, unacked;
	uint32_t copied, written; /* numbers of the next byte to be read, and to be sent */
};

struct pt_side {
	uint64_t end; /* its name, 0: not seen, or not known */
	struct pt_traffic sent, received;
	struct pt_queue queue; /* to be received here */
	uint64_t address[2];   /* of an IP socket: high, low */
	uint32_t peer_pid;     /* who the kernel says had made the other side; 0: not known */
	uint16_t port;
	bool four; /* an IPv4 socket */
	bool seen; /* a target used it, or had it open at the end */
	struct pt_tcp_side tcp;
	/* Of a datagram socket: */
	bool doubtful;	/* who sent what it received is not sure */
	bool strangers; /* something came from outside, so what is unread is not known */
	bool blind;	/* its readers did not ask for the sender, where that may be anybody */
	bool summed;	/* some of what was written to it, or read, is in sums */
	bool crowded;	/* several tasks sent to it */
	const struct pt_model_task *writer; /* the last of these */
	struct pt_mailbox *mailbox;	    /* of a datagram socket, once it has an address */
	struct pt_talk_of *plain;	    /* likewise: with its peer, or anybody */
	struct pt_holder_of *holders;
	uint32_t holder_count, holders_omitted;
};

struct pt_channel {
	uint32_t index;
	uint32_t device, network;
	uint8_t kind;	/* enum pt_channel_kind */
	uint8_t type;	/* SOCK_*, 0: no socket */
	uint16_t flags; /* PT_ENDPOINT_* */
	bool two_sided;
	bool described;
	bool passed_on; /* a descriptor of it went through another channel */
	struct pt_side side[2];
	const struct pt_model_task *creator; /* NULL: it was there before, or not seen */
	uint64_t first_ns;		     /* when it was first seen */
	char *name;			     /* address or file name; NULL: none */
	uint64_t mapped;	  /* bytes of shared memory that one process maps of it at most */
	struct pt_passed *passed; /* NULL: none */
	void *extra;		  /* of whoever analyses it */
};

struct pt_talk_of;
struct pt_mailbox;

/* Of datagram sockets. */
struct pt_talks {
	struct pt_talk_of **list;
	struct pt_mailbox **boxes;
	size_t count, room, box_count, box_room;
	struct pt_keymap by_end;   /* end: talk */
	struct pt_keymap by_place; /* hash of a port or name: the first mailbox there */
	struct pt_keymap by_file;  /* hash of device and inode: mailbox */
	struct pt_keymap own;	   /* hash of network and address: that is of this machine */
	struct pt_keymap casts; /* network and port: to where something was sent to many at once */
	struct pt_keymap networks;  /* whose addresses are known */
	struct pt_keymap strangers; /* end: pt_side that no target has */
	struct pt_side **sides;	    /* these */
	size_t side_count, side_room;
	uint32_t changes; /* of what is bound where */
};

struct pt_channels {
	struct pt_channel **list;
	size_t count, room;
	struct pt_channel *others; /* stands for all beyond a limit; NULL: there are none */
	struct pt_keymap by_end;   /* end: channel */
	struct pt_keymap by_tuple; /* hash of addresses and ports: the latest channel of these */
	struct pt_talks talks;
};

/* The channel and side of an end, made if need be; NULL without memory. */
struct pt_channel *pt_channel_of(struct pt_channels *channels, uint64_t end, unsigned int *side);

/* NULL if it was never mentioned. */
struct pt_channel *pt_channel_find(const struct pt_channels *channels, uint64_t end,
				   unsigned int *side);

/* Takes a description of an end. 0 or -ENOMEM. */
int pt_channels_describe(struct pt_channels *channels, const struct pt_record *record,
			 const struct pt_model *model);

/* Each 0 or -ENOMEM. */
int pt_channels_add_sequence(struct pt_channels *channels, const struct pt_sequence *row);
int pt_channels_add_leftover(struct pt_channels *channels, const struct pt_leftover *row);
int pt_channels_add_opposite(struct pt_channels *channels, const struct pt_opposite *row);
int pt_channels_add_holder(struct pt_channels *channels, const struct pt_holder *holder);

/*
 * Where what is sent from a side lies until it is received, or what is received there, and the side that owns it. Not of datagrams:
 * see talks.h.
 */
struct pt_queue *pt_channel_queue(struct pt_channel *channel, unsigned int *side, bool sent);

/*
 * What had been written to a side of a TCP connection before the first byte that is on record, less what had been read there
 * before the first that is. False: not known.
 */
bool pt_channel_before(const struct pt_channel *channel, unsigned int side, int64_t *before);

/* What the kernel says was still to be read from a side of a TCP connection when recording ended. False: it does not. */
bool pt_channel_left(const struct pt_channel *channel, unsigned int side, uint64_t *bytes);

/* Of a transfer through the side. */
void pt_channel_note_use(struct pt_side *side, const struct pt_transfer *row);

/* Whether what lay there on its way to a side, when recording began, is in doubt. */
bool pt_channel_is_unsure_where(const struct pt_channel *channel, unsigned int side);

/* What offsets of a channel count: are messages kept apart? */
static inline bool pt_channel_keeps_messages(const struct pt_channel *channel)
{
	return (channel->type && channel->type != 1 /* SOCK_STREAM */) ||
	       channel->kind == PT_CHANNEL_POSIX_QUEUE || channel->kind == PT_CHANNEL_SYSV_QUEUE;
}

/* Where each message has an address, of its own or its socket's. */
static inline bool pt_channel_is_datagrams(const struct pt_channel *channel)
{
	return channel->kind == PT_CHANNEL_UDP ||
	       (channel->kind == PT_CHANNEL_UNIX && channel->type == 2 /* SOCK_DGRAM */);
}

/* Not `extra`. */
void pt_channels_clear(struct pt_channels *channels);

#endif
