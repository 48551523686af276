/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/queue.h"

#include <errno.h>
#include <stdlib.h>

#define OVERTAKING 8 /* senders of datagrams that may do so at a time */

/* A call that sent a message has returned within this time after the message was read, unless its task lost its CPU. */
#define RETURNED_NS 50000

static struct pt_piece_of_queue *piece_at(const struct pt_pieces *pieces, size_t index)
{
	return &pieces->ring[(pieces->head + index) & (pieces->room - 1)];
}

static int grow(struct pt_pieces *pieces)
{
	size_t room = pieces->room ? pieces->room * 2 : 4, i;
	struct pt_piece_of_queue *ring = calloc(room, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (i = 0; i < pieces->count; i++)
		ring[i] = *piece_at(pieces, i);
	free(pieces->ring);
	*pieces = (struct pt_pieces){.ring = ring, .room = room, .count = pieces->count};
	return 0;
}

static void drop(struct pt_pieces *pieces, size_t index)
{
	for (; index; index--)
		*piece_at(pieces, index) = *piece_at(pieces, index - 1);
	pieces->head = (pieces->head + 1) & (pieces->room - 1);
	pieces->count--;
}

uint32_t pt_queue_limit_after(size_t queues)
{
	size_t limit = PT_QUEUE_ALL / (queues + 1);

	if (limit > PT_QUEUE_LIMIT)
		return PT_QUEUE_LIMIT;
	return limit > PT_QUEUE_MIN ? (uint32_t)limit : PT_QUEUE_MIN;
}

static size_t limit_of(const struct pt_queue *queue)
{
	return queue->limit ? queue->limit : PT_QUEUE_LIMIT;
}

/* Adds a piece behind the others. When there are too many it joins the last one, whosever that is: bytes stay right. */
static int push(const struct pt_queue *queue, struct pt_pieces *pieces,
		const struct pt_piece_of_queue *piece)
{
	struct pt_piece_of_queue *last;

	if (pieces->count >= limit_of(queue)) {
		last = piece_at(pieces, pieces->count - 1);
		last->units += piece->units;
		last->bytes += piece->bytes;
		last->messages += piece->messages;
		last->summed = true;
		return 0;
	}
	if (pieces->count == pieces->room && grow(pieces))
		return -ENOMEM;
	*piece_at(pieces, pieces->count++) = *piece;
	return 0;
}

/* In front of all others. */
static int push_first(struct pt_pieces *pieces, const struct pt_piece_of_queue *piece)
{
	if (pieces->count == pieces->room && grow(pieces))
		return -ENOMEM;
	pieces->head = (pieces->head - 1) & (pieces->room - 1);
	pieces->count++;
	*piece_at(pieces, 0) = *piece;
	return 0;
}

static uint64_t share_of(uint64_t bytes, uint64_t part, uint64_t whole)
{
	return part == whole ? bytes : (uint64_t)((unsigned __int128)bytes * part / whole);
}

/* Of messages that are told one by one the last byte counts; of a sum nobody knows which are whole. */
static uint32_t messages_in(const struct pt_piece_of_queue *from, uint64_t units)
{
	return units == from->units || from->summed
		       ? (uint32_t)share_of(from->messages, units, from->units)
		       : 0;
}

/* Tells of what `from` and `to` have in common, and takes it off both. */
static int settle(struct pt_piece_of_queue *from, struct pt_piece_of_queue *to, pt_deliver deliver,
		  void *context)
{
	uint64_t units = from->units < to->units ? from->units : to->units;
	struct pt_delivery delivery = {
		.from = from->task,
		.to = to->task,
		.bytes = share_of(from->bytes, units, from->units),
		.messages = messages_in(from, units),
		.latency = to->time > from->begun ? to->time - from->begun : 0,
		.from_place = from->place,
		.to_place = to->place,
	};

	delivery.odd = from->place && !from->summed && !to->summed && to->bytes > from->bytes;
	delivery.timed =
		delivery.messages && from->task && to->task && !from->summed && !to->summed;
	to->bytes -= share_of(to->bytes, units, to->units);
	to->units -= units;
	from->bytes -= delivery.bytes;
	from->units -= units;
	from->messages -= delivery.messages;
	return deliver(context, &delivery);
}

static bool is_slow(const struct pt_queue *queue, uint64_t time)
{
	return queue->written.count && time >= pt_queue_oldest(queue) + PT_QUEUE_SLOW_NS;
}

/* After a piece was written or read, of which the queue knows already; `slow` before. */
static int measure(struct pt_queue *queue, const struct pt_piece_of_queue *piece, bool written,
		   bool slow)
{
	struct pt_gauge_move move = {
		.time = piece->time,
		.bytes = piece->bytes,
		.left = queue->bytes,
		.level = piece->level,
		.unsent = piece->unsent,
		.levelled = piece->levelled,
		.summed = piece->summed,
		.ahead = queue->owed.count > 0,
		.slow = slow,
	};

	return written ? pt_gauge_written(&queue->gauge, &move)
		       : pt_gauge_read(&queue->gauge, &move);
}

/* A sum never passes what its parts are, however a crafted file adds them up. */
static uint64_t add_up(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static void put_on(struct pt_queue *queue, const struct pt_piece_of_queue *piece)
{
	queue->units = add_up(queue->units, piece->units);
	queue->bytes = add_up(queue->bytes, piece->bytes);
}

static int enqueue(struct pt_queue *queue, const struct pt_piece_of_queue *piece)
{
	put_on(queue, piece);
	return push(queue, &queue->written, piece);
}

/* A socket that is connected anew and anew makes a long way of it: who goes it makes it shorter. */
struct pt_lane *pt_lane_root(struct pt_lane *lane)
{
	while (lane && lane->same) {
		if (lane->same->same)
			lane->same = lane->same->same;
		lane = lane->same;
	}
	return lane;
}

/* Is what was written in one lane for a reader who asked for another? */
static bool fits(struct pt_lane *read, struct pt_lane *written)
{
	return !read || (written && pt_lane_root(read) == pt_lane_root(written));
}

/*
 * Of several senders one may return from its call before another whose message came first. So a message is looked for among
 * the next ones, if the first is of another size.
 */
static size_t find_by_size(const struct pt_queue *queue, uint64_t bytes)
{
	size_t i;

	for (i = 0; i < queue->written.count && i < OVERTAKING; i++) {
		const struct pt_piece_of_queue *piece = piece_at(&queue->written, i);

		if (!piece->summed && piece->bytes == bytes)
			return i;
	}
	return 0;
}

/* The first that was written for that reader; as many as there are: none. */
static size_t find_written(const struct pt_queue *queue, const struct pt_piece_of_queue *read)
{
	size_t i = 0;

	if (!read->lane)
		return read->place && !read->summed ? find_by_size(queue, read->bytes) : 0;
	while (i < queue->written.count && !fits(read->lane, piece_at(&queue->written, i)->lane))
		i++;
	return i;
}

/* Likewise of what was read before the record of its write came. */
static size_t find_debt(const struct pt_queue *queue, const struct pt_piece_of_queue *written)
{
	size_t first = queue->owed.count, i;

	for (i = 0; i < queue->owed.count; i++) {
		const struct pt_piece_of_queue *debt = piece_at(&queue->owed, i);

		if (!fits(debt->lane, written->lane))
			continue;
		if (first == queue->owed.count)
			first = i;
		if (!written->place || debt->summed || debt->bytes == written->bytes)
			return written->place && !debt->summed ? i : first;
		if (i >= first + OVERTAKING)
			break;
	}
	return first;
}

static void take_off(struct pt_queue *queue, uint64_t units, uint64_t bytes)
{
	queue->units -= units < queue->units ? units : queue->units;
	queue->bytes -= bytes < queue->bytes ? bytes : queue->bytes;
}

int pt_queue_preload(struct pt_queue *queue, uint64_t units, uint64_t bytes)
{
	struct pt_piece_of_queue piece = {.units = units, .bytes = bytes};
	int ret = units ? enqueue(queue, &piece) : 0;

	queue->before = (int64_t)bytes;
	queue->begun = true;
	pt_gauge_correct(&queue->gauge, queue->bytes);
	return ret;
}

/* What was read, and nobody has told to have written. */
static int tell_unwritten(struct pt_queue *queue, const struct pt_piece_of_queue *piece,
			  pt_deliver deliver, void *context)
{
	struct pt_delivery delivery = {.to = piece->task,
				       .bytes = piece->bytes,
				       .messages = piece->messages,
				       .to_place = piece->place};

	if (queue->numbered && queue->writer) {
		queue->unfinished += piece->bytes;
		delivery.from = queue->writer;
		delivery.messages = 0;
	}
	return piece->task ? deliver(context, &delivery) : 0;
}

/*
 * Somebody who asked for the sender has read what is owed, and that was among what lay there before the recording: it would
 * have been paid by now.
 */
static bool lay_there_before(const struct pt_queue *queue, const struct pt_piece_of_queue *debt,
			     uint64_t age)
{
	const struct pt_piece_of_queue *first;

	if (!debt->lane || debt->summed || age <= RETURNED_NS || !queue->written.count)
		return false;
	first = piece_at(&queue->written, 0);
	return !first->task && !first->lane;
}

/* Such a debt is settled with what lay there. */
static int write_off(struct pt_queue *queue, size_t at, pt_deliver deliver, void *context)
{
	struct pt_piece_of_queue *first = piece_at(&queue->written, 0),
				 *debt = piece_at(&queue->owed, at);
	struct pt_piece_of_queue lost = *debt;

	lost.units = first->units < debt->units ? first->units : debt->units;
	first->units -= lost.units;
	debt->units -= lost.units;
	take_off(queue, lost.units, 0);
	if (!first->units)
		drop(&queue->written, 0);
	if (!debt->units)
		drop(&queue->owed, at);
	return tell_unwritten(queue, &lost, deliver, context);
}

/* What is written, and has been read already, as far as that goes. */
static int pay_debts(struct pt_queue *queue, struct pt_piece_of_queue *piece, pt_deliver deliver,
		     void *context)
{
	size_t at;
	int ret = 0;

	while (!ret && piece->units && (at = find_debt(queue, piece)) < queue->owed.count) {
		struct pt_piece_of_queue *debt = piece_at(&queue->owed, at);
		uint64_t age = piece->time > debt->time ? piece->time - debt->time : 0;

		if (!piece->summed && lay_there_before(queue, debt, age)) {
			ret = write_off(queue, at, deliver, context);
			continue;
		}
		/* A sum is told late. */
		if (!piece->summed && age > queue->longest_debt)
			queue->longest_debt = age;
		ret = settle(piece, debt, deliver, context);
		if (!debt->units)
			drop(&queue->owed, at);
	}
	return ret;
}

/* What was written goes to a reader, as far as that takes it. */
static int take_written(struct pt_queue *queue, struct pt_piece_of_queue *reader,
			pt_deliver deliver, void *context)
{
	size_t at;
	int ret = 0;

	while (!ret && reader->units && (at = find_written(queue, reader)) < queue->written.count) {
		struct pt_piece_of_queue *first = piece_at(&queue->written, at);
		uint64_t units = first->units, bytes = first->bytes;

		ret = settle(first, reader, deliver, context);
		take_off(queue, units - first->units, bytes - first->bytes);
		if (!first->units)
			drop(&queue->written, at);
	}
	return ret;
}

/* What nobody on record wrote goes before all that was, and so does what nobody on record read. */
static int put_before(struct pt_queue *queue, struct pt_piece_of_queue *piece, bool written,
		      pt_deliver deliver, void *context)
{
	int ret = written ? pay_debts(queue, piece, deliver, context)
			  : take_written(queue, piece, deliver, context);

	if (ret || !piece->units)
		return ret;
	if (!written)
		return push_first(&queue->owed, piece);
	put_on(queue, piece);
	return push_first(&queue->written, piece);
}

int pt_queue_begin(struct pt_queue *queue, int64_t before, pt_deliver deliver, void *context)
{
	uint64_t bytes = before < 0 ? -(uint64_t)before : (uint64_t)before;
	struct pt_piece_of_queue piece = {.units = bytes, .bytes = bytes};
	int ret = bytes ? put_before(queue, &piece, before > 0, deliver, context) : 0;

	queue->before = before;
	queue->begun = queue->numbered = true;
	if (!queue->gauge.estimated)
		pt_gauge_correct(&queue->gauge, queue->bytes);
	return ret;
}

static int tell_unread(const struct pt_piece_of_queue *piece, pt_deliver deliver, void *context)
{
	struct pt_delivery delivery = {.from = piece->task,
				       .bytes = piece->bytes,
				       .messages = piece->messages,
				       .from_place = piece->place};

	return piece->task ? deliver(context, &delivery) : 0;
}

/* Whether a drop was that of what was written: it comes while the message is being sent. */
static bool was_dropped(const struct pt_piece_of_queue *drop, const struct pt_piece_of_queue *piece)
{
	if (piece->time < drop->time)
		return false;
	return drop->lane ? fits(drop->lane, piece->lane) : drop->task == piece->task;
}

/* Takes one message off a piece. */
static int lose_one(struct pt_queue *queue, struct pt_piece_of_queue *piece)
{
	struct pt_piece_of_queue lost = *piece, *last;
	uint64_t bytes = share_of(piece->bytes, 1, piece->units);

	piece->units--;
	piece->bytes -= bytes;
	piece->messages -= piece->messages > 0;
	queue->lost_units++;
	queue->lost_bytes += bytes;
	last = queue->lost.count ? piece_at(&queue->lost, queue->lost.count - 1) : NULL;
	if (last && last->task == piece->task && last->place == piece->place) {
		last->messages++;
		last->bytes += bytes;
		return 0;
	}
	lost.units = lost.messages = 1;
	lost.bytes = bytes;
	return push(queue, &queue->lost, &lost);
}

static int lose_dropped(struct pt_queue *queue, struct pt_piece_of_queue *piece)
{
	size_t i = 0;
	int ret = 0;

	while (!ret && piece->units && i < queue->drops.count) {
		struct pt_piece_of_queue *dropped = piece_at(&queue->drops, i);

		if (!was_dropped(dropped, piece)) {
			i++;
			continue;
		}
		ret = lose_one(queue, piece);
		if (!--dropped->units)
			drop(&queue->drops, i);
	}
	return ret;
}

/* Of too many the latest of one sender are one: how many of his messages are lost stays right. */
static int keep_drop(struct pt_queue *queue, const struct pt_piece_of_queue *dropped)
{
	size_t i = queue->drops.count;

	while (queue->drops.count >= limit_of(queue) && i-- > 0) {
		struct pt_piece_of_queue *known = piece_at(&queue->drops, i);

		if (known->task != dropped->task || known->lane != dropped->lane)
			continue;
		known->units++;
		return 0;
	}
	return push(queue, &queue->drops, dropped);
}

int pt_queue_drop(struct pt_queue *queue, const struct pt_piece_of_queue *dropped)
{
	size_t i = 0;
	struct pt_piece_of_queue *piece;
	uint64_t bytes;
	int ret;

	while (i < queue->written.count && !was_dropped(dropped, piece_at(&queue->written, i)))
		i++;
	if (i == queue->written.count)
		return keep_drop(queue, dropped);
	piece = piece_at(&queue->written, i);
	bytes = piece->bytes;
	ret = lose_one(queue, piece);
	take_off(queue, 1, bytes - piece->bytes);
	pt_gauge_correct(&queue->gauge, queue->bytes);
	if (!piece->units)
		drop(&queue->written, i);
	return ret;
}

static int keep_written(struct pt_queue *queue, const struct pt_piece_of_queue *piece,
			pt_deliver deliver, void *context)
{
	struct pt_piece_of_queue *first;
	int ret = 0;

	if (piece->place && queue->written.count >= limit_of(queue)) {
		first = piece_at(&queue->written, 0);
		take_off(queue, first->units, first->bytes);
		ret = tell_unread(first, deliver, context);
		drop(&queue->written, 0);
	}
	return ret ? ret : enqueue(queue, piece);
}

static int keep_debt(struct pt_queue *queue, const struct pt_piece_of_queue *piece,
		     pt_deliver deliver, void *context)
{
	int ret = 0;

	if (piece->place && queue->owed.count >= limit_of(queue)) {
		ret = tell_unwritten(queue, piece_at(&queue->owed, 0), deliver, context);
		drop(&queue->owed, 0);
	}
	return ret ? ret : push(queue, &queue->owed, piece);
}

int pt_queue_write(struct pt_queue *queue, const struct pt_piece_of_queue *piece,
		   pt_deliver deliver, void *context)
{
	struct pt_piece_of_queue left = *piece, written;
	bool slow = is_slow(queue, piece->time);
	int ret = queue->drops.count ? lose_dropped(queue, &left) : 0;

	written = left;
	if (!ret)
		ret = pay_debts(queue, &left, deliver, context);
	queue->writer = piece->task;
	if (!ret && left.units)
		ret = keep_written(queue, &left, deliver, context);
	return ret ? ret : measure(queue, &written, true, slow);
}

int pt_queue_read(struct pt_queue *queue, const struct pt_piece_of_queue *piece, pt_deliver deliver,
		  void *context)
{
	struct pt_piece_of_queue left = *piece;
	bool slow = is_slow(queue, piece->time);
	int ret = take_written(queue, &left, deliver, context);

	if (!ret && left.units)
		ret = keep_debt(queue, &left, deliver, context);
	return ret ? ret : measure(queue, piece, false, slow);
}

int pt_queue_finish(struct pt_queue *queue, uint64_t end, pt_deliver deliver, void *context)
{
	struct pt_gauge_move move = {
		.time = end, .left = queue->bytes, .slow = is_slow(queue, end)};
	size_t i;
	int ret = pt_gauge_finish(&queue->gauge, &move);

	for (i = 0; !ret && i < queue->written.count; i++)
		ret = tell_unread(piece_at(&queue->written, i), deliver, context);
	for (i = 0; !ret && i < queue->lost.count; i++)
		ret = tell_unread(piece_at(&queue->lost, i), deliver, context);
	for (i = 0; !ret && i < queue->owed.count; i++)
		ret = tell_unwritten(queue, piece_at(&queue->owed, i), deliver, context);
	return ret;
}

/* Puts a piece before those that were written later. */
static int insert(struct pt_queue *queue, const struct pt_piece_of_queue *piece)
{
	struct pt_pieces *written = &queue->written;
	size_t i;
	int ret = enqueue(queue, piece);

	for (i = written->count - 1; !ret && i && piece_at(written, i - 1)->time > piece->time; i--)
		*piece_at(written, i) = *piece_at(written, i - 1);
	if (!ret && written->count <= limit_of(queue))
		*piece_at(written, i) = *piece;
	return ret;
}

int pt_queue_move(struct pt_queue *from, struct pt_queue *to, uint64_t since,
		  bool (*fits_there)(const void *context, const struct pt_piece_of_queue *piece),
		  const void *context)
{
	size_t i = 0;
	int ret = 0;

	while (!ret && i < from->written.count) {
		struct pt_piece_of_queue piece = *piece_at(&from->written, i);

		if (piece.time < since || !fits_there(context, &piece) ||
		    to->written.count >= limit_of(to)) {
			i++;
			continue;
		}
		take_off(from, piece.units, piece.bytes);
		drop(&from->written, i);
		if (to->drops.count)
			ret = lose_dropped(to, &piece);
		if (!ret && piece.units)
			ret = insert(to, &piece);
	}
	pt_gauge_correct(&from->gauge, from->bytes);
	pt_gauge_correct(&to->gauge, to->bytes);
	return ret;
}

uint64_t pt_queue_oldest(const struct pt_queue *queue)
{
	return queue->written.count ? piece_at(&queue->written, 0)->begun : 0;
}

void pt_queue_clear(struct pt_queue *queue)
{
	pt_gauge_clear(&queue->gauge);
	free(queue->written.ring);
	free(queue->owed.ring);
	free(queue->drops.ring);
	free(queue->lost.ring);
	*queue = (struct pt_queue){0};
}
