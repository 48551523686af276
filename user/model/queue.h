/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One direction of a channel: what was written into it and not yet read, first in, first out. Offsets are counted in the
 * channel's unit: bytes of a stream, messages where these are kept apart, what is added to an eventfd.
 *
 * A reader's record may come before its writer's, by as long as the writer's call took: what is read and was not yet
 * written is owed, and settled by the next that is written.
 */
#ifndef PT_MODEL_QUEUE_H
#define PT_MODEL_QUEUE_H

#include "model/gauge.h"
#include "model/task.h"

/* So many messages, or debts, are kept apart; then those of one task are summed up. */
#define PT_QUEUE_LIMIT 4096

/* How deep a queue was over time is kept from when something has lain there for so long. */
#define PT_QUEUE_SLOW_NS 10000000

/*
 * Whose messages those are that lie in the queue of a socket to which several send. Two that were thought to be different
 * may turn out to be the same.
 */
struct pt_lane {
	struct pt_lane *same; /* NULL: none */
};

/* That which stands for all that are the same. NULL is accepted. */
struct pt_lane *pt_lane_root(struct pt_lane *lane);

/* A part of the queue that one record wrote, or of a debt that one record read. */
struct pt_piece_of_queue {
	const struct pt_model_task *task; /* NULL: it lay there before the recording */
	uint64_t time;			  /* when the call returned */
	uint64_t
		begun; /* when it began, as far as is known: it may have slept until there was room */
	uint64_t units;	   /* what is left of it */
	uint64_t bytes;	   /* likewise; equal to units in a stream */
	uint32_t messages; /* told when the last of it goes */
	bool summed;	   /* of several calls: its time says little */
	bool levelled;	   /* and these two are known */
	uint64_t level;	   /* what the kernel said was left in the socket */
	uint64_t unsent;
	struct pt_lane *
		lane; /* written: the sender's, NULL: it has none; read: from whom, NULL: whoever was first */
	const void *
		place; /* where it was sent or received, to whoever delivers; NULL: as for all of this queue */
};

struct pt_pieces {
	struct pt_piece_of_queue *ring;
	size_t room; /* a power of two */
	size_t head, count;
};

struct pt_queue {
	struct pt_pieces written; /* and not yet read */
	struct pt_pieces owed;	  /* read, but not yet written */
	struct pt_pieces drops;	  /* found no room, and not yet written: by lane, else by task */
	struct pt_pieces lost;	  /* written, but found no room: as if never read */
	uint64_t lost_units, lost_bytes;
	uint64_t units, bytes; /* in `written` */
	uint64_t longest_debt; /* ns that a debt was open at most */
	struct pt_gauge gauge; /* of bytes, over time */
	int64_t before; /* bytes that were there before the first that is on record, see pt_queue_begin() */
	bool begun;    /* `before` is known */
	bool numbered; /* by the numbers of the bytes: nobody can have written between */
	const struct pt_model_task *writer; /* the last, NULL: none on record */
	uint64_t
		unfinished; /* at the end: bytes that were read before the call that wrote them had returned */
};

/* What went from one task to another at once. */
struct pt_delivery {
	const struct pt_model_task *from,
		*to; /* from NULL: not a target, or before the recording */
	uint64_t bytes;
	uint32_t messages; /* whose last byte this is */
	bool timed;	   /* latency is valid: the message is whole and neither side a sum */
	bool odd;	   /* more was read of a message than was written: it was another one */
	uint64_t latency;  /* ns, of these messages */
	const void *from_place, *to_place; /* of the pieces */
};

/* Called for each delivery. 0 or a negative errno, which is passed on. */
typedef int (*pt_deliver)(void *context, const struct pt_delivery *delivery);

/* What lay there before anything was recorded. 0 or -ENOMEM. */
int pt_queue_preload(struct pt_queue *queue, uint64_t units, uint64_t bytes);

/*
 * So many bytes more had been written before the first piece that is on record than had been read before the first that was;
 * negative: the reader had already a part of what the first piece wrote. May be told when pieces have been told already.
 */
int pt_queue_begin(struct pt_queue *queue, int64_t before, pt_deliver deliver, void *context);

/* Both take all of `piece`. Of too many that have a place the oldest are told as at the end. */
int pt_queue_write(struct pt_queue *queue, const struct pt_piece_of_queue *piece,
		   pt_deliver deliver, void *context);
int pt_queue_read(struct pt_queue *queue, const struct pt_piece_of_queue *piece, pt_deliver deliver,
		  void *context);

/* A message found no room: that which is written next in this lane, or by this task. 0 or -ENOMEM. */
int pt_queue_drop(struct pt_queue *queue, const struct pt_piece_of_queue *drop);

/* At the end of the recording: tells what was written and never read (to NULL), and read but never written (from NULL). */
int pt_queue_finish(struct pt_queue *queue, uint64_t end, pt_deliver deliver, void *context);

/*
 * Moves what was written into one queue since a time, and what of it `fits`, to another, where it is put in order. 0 or
 * -ENOMEM.
 */
int pt_queue_move(struct pt_queue *from, struct pt_queue *to, uint64_t since,
		  bool (*fits)(const void *context, const struct pt_piece_of_queue *piece),
		  const void *context);

/* When the oldest message that is still unread was written, 0: before the recording, or there is none. */
uint64_t pt_queue_oldest(const struct pt_queue *queue);

void pt_queue_clear(struct pt_queue *queue);

#endif
