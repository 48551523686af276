/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/queue.h"

#include <errno.h>
#include <stdlib.h>

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

static void drop_first(struct pt_pieces *pieces)
{
	pieces->head = (pieces->head + 1) & (pieces->room - 1);
	pieces->count--;
}

/* Adds a piece behind the others. When there are too many it joins the last one, whosever that is: bytes stay right. */
static int push(struct pt_pieces *pieces, const struct pt_piece_of_queue *piece)
{
	struct pt_piece_of_queue *last;

	if (pieces->count >= PT_QUEUE_LIMIT) {
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

/* Tells of what `from` and `to` have in common, and takes it off both. */
static int settle(struct pt_piece_of_queue *from, struct pt_piece_of_queue *to, pt_deliver deliver,
		  void *context)
{
	uint64_t units = from->units < to->units ? from->units : to->units;
	struct pt_delivery delivery = {
		.from = from->task,
		.to = to->task,
		.bytes = share_of(from->bytes, units, from->units),
		.messages = units == from->units ? from->messages : 0,
		.latency = to->time > from->begun ? to->time - from->begun : 0,
	};

	delivery.timed =
		delivery.messages && from->task && to->task && !from->summed && !to->summed;
	to->bytes -= share_of(to->bytes, units, to->units);
	to->units -= units;
	from->bytes -= delivery.bytes;
	from->units -= units;
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

static int enqueue(struct pt_queue *queue, const struct pt_piece_of_queue *piece)
{
	queue->units = add_up(queue->units, piece->units);
	queue->bytes = add_up(queue->bytes, piece->bytes);
	return push(&queue->written, piece);
}

/* What stands first in the queue goes to a reader, as far as that takes it. */
static int take_first(struct pt_queue *queue, struct pt_piece_of_queue *reader, pt_deliver deliver,
		      void *context)
{
	struct pt_piece_of_queue *first = piece_at(&queue->written, 0);
	uint64_t units = first->units, bytes = first->bytes;
	int ret = settle(first, reader, deliver, context);

	queue->units -= units - first->units < queue->units ? units - first->units : queue->units;
	queue->bytes -= bytes - first->bytes < queue->bytes ? bytes - first->bytes : queue->bytes;
	if (!first->units)
		drop_first(&queue->written);
	return ret;
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

/* What is written, and has been read already, as far as that goes. */
static int pay_debts(struct pt_queue *queue, struct pt_piece_of_queue *piece, pt_deliver deliver,
		     void *context)
{
	int ret = 0;

	while (!ret && piece->units && queue->owed.count) {
		struct pt_piece_of_queue *debt = piece_at(&queue->owed, 0);
		uint64_t age = piece->time > debt->time ? piece->time - debt->time : 0;

		/* A sum is told late. */
		if (!piece->summed && age > queue->longest_debt)
			queue->longest_debt = age;
		ret = settle(piece, debt, deliver, context);
		if (!debt->units)
			drop_first(&queue->owed);
	}
	return ret;
}

static int take_written(struct pt_queue *queue, struct pt_piece_of_queue *piece, pt_deliver deliver,
			void *context)
{
	int ret = 0;

	while (!ret && piece->units && queue->written.count)
		ret = take_first(queue, piece, deliver, context);
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
	queue->units = add_up(queue->units, piece->units);
	queue->bytes = add_up(queue->bytes, piece->bytes);
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

int pt_queue_write(struct pt_queue *queue, const struct pt_piece_of_queue *piece,
		   pt_deliver deliver, void *context)
{
	struct pt_piece_of_queue left = *piece;
	bool slow = is_slow(queue, piece->time);
	int ret = pay_debts(queue, &left, deliver, context);

	queue->writer = piece->task;
	if (!ret && left.units)
		ret = enqueue(queue, &left);
	return ret ? ret : measure(queue, piece, true, slow);
}

int pt_queue_read(struct pt_queue *queue, const struct pt_piece_of_queue *piece, pt_deliver deliver,
		  void *context)
{
	struct pt_piece_of_queue left = *piece;
	bool slow = is_slow(queue, piece->time);
	int ret = take_written(queue, &left, deliver, context);

	if (!ret && left.units)
		ret = push(&queue->owed, &left);
	return ret ? ret : measure(queue, piece, false, slow);
}

/* What was read, and nobody has told to have written. */
static int finish_debt(struct pt_queue *queue, const struct pt_piece_of_queue *piece,
		       pt_deliver deliver, void *context)
{
	struct pt_delivery delivery = {
		.to = piece->task, .bytes = piece->bytes, .messages = piece->messages};

	if (queue->numbered && queue->writer) {
		queue->unfinished += piece->bytes;
		delivery.from = queue->writer;
		delivery.messages = 0;
	}
	return piece->task ? deliver(context, &delivery) : 0;
}

int pt_queue_finish(struct pt_queue *queue, uint64_t end, pt_deliver deliver, void *context)
{
	struct pt_gauge_move move = {
		.time = end, .left = queue->bytes, .slow = is_slow(queue, end)};
	struct pt_delivery delivery;
	size_t i;
	int ret = pt_gauge_finish(&queue->gauge, &move);

	for (i = 0; !ret && i < queue->written.count; i++) {
		const struct pt_piece_of_queue *piece = piece_at(&queue->written, i);

		delivery = (struct pt_delivery){
			.from = piece->task, .bytes = piece->bytes, .messages = piece->messages};
		ret = piece->task ? deliver(context, &delivery) : 0;
	}
	for (i = 0; !ret && i < queue->owed.count; i++)
		ret = finish_debt(queue, piece_at(&queue->owed, i), deliver, context);
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
	*queue = (struct pt_queue){0};
}
