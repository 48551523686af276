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
	uint64_t
		since; /* when the loop, or the first of those whose place it took, came into the one around it */
	struct pt_tally tally;
	const struct pt_loop *inner;
	uint64_t inner_ns, poll_ns;
	uint64_t idle_inside; /* in waits of loops inside that could sleep */
	bool filled;	      /* the wait before it returned as many events as it could */
	bool empty;	      /* that wait returned none and slept for none */
};

/* summed.c: what a task did since it last fell asleep in a wait call, and between that and the time before. */
struct pt_latest {
	struct pt_tally *busy;	  /* until it fell asleep */
	struct pt_tally waiting;  /* from there until it ran */
	struct pt_tally *ran;	  /* since then */
	struct pt_tally turns[2]; /* `busy` and `ran`, which take turns */
	uint64_t busy_from, wait_from, ran_from;
	uint64_t
		sleeps; /* in wait calls since its last return that is known; 0: only `ran` is valid */
	int syscall;	/* of the sleep */
	bool runs;	/* it has run since */
};

/* A turn that is known to have begun, at a moment when the task is not yet known to have been on its CPU. */
struct pt_began {
	const struct pt_loop *loop; /* NULL: there is none */
	uint64_t time;
	bool empty;
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
	bool summed;	   /* not all its turns are told */
	uint64_t returned; /* the last return that is known */
	struct pt_latest latest;
	struct pt_began began;
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

/* looper.c: of the task of which a record tells a wait; NULL if that cannot be true. 0 or -ENOMEM. */
int pt_looper_of(struct pt_model *model, uint32_t tid, struct pt_looper **out);

/* summed.c, each 0 or -ENOMEM where it returns something. The first of a new looper, which stays where it is. */
void pt_latest_start(struct pt_looper *looper);
int pt_latest_span(struct pt_looper *looper, const struct pt_span *span, bool polls);
/* Where belongs what is told of the present, and of what ended at `time`. */
struct pt_tally *pt_latest_present(struct pt_looper *looper);
struct pt_tally *pt_latest_at(struct pt_looper *looper, uint64_t time);
/* The task returned from a wait at `time`, as a record says. */
void pt_latest_reset(struct pt_looper *looper, uint64_t time);
void pt_latest_free(struct pt_looper *looper);
/* Before a return is looked at: begins the turn behind turns that were added up. */
int pt_looper_catch_up(struct pt_looper *looper, const struct pt_turn *row);
/* Nothing more will be told: what began last, as far as that can be seen. */
int pt_looper_settle(struct pt_looper *looper, uint64_t time);
/* The task is on its CPU since then. */
void pt_looper_began_runs(struct pt_looper *looper, uint64_t since);

/* turns.c: the loop of a wait call; NULL without memory. */
struct pt_loop *pt_loop_find(struct pt_model *model, struct pt_looper *looper,
			     const struct pt_turn *row);
/* A wait on the loop has returned: takes the tallies over, which are to be emptied then. */
int pt_loop_returned(struct pt_model *model, struct pt_looper *looper, struct pt_loop *loop,
		     const struct pt_return *r);

#endif
