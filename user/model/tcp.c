/* SPDX-License-Identifier: BSD-2-Clause */
/* What lay in TCP connections when recording began and when it ended, by the numbers of their bytes. */
#include "model/channels.h"

#include <errno.h>

/*
 * Where a direction began is told at the end of a call. If another task used the same direction at the same moment, its
 * bytes may be counted in that already; it would have told of them soon after.
 */
#define CROWD_NS 100000000

/* Of what was made during the recording both directions are told at once, before anybody uses it. */
static void begin(struct pt_tcp_begin *begin, const struct pt_sequence *row, uint32_t sequence)
{
	if (begin->known)
		return;
	*begin = (struct pt_tcp_begin){
		.time = row->time, .sequence = sequence, .tid = row->tid, .known = true};
	if (row->flags == (PT_SEQUENCE_RECEIVED | PT_SEQUENCE_SENT))
		begin->tid = 0;
}

/* Only the first of either direction counts: a description that was forgotten may have been told again. */
int pt_channels_add_sequence(struct pt_channels *channels, const struct pt_sequence *row)
{
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(channels, row->end, &side);
	struct pt_tcp_side *tcp;

	if (!channel)
		return -ENOMEM;
	tcp = &channel->side[side].tcp;
	if (row->flags & PT_SEQUENCE_RECEIVED)
		begin(&tcp->received, row, row->received);
	if (row->flags & PT_SEQUENCE_SENT)
		begin(&tcp->sent, row, row->sent);
	return 0;
}

int pt_channels_add_leftover(struct pt_channels *channels, const struct pt_leftover *row)
{
	unsigned int side;
	struct pt_channel *channel = pt_channel_find(channels, row->end, &side);
	struct pt_tcp_side *tcp = channel ? &channel->side[side].tcp : NULL;

	if (!channel || channel == channels->others)
		return 0;
	tcp->unread = row->unread;
	tcp->unacked = row->unacked;
	tcp->copied = row->copied;
	tcp->written = row->written;
	tcp->left = true;
	/* It may have done nothing, also not read what lies there. */
	channel->side[side].seen |= row->flags & PT_LEFTOVER_TARGET;
	return 0;
}

/* Where nothing was received, or sent, on record, a direction begins where it ended. */
bool pt_channel_before(const struct pt_channel *channel, unsigned int side, int64_t *before)
{
	const struct pt_side *reader = &channel->side[side], *writer = &channel->side[!side];
	uint32_t read = reader->tcp.received.sequence, written = writer->tcp.sent.sequence;

	if (!reader->tcp.received.known) {
		if (reader->received.messages || !reader->seen || !reader->tcp.left)
			return false;
		read = reader->tcp.copied;
	}
	if (!writer->tcp.sent.known) {
		if (writer->sent.messages || !writer->seen || !writer->tcp.left)
			return false;
		written = writer->tcp.written;
	}
	*before = (int32_t)(written - read);
	return true;
}

bool pt_channel_left(const struct pt_channel *channel, unsigned int side, uint64_t *bytes)
{
	const struct pt_tcp_side *reader = &channel->side[side].tcp;
	const struct pt_tcp_side *writer = &channel->side[!side].tcp;
	int32_t left = (int32_t)(writer->written - reader->copied);

	*bytes = reader->unread;
	if (reader->left && writer->left)
		*bytes = left > 0 ? (uint32_t)left : 0;
	return reader->left;
}

static void note_crowd(struct pt_tcp_begin *begin, const struct pt_transfer *row)
{
	if (begin->known && begin->tid && begin->tid != row->tid &&
	    row->time < begin->time + CROWD_NS)
		begin->crowded = true;
}

void pt_channel_note_use(struct pt_side *side, const struct pt_transfer *row)
{
	note_crowd(row->flags & PT_TRANSFER_SENT ? &side->tcp.sent : &side->tcp.received, row);
}

bool pt_channel_is_unsure_where(const struct pt_channel *channel, unsigned int side)
{
	const struct pt_side *reader = &channel->side[side], *writer = &channel->side[!side];

	if (!(channel->flags & PT_ENDPOINT_SEQUENCE))
		return false;
	return reader->tcp.received.crowded || writer->tcp.sent.crowded ||
	       (reader->received.messages && writer->sent.messages && !reader->queue.begun);
}
