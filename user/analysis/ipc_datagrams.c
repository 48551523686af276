/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ipc_datagrams.h"

#include <errno.h>

static int way_out(struct pt_channels *channels, struct pt_talk_of *talk, struct pt_ipc_way *way)
{
	struct pt_mailbox *own = talk->channel->side[talk->side].mailbox, *box;
	struct pt_channel *peer;
	int ret = 0;

	way->lane = own ? &own->lane : NULL;
	if (talk->peer) {
		peer = pt_channel_find(channels, talk->peer, &way->side);
		if (!peer || !pt_channel_is_datagrams(talk->channel))
			return 0;
		way->channel = peer;
		way->queue = &peer->side[way->side].queue;
		return 0;
	}
	ret = pt_talks_mailbox(channels, talk, &box);
	if (!ret && box)
		way->queue = pt_mailbox_queue(box, &way->channel, &way->side);
	return ret;
}

/* A socket that shares its address with others reads from one queue with them. */
static void take_queue(struct pt_channel *channel, unsigned int side, struct pt_ipc_way *way)
{
	struct pt_side *own = &channel->side[side];

	way->channel = channel;
	way->side = side;
	way->queue = &own->queue;
	if (own->mailbox && own->mailbox->sockets > 1)
		way->queue = pt_mailbox_queue(own->mailbox, &way->channel, &way->side);
}

static int way_in(struct pt_channels *channels, struct pt_talk_of *talk, struct pt_ipc_way *way)
{
	struct pt_side *own = &talk->channel->side[talk->side];
	struct pt_mailbox *box = NULL;
	int ret = pt_talks_mailbox(channels, talk, &box);

	if (ret)
		return ret;
	if (talk->port && !box)
		return 0;
	way->lane = box ? &box->lane : NULL;
	own->blind |= !box;
	own->doubtful |= pt_talks_is_cast(&channels->talks, talk->network, own->port);
	own->doubtful |= !box && own->mailbox && own->mailbox->sockets > 1;
	take_queue(talk->channel, talk->side, way);
	return 0;
}

int pt_ipc_way(struct pt_channels *channels, struct pt_channel *channel, unsigned int side,
	       const struct pt_transfer *row, struct pt_ipc_way *way)
{
	struct pt_talk_of *talk = row->with ? pt_talks_find(channels, row->with)
					    : pt_talks_plain(channels, channel, side);

	*way = (struct pt_ipc_way){.talk = talk};
	if (!talk)
		return row->with ? 0 : -ENOMEM;
	if (talk->channel != channel || talk->side != side)
		return 0;
	return row->flags & PT_TRANSFER_SENT ? way_out(channels, talk, way)
					     : way_in(channels, talk, way);
}

int pt_ipc_finish_mailboxes(struct pt_channels *channels, uint64_t end, pt_deliver deliver,
			    void *context)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < channels->talks.box_count; i++)
		ret = pt_queue_finish(&channels->talks.boxes[i]->queue, end, deliver, context);
	return ret;
}
