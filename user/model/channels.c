/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/channels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "model/talks.h"

/* A long recording, or a crafted file, may name millions of ends. */
#define CHANNEL_LIMIT 100000
#define HOLDER_LIMIT  1024

static const uint8_t kind_of_class[] = {
	[PT_CLASS_PIPE] = PT_CHANNEL_PIPE,
	[PT_CLASS_FIFO] = PT_CHANNEL_FIFO,
	[PT_CLASS_SOCKET] = PT_CHANNEL_SOCKET,
	[PT_CLASS_EVENTFD] = PT_CHANNEL_EVENTFD,
	[PT_CLASS_POSIX_QUEUE] = PT_CHANNEL_POSIX_QUEUE,
	[PT_CLASS_SYSV_QUEUE] = PT_CHANNEL_SYSV_QUEUE,
	[PT_CLASS_MEMORY] = PT_CHANNEL_MEMORY,
	[PT_CLASS_SHARED] = PT_CHANNEL_SHARED,
	[PT_CLASS_FUTEX] = PT_CHANNEL_FUTEX,
	[PT_CLASS_URING] = PT_CHANNEL_URING,
};

struct pt_channel *pt_channel_find(const struct pt_channels *channels, uint64_t end,
				   unsigned int *side)
{
	struct pt_channel *channel = pt_keymap_get(&channels->by_end, end);

	*side = channel && channel->side[0].end != end;
	return channel;
}

static struct pt_channel *add_channel(struct pt_channels *channels)
{
	struct pt_channel **list;
	struct pt_channel *channel;

	if (channels->others)
		return channels->others;
	list = pt_array_grow(channels->list, channels->count, &channels->room, sizeof(*list));
	if (!list)
		return NULL;
	channels->list = list;
	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	channel->index = (uint32_t)channels->count;
	channels->list[channels->count++] = channel;
	if (channels->count == CHANNEL_LIMIT)
		channels->others = channel;
	return channel;
}

struct pt_channel *pt_channel_of(struct pt_channels *channels, uint64_t end, unsigned int *side)
{
	uint32_t class = PT_ENDPOINT_CLASS(end);
	struct pt_channel *channel = pt_channel_find(channels, end, side);

	if (channel)
		return channel;
	channel = add_channel(channels);
	if (!channel || channel == channels->others)
		return channel;
	if (pt_keymap_put(&channels->by_end, end, channel))
		return NULL;
	channel->side[0].end = end;
	channel->kind = class < PT_ARRAY_SIZE(kind_of_class) ? kind_of_class[class] : 0;
	channel->two_sided = class == PT_CLASS_SOCKET;
	return channel;
}

struct pt_queue *pt_channel_queue(struct pt_channel *channel, unsigned int *side, bool sent)
{
	if (sent && channel->two_sided)
		*side = !*side;
	return &channel->side[*side].queue;
}

static bool is_inet(const struct pt_endpoint *row)
{
	return row->kind == PT_CHANNEL_TCP || row->kind == PT_CHANNEL_UDP;
}

static uint64_t hash_of_tuple(uint64_t kind, uint64_t network, const uint64_t ends[2][3])
{
	uint64_t hash = pt_hash_mix(kind, network);
	size_t i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 3; j++)
			hash = pt_hash_mix(hash, ends[i][j]);
	}
	return hash;
}

/* The connection as its other side would describe it. */
static struct pt_channel *find_connection(const struct pt_channels *channels,
					  const struct pt_endpoint *row)
{
	uint64_t seen[2][3] = {{row->peer_high, row->peer_low, row->peer_port},
			       {row->local_high, row->local_low, row->local_port}};
	struct pt_channel *channel =
		pt_keymap_get(&channels->by_tuple, hash_of_tuple(row->kind, row->network, seen));
	const struct pt_side *side = channel ? &channel->side[0] : NULL;

	if (!channel || channel->side[1].end || side->port != row->peer_port ||
	    side->address[0] != row->peer_high || side->address[1] != row->peer_low)
		return NULL;
	return channel;
}

static int remember_connection(struct pt_channels *channels, struct pt_channel *channel,
			       const struct pt_endpoint *row)
{
	uint64_t own[2][3] = {{row->local_high, row->local_low, row->local_port},
			      {row->peer_high, row->peer_low, row->peer_port}};

	return pt_keymap_put(&channels->by_tuple, hash_of_tuple(row->kind, row->network, own),
			     channel);
}

/* The channel that a socket is the second side of; NULL if its other side was not seen yet. */
static struct pt_channel *find_peer(const struct pt_channels *channels,
				    const struct pt_endpoint *row)
{
	struct pt_channel *channel = NULL;
	unsigned int side;

	if (row->peer)
		channel = pt_channel_find(channels, row->peer, &side);
	else if (is_inet(row) && row->peer_port)
		channel = find_connection(channels, row);
	if (!channel || !channel->two_sided ||
	    (channel->side[1].end && channel->side[1].end != row->end))
		return NULL;
	return channel;
}

static void add_traffic(struct pt_traffic *to, const struct pt_traffic *from)
{
	to->bytes += from->bytes;
	to->messages += from->messages;
	to->would_block += from->would_block;
	to->failed += from->failed;
	to->empty += from->empty;
	to->fds += from->fds;
}

/*
 * An end turns out to be the second side of a channel. What the first side told of it stands there already; what is known
 * of the end itself, from records that came before its description, goes there.
 */
static int join(struct pt_channels *channels, struct pt_channel *channel, struct pt_channel *before,
		uint64_t end)
{
	struct pt_side *side = &channel->side[1];

	side->end = end;
	if (before) {
		add_traffic(&side->sent, &before->side[0].sent);
		add_traffic(&side->received, &before->side[0].received);
		before->side[0].sent = before->side[0].received = (struct pt_traffic){0};
		side->tcp = before->side[0].tcp;
	}
	return pt_keymap_put(&channels->by_end, end, channel);
}

static void name_channel(struct pt_channel *channel, const struct pt_record *record)
{
	if (channel->name || !record->text_len)
		return;
	channel->name = strndup(record->text, record->text_len);
}

static void take_facts(struct pt_channel *channel, unsigned int side,
		       const struct pt_record *record, const struct pt_model *model)
{
	const struct pt_endpoint *row = record->row;
	struct pt_side *own = &channel->side[side], *other = &channel->side[!side];

	channel->kind = row->kind < PT_CHANNEL_COUNT ? row->kind : PT_CHANNEL_NONE;
	channel->type = row->type;
	channel->flags |= row->flags;
	channel->device = row->device;
	channel->network = row->network;
	own->address[0] = row->local_high;
	own->address[1] = row->local_low;
	own->port = row->local_port;
	own->four = row->family == 2 /* AF_INET */;
	own->peer_pid = row->peer_pid;
	own->seen = true;
	if (channel->two_sided && !other->port) {
		other->address[0] = row->peer_high;
		other->address[1] = row->peer_low;
		other->port = row->peer_port;
	}
	if (row->flags & PT_ENDPOINT_CREATED && !channel->creator)
		channel->creator = pt_model_find(model, row->tid);
	name_channel(channel, record);
}

/* What lay there before: told by the first description of a direction, less what has been recorded of it since. */
static int take_queue(struct pt_channel *channel, struct pt_queue *queue, uint64_t queued)
{
	if (queue->written.count || queue->owed.count || queued <= queue->units) {
		queue->begun |= !queued;
		return 0;
	}
	return pt_queue_preload(queue, queued, pt_channel_keeps_messages(channel) ? 0 : queued);
}

static int take_queues(struct pt_channel *channel, unsigned int side, const struct pt_endpoint *row,
		       bool first)
{
	int ret = 0;

	if (row->flags & PT_ENDPOINT_SEQUENCE)
		return 0;
	/*
	 * In what was made during the recording lies only what has been recorded, or will be: the record of a write may
	 * come after that of whoever already sees it in the queue.
	 */
	if (channel->flags & PT_ENDPOINT_CREATED || row->flags & PT_ENDPOINT_FRESH) {
		channel->side[0].queue.begun = channel->side[1].queue.begun = true;
		return 0;
	}
	/* The first side of a local socket pair sees both queues; of a TCP connection each side knows its own. */
	if (first || channel->kind == PT_CHANNEL_TCP)
		ret = take_queue(channel, &channel->side[side].queue, row->queued);
	if (!ret && first && channel->two_sided)
		ret = take_queue(channel, &channel->side[!side].queue, row->peer_queued);
	return ret;
}

/* So that the other side, once it is seen, is found by its name. */
static int name_peer(struct pt_channels *channels, struct pt_channel *channel, unsigned int side,
		     uint64_t peer)
{
	if (!peer || !channel->two_sided || channel->side[!side].end)
		return 0;
	channel->side[!side].end = peer;
	return pt_keymap_get(&channels->by_end, peer)
		       ? 0
		       : pt_keymap_put(&channels->by_end, peer, channel);
}

int pt_channels_describe(struct pt_channels *channels, const struct pt_record *record,
			 const struct pt_model *model)
{
	const struct pt_endpoint *row = record->row;
	unsigned int side;
	struct pt_channel *channel = pt_channel_find(channels, row->end, &side), *peer = NULL;
	bool first;

	if ((!channel || !channel->described) && PT_ENDPOINT_CLASS(row->end) == PT_CLASS_SOCKET)
		peer = find_peer(channels, row);
	if (peer && peer != channel) {
		if (join(channels, peer, channel, row->end))
			return -ENOMEM;
		channel = peer;
		side = 1;
	}
	if (!channel)
		channel = pt_channel_of(channels, row->end, &side);
	if (!channel || channel == channels->others)
		return channel ? 0 : -ENOMEM;
	first = !channel->described;
	if (first)
		channel->first_ns = row->time;
	channel->described = true;
	take_facts(channel, side, record, model);
	if (name_peer(channels, channel, side, row->peer))
		return -ENOMEM;
	if (is_inet(row) && row->peer_port && side == 0 &&
	    remember_connection(channels, channel, row))
		return -ENOMEM;
	if (pt_channel_is_datagrams(channel) && pt_talks_bind(channels, channel, side, record))
		return -ENOMEM;
	return take_queues(channel, side, row, first);
}

int pt_channels_add_opposite(struct pt_channels *channels, const struct pt_opposite *row)
{
	unsigned int side;
	struct pt_channel *channel = pt_channel_find(channels, row->end, &side);
	struct pt_talk_of *talk = pt_talks_find(channels, row->end);

	if (talk)
		return pt_talks_add_opposite(channels, talk, row->opposite);
	if (!channel || !channel->two_sided || channel->side[!side].end ||
	    pt_keymap_get(&channels->by_end, row->opposite))
		return 0;
	channel->side[!side].end = row->opposite;
	return pt_keymap_put(&channels->by_end, row->opposite, channel);
}

static int add_holder(struct pt_side *own, const struct pt_holder *holder)
{
	struct pt_holder_of *holders;
	uint32_t i;

	for (i = 0; i < own->holder_count && own->holders[i].pid != holder->pid; i++)
		;
	if (i == HOLDER_LIMIT) {
		own->holders_omitted++;
		return 0;
	}
	if (i == own->holder_count) {
		holders = reallocarray(own->holders, i + 1, sizeof(*holders));
		if (!holders)
			return -ENOMEM;
		own->holders = holders;
		own->holder_count++;
		holders[i] = (struct pt_holder_of){.pid = holder->pid};
	}
	own->holders[i].flags |= holder->flags;
	memcpy(own->holders[i].comm, holder->comm.s, PT_COMM_LEN);
	return 0;
}

int pt_channels_add_holder(struct pt_channels *channels, const struct pt_holder *holder)
{
	unsigned int side;
	struct pt_channel *channel = pt_channel_find(channels, holder->end, &side);
	struct pt_side *own = channel ? &channel->side[side] : NULL, *stranger;
	int ret = own ? add_holder(own, holder) : 0;

	stranger = pt_keymap_get(&channels->talks.strangers, holder->end);
	return ret || !stranger ? ret : add_holder(stranger, holder);
}

void pt_channels_clear(struct pt_channels *channels)
{
	size_t i;

	for (i = 0; i < channels->count; i++) {
		struct pt_channel *channel = channels->list[i];

		for (unsigned int side = 0; side < 2; side++) {
			pt_queue_clear(&channel->side[side].queue);
			free(channel->side[side].holders);
		}
		free(channel->name);
		pt_passed_free(channel->passed);
		free(channel);
	}
	free(channels->list);
	pt_keymap_clear(&channels->by_end);
	pt_keymap_clear(&channels->by_tuple);
	pt_talks_clear(&channels->talks);
	*channels = (struct pt_channels){0};
}
