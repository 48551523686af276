/* SPDX-License-Identifier: BSD-2-Clause */
/* What the model keeps of a task that waits in calls made for it: looper.c takes records in, turns.c makes turns. */
#ifndef PT_MODEL_LOOPER_H
#define PT_MODEL_LOOPER_H

#include "model/internal.h"

/* Loops inside loops. */
#define PT_LOOP_DEPTH  4
#define PT_SYSCALL_ANY (-2)
/* A poll that found nothing and the wait behind it: what lies between them is no turn. No wait takes as long to begin. */
#define PT_TRIFLE_NS 100000

/* A loop whose turn is under way; those above the first run inside it. */
struct pt_frame {
	struct pt_loop *loop;
	uint64_t from; /* when the turn began */
	struct pt_tally tally;
	const struct pt_loop *inner;
	uint64_t inner_ns, poll_ns;
	uint64_t idle_inside; /* in waits of loops inside that could sleep */
	bool filled;	      /* the wait before it returned as many events as it could */
	bool empty;	      /* that wait returned none and slept for none */
};

struct pt_looper {
	struct pt_model_task *task;
	struct pt_frame frames[PT_LOOP_DEPTH];
	unsigned int depth;
	struct pt_tally busy, waiting; /* since the last return: until the wait began, and then */
	uint64_t busy_from;	       /* the last return */
	uint64_t wait_from;
	uint64_t wait_until; /* of a sleep of which is not known when it ended; else 0 */
	int wait_syscall;    /* PT_SYSCALL_ANY: what it did then is not known */
	bool waits;	     /* wait_from is valid */
	bool over;
	/* Clocks of switches and of other records differ by microseconds: a return may be told before its task comes to
	 * its CPU. */
	bool is_early;
	struct pt_turn early;
	struct pt_loop **loops; /* all that the task ever waited on */
	size_t loop_count, loop_room;
};

/* The return that is being looked at, and the wait before it. */
struct pt_return {
	const struct pt_turn *row;
	uint64_t from, to; /* of the wait */
	bool idle;	   /* it could sleep */
};

/* What looked like the beginning of a wait was none. 0 or -ENOMEM, as all of these or an observer's error. */
int pt_looper_no_wait(struct pt_looper *looper);

/* turns.c: the loop of a wait call; NULL without memory. */
struct pt_loop *pt_loop_find(struct pt_model *model, struct pt_looper *looper,
			     const struct pt_turn *row);
/* A wait on the loop has returned: takes the tallies over, which are to be emptied then. */
int pt_loop_returned(struct pt_model *model, struct pt_looper *looper, struct pt_loop *loop,
		     const struct pt_return *r);

#endif
