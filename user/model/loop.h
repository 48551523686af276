/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops and their turns, as docs/loops.md defines them. Analyses and views read these; only the model writes them.
 */
#ifndef PT_MODEL_LOOP_H
#define PT_MODEL_LOOP_H

#include "model/tally.h"

/*
 * A turn that its task's exit ended is worth telling only from here on: programs take some tens of milliseconds to tear
 * themselves down, when nobody waits on their loop any more.
 */
#define PT_EXIT_TURN_NS 50000000

/* A task that waits again and again on one object. busy = end_ns - first_ns - idle_ns. */
struct pt_loop {
	const struct pt_model_task *task;
	uint32_t index;	   /* dense */
	int16_t syscall;   /* the wait call */
	uint64_t object;   /* PT_LOOP_OF_TASK: none of its own */
	uint64_t first_ns; /* when its first wait began, as far as is known */
	uint64_t end_ns;   /* up to here it is accounted for */
	uint64_t idle_ns;  /* in waits that could sleep */
	uint64_t waits;	   /* that returned */
	uint32_t uses;	   /* turns of another loop in which it ran */
	bool nested;	   /* it ran inside one turn of another loop, and only there */
	bool shared;	   /* several tasks wait on its object in turn */
	/* Waits on both follow each other again and again: its waits count there. NULL: none. */
	struct pt_loop *with;
	struct pt_loop *before; /* private to the model: whose place inside the others it took */
};

enum pt_turn_end {
	PT_TURN_WAITED,	 /* the loop waits again */
	PT_TURN_RUNNING, /* the recording ended before it did */
	PT_TURN_EXITED,	 /* the task did */
};

/* What is told of a turn that is over; valid during the call. */
struct pt_loop_turn {
	const struct pt_loop *loop;
	uint64_t from, to;
	uint64_t idle;	   /* the wait after it, if it could sleep */
	uint64_t returned; /* when that wait returned: the time of the records about the turn */
	enum pt_turn_end end;
	const struct pt_loop *inner; /* a loop that ran inside; NULL: none */
	uint64_t inner_ns;	     /* in waits of loops inside */
	uint64_t inner_idle;	     /* in those of them that could sleep */
	uint64_t poll_ns; /* of these: in poll and its like, which need no loop to be called */
	bool timed;	  /* its system calls were timed */
	uint64_t calls_ns, call_count; /* system calls but for waits; ns only if timed */
	struct pt_tally *tally;	       /* its parts sum to the turn */
};

#endif
