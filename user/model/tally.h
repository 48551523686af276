/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stretch of a task's life consisted of: parts that sum to its length, on what it slept, and who had the CPU. */
#ifndef PT_MODEL_TALLY_H
#define PT_MODEL_TALLY_H

#include "model/model.h"

/* From here on a sleep is told with its object and who ended it. */
#define PT_SLEEP_LONG_NS 1000000
/* Different sleeps, and different tasks on the CPU, that are told apart. */
#define PT_TALLY_SLEEPS	  64
#define PT_TALLY_TAKERS	  32
#define PT_TALLY_SAMPLES  8
#define PT_TALLY_CHILDREN 4
#define PT_PATH_TAIL	  96

/* On what a task slept, as a `sleep` record tells it; all zero: not known. */
struct pt_slept_on {
	uint64_t object; /* inode, or address of a futex */
	uint32_t device, peer, address;
	int32_t fd; /* valid if known */
	uint16_t local_port, peer_port;
	bool known;
	char path[PT_PATH_TAIL]; /* its end, if it is long */
};

/* Sleeps that are alike. */
struct pt_slept {
	uint8_t reason; /* enum pt_reason */
	int16_t syscall;
	uint64_t ns, longest;
	uint64_t count;
	bool by_interrupt; /* an interrupt ended it: of a timer, or of a device */
	const struct pt_model_task
		*waker; /* NULL: not known, an interrupt, or sleeps too short to tell */
	struct pt_slept_on on;
};

struct pt_taker {
	const struct pt_model_task *task; /* may be pt_model_idle() or pt_model_nobody() */
	uint64_t ns;
};

/* Where samples found a task on its CPU. */
struct pt_sampled {
	int16_t syscall; /* -1: in none */
	bool user;
	uint64_t ns;
};

/* All zero is empty. Sleeps sum to the blocked part, takers to the runnable one unless records were lost. */
struct pt_tally {
	uint64_t part[PT_PART_COUNT];
	uint64_t
		off_asleep; /* of the runnable and the blocked part: sleeps in system calls, until it ran again */
	uint64_t
		off_preempted; /* of the runnable part: taken from its CPU in a system call, or at the end of one */
	struct pt_slept *sleeps;
	struct pt_taker *takers;
	uint32_t sleep_count, taker_count;
	size_t sleep_room, taker_room;
	struct pt_sampled samples[PT_TALLY_SAMPLES]; /* the last also has what found no room */
	uint32_t sample_count;
	uint32_t child_count; /* processes made, kept or not */
	const struct pt_model_task *children[PT_TALLY_CHILDREN];
	struct pt_slept fresh; /* the last sleep, about which more may be told; count 0: none */
	uint64_t fresh_from;
	struct pt_slept_on
		told; /* of a sleep that is still to come: records of one moment have no order */
	uint64_t told_from; /* 0: none */
	int16_t told_syscall;
	bool slept; /* the last span was a sleep */
};

/* Each 0 or -ENOMEM. */
int pt_tally_span(struct pt_tally *tally, const struct pt_span *span);
int pt_tally_wait(struct pt_tally *tally, const struct pt_wait *wait);
int pt_tally_add(struct pt_tally *into, struct pt_tally *from);
int pt_tally_copy(struct pt_tally *to, struct pt_tally *from);

void pt_tally_sample(struct pt_tally *tally, const struct pt_sampled *sampled);
void pt_tally_child(struct pt_tally *tally, const struct pt_model_task *child);

/* More about the last sleep, if it is that one. */
void pt_tally_explain(struct pt_tally *tally, const struct pt_record *sleep);

/*
 * Of the sleeps of one system call only the longest is told of. The others were on the same object, if calls of that sort
 * slept on one object only.
 */
void pt_tally_share_objects(struct pt_tally *tally);

/* Forgets what was added, keeps the memory. */
void pt_tally_empty(struct pt_tally *tally);
void pt_tally_free(struct pt_tally *tally);

#endif
