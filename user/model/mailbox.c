/* SPDX-License-Identifier: BSD-2-Clause */
/* What socket is at an address. */
#include "model/talks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

#define FAMILY_INET 2

/* Of a crafted file: */
#define CHAIN_LIMIT 1024 /* mailboxes of one port that are looked at */

static uint64_t hash_of_address(uint32_t network, const uint64_t *address)
{
	return pt_hash_mix(pt_hash_mix(pt_hash_mix(1, network), address[0]), address[1]);
}

static uint64_t hash_of_name(uint32_t network, const char *name, size_t length)
{
	uint64_t hash = pt_hash_mix(2, network), word;
	size_t i;

	for (i = 0; i < length; i += sizeof(word)) {
		word = 0;
		memcpy(&word, name + i, length - i < sizeof(word) ? length - i : sizeof(word));
		hash = pt_hash_mix(hash, word);
	}
	return pt_hash_mix(hash, length);
}

static uint64_t hash_of_file(uint32_t device, uint64_t inode)
{
	return pt_hash_mix(pt_hash_mix(3, device), inode);
}

static bool is_any(const uint64_t *address)
{
	return !address[0] && !address[1];
}

static bool is_four(const uint64_t *address)
{
	return !address[0] && address[1] > 1 && !(address[1] >> 32);
}

static bool same_address(const uint64_t *a, const uint64_t *b)
{
	return a[0] == b[0] && a[1] == b[1];
}

bool pt_address_is_own(const struct pt_talks *talks, uint32_t network, const uint64_t *address)
{
	if (!address[0] && (address[1] == 1 || address[1] >> 24 == 127))
		return true;
	return pt_keymap_get(&talks->own, hash_of_address(network, address)) != NULL;
}

/* Names of files are the same in all network namespaces. */
static uint64_t place_of(uint32_t network, uint16_t port, const char *name, size_t length)
{
	if (name)
		return hash_of_name(name[0] == '@' ? network : 0, name, length);
	return pt_hash_mix(pt_hash_mix(4, network), port);
}

static struct pt_mailbox *add_mailbox(struct pt_talks *talks, const struct pt_mailbox *like)
{
	uint64_t place = place_of(like->network, like->port, like->name, like->name_len);
	struct pt_mailbox **grown = pt_array_grow(talks->boxes, talks->box_count, &talks->box_room,
						  sizeof(struct pt_mailbox *));
	struct pt_mailbox *box;

	if (!grown)
		return NULL;
	talks->boxes = grown;
	box = calloc(1, sizeof(*box));
	if (!box)
		return NULL;
	*box = *like;
	if (like->name) {
		box->name = malloc(like->name_len + 1);
		if (box->name)
			memcpy(box->name, like->name, like->name_len);
	}
	box->next = pt_keymap_get(&talks->by_place, place);
	if ((like->name && !box->name) || pt_keymap_put(&talks->by_place, place, box)) {
		free(box->name);
		free(box);
		return NULL;
	}
	talks->boxes[talks->box_count++] = box;
	return box;
}

static struct pt_mailbox *root_of(struct pt_mailbox *box)
{
	/* Its first member. */
	return (struct pt_mailbox *)pt_lane_root(box ? &box->lane : NULL);
}

/* Can a datagram from a socket come from that address? */
static bool may_come_from(const struct pt_side *sender, uint16_t port, const uint64_t *address)
{
	return sender->port == port &&
	       (is_any(sender->address) || same_address(sender->address, address));
}

/* How well a mailbox fits an address that a socket sends to; 0: not at all. The kernel's order. */
static int score(const struct pt_mailbox *box, const struct pt_talk_of *talk)
{
	const struct pt_side *sender = &talk->channel->side[talk->side];
	bool exact = !box->any && same_address(box->address, talk->address);

	if (box->lane.same || box->network != talk->network || box->port != talk->port)
		return 0;
	if (box->peer_port)
		return exact && may_come_from(sender, box->peer_port, box->peer) ? 5 : 0;
	if (exact)
		return box->owner ? 4 : 1;
	if (!box->any || !box->owner || (is_four(talk->address) && box->six_only) ||
	    (!is_four(talk->address) && !box->six))
		return 0;
	return box->six ? 2 : 3;
}

struct pt_mailbox *pt_mailbox_find(const struct pt_talks *talks, const struct pt_talk_of *talk)
{
	struct pt_mailbox *box =
		pt_keymap_get(&talks->by_place, place_of(talk->network, talk->port, NULL, 0));
	struct pt_mailbox *best = NULL;
	int most = 0, i;

	for (i = 0; box && i < CHAIN_LIMIT; box = box->next, i++) {
		int now = box->name ? 0 : score(box, talk);

		if (now > most) {
			most = now;
			best = box;
		}
	}
	return best;
}

static struct pt_mailbox *find_name(const struct pt_talks *talks, uint32_t network,
				    const char *name, size_t length)
{
	struct pt_mailbox *box =
		pt_keymap_get(&talks->by_place, place_of(network, 0, name, length));
	int i = 0;

	while (box && i++ < CHAIN_LIMIT &&
	       (!box->name || box->name_len != length || memcmp(box->name, name, length)))
		box = box->next;
	return i <= CHAIN_LIMIT ? root_of(box) : NULL;
}

static bool is_relative(const char *name)
{
	return name[0] != '@' && name[0] != '/';
}

/* Of a name in a folder; 0 if the path leads further. */
static uint64_t hash_in_folder(uint64_t device, uint64_t folder, const char *name, size_t length)
{
	if (length > 2 && name[0] == '.' && name[1] == '/') {
		name += 2;
		length -= 2;
	}
	if (!folder || memchr(name, '/', length))
		return 0;
	return pt_hash_mix(pt_hash_mix(hash_of_name(0, name, length), device), folder);
}

static struct pt_mailbox *find_alias(const struct pt_talks *talks, uint64_t key)
{
	return key ? root_of(pt_keymap_get(&talks->by_file, key)) : NULL;
}

/* A relative path may be another one for whoever has bound it, and one may be bound to a path that is called otherwise. */
static int find_unix(struct pt_talks *talks, struct pt_talk_of *talk)
{
	struct pt_mailbox *named = find_name(talks, talk->network, talk->name, talk->name_len);
	bool relative = is_relative(talk->name);
	uint64_t file = talk->inode ? hash_of_file(talk->device, talk->inode) : 0;
	uint64_t place = relative ? hash_in_folder(talk->address[0], talk->address[1], talk->name,
						   talk->name_len)
				  : 0;
	struct pt_mailbox *box = find_alias(talks, place);

	if (!box && (relative || !named || !named->owner))
		box = find_alias(talks, file);
	talk->unsure = relative && !box && !place;
	/* The same name in another folder is another file. */
	if (!box && !place)
		box = named;
	if (!box)
		box = add_mailbox(talks, &(struct pt_mailbox){.network = talk->network,
							      .name = talk->name,
							      .name_len = talk->name_len});
	talk->mailbox = box;
	if (!box)
		return -ENOMEM;
	/* Somebody may be bound to that file by another path. */
	if (talk->name[0] == '/' && !box->owner && !file)
		talk->unsure = true;
	return place && !box->owner ? pt_keymap_put(&talks->by_file, place, box) : 0;
}

int pt_talks_mailbox(struct pt_channels *channels, struct pt_talk_of *talk, struct pt_mailbox **out)
{
	struct pt_talks *talks = &channels->talks;
	int ret = 0;

	if (talk->found_at == talks->changes + 1) {
		*out = talk->mailbox;
		return 0;
	}
	talk->mailbox = NULL;
	if (talk->name) {
		ret = find_unix(talks, talk);
	} else if (talk->port && pt_address_is_own(talks, talk->network, talk->address)) {
		talk->mailbox = pt_mailbox_find(talks, talk);
		if (!talk->mailbox)
			talk->mailbox = add_mailbox(
				talks, &(struct pt_mailbox){.network = talk->network,
							    .port = talk->port,
							    .six = !is_four(talk->address),
							    .address = {talk->address[0],
									talk->address[1]}});
		ret = talk->mailbox ? 0 : -ENOMEM;
	} else if (talk->port) {
		talk->unsure = !pt_keymap_get(&talks->networks, talk->network);
	}
	talk->found_at = talks->changes + 1;
	*out = talk->mailbox;
	return ret;
}

struct pt_queue *pt_mailbox_queue(struct pt_mailbox *mailbox, struct pt_channel **channel,
				  unsigned int *side)
{
	*channel = mailbox->owner;
	*side = mailbox->side;
	return mailbox->owner ? &mailbox->owner->side[mailbox->side].queue : &mailbox->queue;
}

/* Would what was sent to one mailbox have come to another, had that been known? */
static bool comes_there(const void *context, const struct pt_piece_of_queue *piece)
{
	const struct pt_talk_of *talk = piece->place;
	const struct pt_mailbox *box = context;

	return talk && (box->name || score(box, talk) > 0);
}

/* Does what is sent to an address come to a mailbox, if it is that of its peer where it has one? */
static bool covers(const struct pt_mailbox *box, const uint64_t *address)
{
	if (!box->any)
		return same_address(box->address, address);
	return is_four(address) ? !box->six_only : box->six;
}

/* What was sent to places that turn out to be this one moves there: what was sent before it was bound is lost. */
static int gather(struct pt_talks *talks, struct pt_mailbox *box, uint64_t bound)
{
	uint64_t place = place_of(box->network, box->port, box->name, box->name_len);
	struct pt_mailbox *from = pt_keymap_get(&talks->by_place, place);
	struct pt_queue *queue = &box->owner->side[box->side].queue;
	int ret = pt_queue_move(&box->queue, queue, bound, comes_there, box), i;

	for (i = 0; !ret && from && i < CHAIN_LIMIT; from = from->next, i++) {
		if (from->owner || from == box || from->lane.same || from->name || box->name ||
		    !covers(box, from->address))
			continue;
		ret = pt_queue_move(&from->queue, queue, bound, comes_there, box);
		from->lane.same = &box->lane;
	}
	return ret;
}

static bool same_place(const struct pt_mailbox *a, const struct pt_mailbox *b)
{
	if (a->name || b->name)
		return a->name && b->name && a->network == b->network &&
		       a->name_len == b->name_len && !memcmp(a->name, b->name, a->name_len);
	return a->network == b->network && a->port == b->port && a->peer_port == b->peer_port &&
	       a->any == b->any && (!a->any || a->six == b->six) &&
	       same_address(a->address, b->address) && same_address(a->peer, b->peer);
}

static struct pt_mailbox *mailbox_at(struct pt_talks *talks, const struct pt_mailbox *like)
{
	struct pt_mailbox *box = pt_keymap_get(
		&talks->by_place, place_of(like->network, like->port, like->name, like->name_len));

	int i = 0;

	while (box && i++ < CHAIN_LIMIT && (box->lane.same || !same_place(box, like)))
		box = box->next;
	return box && i <= CHAIN_LIMIT ? box : add_mailbox(talks, like);
}

static struct pt_mailbox place_of_endpoint(const struct pt_record *record)
{
	const struct pt_endpoint *row = record->row;
	struct pt_mailbox like = {.network = row->network};

	if (row->kind == PT_CHANNEL_UNIX) {
		if (!(row->flags & PT_ENDPOINT_NAMED))
			return like;
		/* The kernel counts the end of a path, which nobody else does. */
		like.name = (char *)record->text;
		like.name_len = record->text_len;
		if (record->text_len && record->text[0] != '@')
			like.name_len = strnlen(record->text, record->text_len);
		if (record->text_len && record->text[0] != '@')
			like.network = 0;
		return like;
	}
	like.port = row->local_port;
	like.peer_port = row->peer_port;
	like.six = row->family != FAMILY_INET;
	like.six_only = row->flags & PT_ENDPOINT_SIX_ONLY;
	like.address[0] = row->local_high;
	like.address[1] = row->local_low;
	like.peer[0] = row->peer_high;
	like.peer[1] = row->peer_low;
	like.any = is_any(like.address);
	return like;
}

/* Whose queue is that of the mailbox from now on? */
static int take_over(struct pt_talks *talks, struct pt_mailbox *box, struct pt_channel *channel,
		     unsigned int side, const struct pt_endpoint *row)
{
	struct pt_side *before = box->owner ? &box->owner->side[box->side] : NULL;
	struct pt_queue *own = &channel->side[side].queue;
	uint64_t bound = row->age && row->age < row->time ? row->time - row->age : 0;
	int ret = 0;

	if (before == &channel->side[side])
		return 0;
	if (before && row->flags & PT_ENDPOINT_SHARED) {
		box->sockets++;
		return 0;
	}
	box->owner = channel;
	box->side = (uint8_t)side;
	box->sockets = 1;
	talks->changes++;
	if (before) /* it is closed, or has another name by now */
		ret = pt_queue_move(&before->queue, own, bound, comes_there, box);
	return ret ? ret : gather(talks, box, bound);
}

/* With whom it talks if nothing else is said. */
static int bind_plain(struct pt_channels *channels, struct pt_channel *channel, unsigned int side,
		      const struct pt_endpoint *row)
{
	struct pt_talk_of *talk = pt_talks_plain(channels, channel, side);

	if (!talk)
		return -ENOMEM;
	talk->family = row->family;
	talk->network = row->network;
	talk->port = row->peer_port;
	talk->address[0] = row->peer_high;
	talk->address[1] = row->peer_low;
	talk->peer = row->peer;
	talk->found_at = 0;
	return 0;
}

int pt_address_note_own(struct pt_talks *talks, uint32_t network, const uint64_t *address)
{
	if (is_any(address) || pt_address_is_own(talks, network, address))
		return 0;
	talks->changes++;
	return pt_keymap_put(&talks->own, hash_of_address(network, address), talks);
}

/* Where a file was only sent to, by another name, it was to here. */
static int take_alias(struct pt_talks *talks, struct pt_mailbox *box, uint64_t key)
{
	struct pt_mailbox *known = find_alias(talks, key);

	if (known && known != box && !known->owner) {
		known->lane.same = &box->lane;
		if (pt_queue_move(&known->queue, &box->queue, 0, comes_there, box))
			return -ENOMEM;
	}
	return key ? pt_keymap_put(&talks->by_file, key, box) : 0;
}

static int take_file(struct pt_talks *talks, struct pt_mailbox *box, const struct pt_endpoint *row)
{
	const char *last = box->name;
	size_t i;
	int ret;

	if (!row->inode || !box->name)
		return 0;
	for (i = 0; i + 1 < box->name_len; i++) {
		if (box->name[i] == '/')
			last = box->name + i + 1;
	}
	ret = take_alias(talks, box, hash_of_file(row->device, row->inode));
	if (ret)
		return ret;
	return take_alias(talks, box,
			  hash_in_folder(row->device, row->folder, last,
					 box->name_len - (size_t)(last - box->name)));
}

int pt_talks_bind(struct pt_channels *channels, struct pt_channel *channel, unsigned int side,
		  const struct pt_record *record)
{
	const struct pt_endpoint *row = record->row;
	struct pt_talks *talks = &channels->talks;
	struct pt_mailbox like = place_of_endpoint(record), *box;
	struct pt_side *own = &channel->side[side];
	int ret = bind_plain(channels, channel, side, row);

	if (!ret && row->kind == PT_CHANNEL_UDP)
		ret = pt_address_note_own(talks, row->network, like.address);
	if (ret || (!like.port && !like.name_len))
		return ret;
	box = like.name && is_relative(like.name)
		      ? find_alias(talks, hash_of_file(row->device, row->inode))
		      : mailbox_at(talks, &like);
	if (!box || (like.name && !same_place(box, &like)))
		box = add_mailbox(talks, &like);
	if (!box)
		return -ENOMEM;
	if (take_file(talks, box, row))
		return -ENOMEM;
	if (own->mailbox && own->mailbox != box && own->mailbox->owner == channel &&
	    own->mailbox->side == side) {
		own->mailbox->lane.same = &box->lane;
		own->mailbox->owner = NULL;
	}
	own->mailbox = box;
	talks->changes++;
	return take_over(talks, box, channel, side, row);
}

static bool went_by(const void *talk, const struct pt_piece_of_queue *piece)
{
	return piece->place == talk;
}

int pt_talks_resolve(struct pt_channels *channels, const struct pt_resolved *row)
{
	struct pt_talks *talks = &channels->talks;
	struct pt_talk_of *talk = pt_talks_find(channels, row->end);
	struct pt_mailbox *before, *box;
	struct pt_queue *queue;
	struct pt_channel *owner;
	unsigned int side;
	int ret;

	if (!talk || !talk->name || !row->inode)
		return 0;
	ret = pt_talks_mailbox(channels, talk, &before);
	if (ret)
		return ret;
	talk->inode = row->inode;
	talk->device = row->device;
	talk->found_at = 0;
	ret = pt_talks_mailbox(channels, talk, &box);
	if (ret)
		return ret;
	/* Whoever is bound to that file may still have to be seen. */
	if (!box->owner && !pt_keymap_get(&talks->by_file, hash_of_file(row->device, row->inode)))
		return pt_keymap_put(&talks->by_file, hash_of_file(row->device, row->inode), box);
	queue = pt_mailbox_queue(box, &owner, &side);
	return box == before ? 0 : pt_queue_move(&before->queue, queue, 0, went_by, talk);
}
