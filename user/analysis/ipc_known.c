/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be said of a channel, and of how much of it one may be sure. */
#include "analysis/ipc.h"

/* A reader may be ahead of its writer by as long as the writer's call took, but hardly by more. */
#define DEBT_NS 1000000000u

bool pt_ipc_carries_no_bytes(const struct pt_channel *channel)
{
	return channel->kind == PT_CHANNEL_SHARED || channel->kind == PT_CHANNEL_FUTEX;
}

bool pt_ipc_has_queue(const struct pt_channel *channel)
{
	switch (channel->kind) {
	case PT_CHANNEL_TCP:
		return channel->flags & PT_ENDPOINT_LOOPBACK;
	case PT_CHANNEL_UDP:
	case PT_CHANNEL_UNIX:
	case PT_CHANNEL_PIPE:
	case PT_CHANNEL_FIFO:
	case PT_CHANNEL_EVENTFD:
	case PT_CHANNEL_POSIX_QUEUE:
	case PT_CHANNEL_SYSV_QUEUE:
		return true;
	default:
		return false;
	}
}

bool pt_ipc_is_used(const struct pt_channel *channel)
{
	for (unsigned int side = 0; side < 2; side++) {
		const struct pt_traffic *sent = &channel->side[side].sent;
		const struct pt_traffic *received = &channel->side[side].received;

		if (sent->messages || received->messages || sent->would_block ||
		    received->would_block || sent->failed || received->failed || sent->empty ||
		    received->empty)
			return true;
	}
	return channel->passed_on ||
	       (channel->kind == PT_CHANNEL_SHARED && channel->side[0].holder_count > 1);
}

bool pt_ipc_unread_known(const struct pt_channel *channel, unsigned int side)
{
	const struct pt_side *own = &channel->side[side];
	uint32_t i;

	if (!pt_ipc_has_queue(channel))
		return false;
	/* From outside more may have come. */
	if (channel->kind == PT_CHANNEL_UDP)
		return !own->strangers && own->mailbox &&
		       (own->received.messages || own->queue.units);
	if (own->received.messages)
		return true;
	for (i = 0; i < own->holder_count; i++) {
		if (own->holders[i].flags & PT_HOLDER_READS)
			return false;
	}
	return channel->two_sided ? own->seen : (channel->flags & PT_ENDPOINT_CREATED) != 0;
}

bool pt_ipc_unread(const struct pt_channel *channel, unsigned int side, uint64_t *bytes)
{
	if (pt_ipc_has_queue(channel) && !channel->side[side].queue.begun &&
	    pt_channel_left(channel, side, bytes))
		return true;
	*bytes = channel->side[side].queue.bytes;
	return pt_ipc_unread_known(channel, side);
}

bool pt_ipc_depth_known(const struct pt_channel *channel)
{
	bool inet = channel->kind == PT_CHANNEL_TCP || channel->kind == PT_CHANNEL_UDP;

	if (!inet)
		return channel->kind != PT_CHANNEL_SOCKET;
	return pt_ipc_has_queue(channel) && channel->side[0].seen && channel->side[1].seen;
}

bool pt_ipc_is_nobodys(const struct pt_channel *channel, unsigned int side)
{
	return pt_ipc_unread_known(channel, side) ||
	       (pt_channel_is_datagrams(channel) && channel->side[side].mailbox);
}

static bool has_outsider(const struct pt_side *side, uint32_t flag)
{
	uint32_t i;

	for (i = 0; i < side->holder_count; i++) {
		if (side->holders[i].flags & flag)
			return true;
	}
	return false;
}

bool pt_ipc_is_unsure(const struct pt_channel *channel, unsigned int side)
{
	const struct pt_side *own = &channel->side[side];
	bool crowd;

	if (pt_ipc_carries_no_bytes(channel))
		return false;
	crowd = !channel->two_sided &&
		((own->sent.messages && has_outsider(own, PT_HOLDER_WRITES)) ||
		 (own->received.messages && has_outsider(own, PT_HOLDER_READS)));

	if (pt_channel_is_unsure_where(channel, side))
		return true;
	/* The order of what is in sums is not known, nor that of strangers' messages among others. */
	if (own->blind && ((own->crowded && own->summed) || (own->writer && own->strangers)))
		return true;
	return crowd || own->doubtful || own->queue.longest_debt > DEBT_NS ||
	       (channel->flags & PT_ENDPOINT_UNSURE);
}
