/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/talks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define FAMILY_UNIX 1
#define FAMILY_INET 2
#define LOOPBACK    0x7f000001u

/* Of a crafted file. */
#define TALK_LIMIT 1000000

static bool is_nowhere(const uint64_t *address)
{
	return !address[0] && !address[1];
}

static struct pt_talk_of *add_talk(struct pt_talks *talks)
{
	struct pt_talk_of **grown, *talk;

	if (talks->count == TALK_LIMIT)
		return talks->list[TALK_LIMIT - 1];
	grown = pt_array_grow(talks->list, talks->count, &talks->room, sizeof(*grown));
	if (!grown)
		return NULL;
	talks->list = grown;
	talk = calloc(1, sizeof(*talk));
	if (talk)
		talks->list[talks->count++] = talk;
	return talk;
}

struct pt_talk_of *pt_talks_plain(struct pt_channels *channels, struct pt_channel *channel,
				  unsigned int side)
{
	struct pt_side *own = &channel->side[side];

	if (own->plain)
		return own->plain;
	own->plain = add_talk(&channels->talks);
	if (own->plain && !own->plain->channel) {
		own->plain->channel = channel;
		own->plain->side = (uint8_t)side;
	}
	return own->plain;
}

struct pt_talk_of *pt_talks_find(const struct pt_channels *channels, uint64_t end)
{
	return pt_keymap_get(&channels->talks.by_end, end);
}

/* Sent to no address at all: the kernel takes loopback. */
static void settle_address(struct pt_talk_of *talk)
{
	if (talk->port && is_nowhere(talk->address))
		talk->address[1] = talk->family == FAMILY_INET ? LOOPBACK : 1;
}

/* Is it an address of many? Of a broadcast the last byte says so in nearly all networks. */
static bool is_cast(const uint64_t *address)
{
	if (address[0] >> 56 == 0xff)
		return true;
	return !address[0] && address[1] <= UINT32_MAX &&
	       (address[1] >> 28 == 0xe || (address[1] & 0xff) == 0xff);
}

int pt_talks_add(struct pt_channels *channels, const struct pt_record *record)
{
	const struct pt_talk *row = record->row;
	struct pt_talks *talks = &channels->talks;
	struct pt_talk_of *talk;
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(channels, row->socket, &side);

	if (!channel)
		return -ENOMEM;
	if (pt_keymap_get(&talks->by_end, row->end) || talks->count == TALK_LIMIT)
		return 0;
	talk = add_talk(talks);
	if (!talk)
		return -ENOMEM;
	talk->channel = channel;
	talk->side = (uint8_t)side;
	talk->family = row->family;
	talk->network = row->network;
	if (row->family == FAMILY_UNIX) {
		talk->name = record->text_len ? calloc(1, record->text_len + 1) : NULL;
		if (record->text_len && !talk->name)
			return -ENOMEM;
		talk->name_len = record->text_len;
		if (talk->name)
			memcpy(talk->name, record->text, record->text_len);
		if (talk->name && talk->name[0] != '@')
			talk->network = 0;
		talk->address[0] = row->high;
		talk->address[1] = row->low;
	} else {
		talk->port = row->port;
		talk->address[0] = row->high;
		talk->address[1] = row->low;
		settle_address(talk);
		if (is_cast(talk->address) &&
		    pt_keymap_put(&talks->casts, (uint64_t)row->network << 16 | row->port, talks))
			return -ENOMEM;
	}
	return pt_keymap_put(&talks->by_end, row->end, talk);
}

int pt_talks_add_own(struct pt_channels *channels, const struct pt_own_address *row)
{
	struct pt_talks *talks = &channels->talks;
	uint64_t address[2] = {row->high, row->low};

	if (!is_nowhere(address))
		return pt_address_note_own(talks, row->network, address);
	return pt_keymap_put(&talks->networks, row->network, talks);
}

int pt_talks_drop(struct pt_channels *channels, const struct pt_drop *row,
		  const struct pt_model_task *task)
{
	struct pt_piece_of_queue dropped = {.time = row->time, .units = 1, .task = task};
	unsigned int side;
	struct pt_channel *channel = pt_channel_of(channels, row->end, &side);
	struct pt_talk_of sender = {.port = row->port, .address = {row->high, row->low}};
	struct pt_mailbox *box;

	if (!channel)
		return -ENOMEM;
	sender.channel = channel;
	sender.side = (uint8_t)side;
	/* A socket of which nothing is known yet: that it is in the namespace of the sender is all there is. */
	sender.network = channel->network;
	if (row->port && channel->network) {
		if (!pt_address_is_own(&channels->talks, sender.network, sender.address))
			return 0;
		box = pt_mailbox_find(&channels->talks, &sender);
		dropped.lane = box ? &box->lane : NULL;
	}
	return pt_queue_drop(&channel->side[side].queue, &dropped);
}

int pt_talks_add_opposite(struct pt_channels *channels, struct pt_talk_of *talk, uint64_t end)
{
	struct pt_talks *talks = &channels->talks;
	struct pt_side *side = pt_keymap_get(&talks->strangers, end), **grown;

	if (!side) {
		grown = pt_array_grow(talks->sides, talks->side_count, &talks->side_room,
				      sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		talks->sides = grown;
		side = calloc(1, sizeof(*side));
		if (!side)
			return -ENOMEM;
		talks->sides[talks->side_count++] = side;
		side->end = end;
		if (pt_keymap_put(&talks->strangers, end, side))
			return -ENOMEM;
	}
	talk->outside = side;
	return 0;
}

int pt_talks_settle(struct pt_channels *channels)
{
	struct pt_mailbox *box;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < channels->talks.count; i++)
		ret = pt_talks_mailbox(channels, channels->talks.list[i], &box);
	return ret;
}

void pt_talks_clear(struct pt_talks *talks)
{
	size_t i;

	for (i = 0; i < talks->count; i++) {
		free(talks->list[i]->name);
		free(talks->list[i]);
	}
	for (i = 0; i < talks->box_count; i++) {
		pt_queue_clear(&talks->boxes[i]->queue);
		free(talks->boxes[i]->name);
		free(talks->boxes[i]);
	}
	for (i = 0; i < talks->side_count; i++) {
		free(talks->sides[i]->holders);
		free(talks->sides[i]);
	}
	free(talks->list);
	free(talks->boxes);
	free(talks->sides);
	pt_keymap_clear(&talks->by_end);
	pt_keymap_clear(&talks->by_place);
	pt_keymap_clear(&talks->by_file);
	pt_keymap_clear(&talks->own);
	pt_keymap_clear(&talks->casts);
	pt_keymap_clear(&talks->networks);
	pt_keymap_clear(&talks->strangers);
}
