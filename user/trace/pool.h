/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that decode blocks ahead of the merge, in the order in which the merge will ask for them.
 */
#ifndef PT_TRACE_POOL_H
#define PT_TRACE_POOL_H

#include "trace/container.h"

struct pt_pool;

struct pt_slot {
	struct pt_block block;
	int err;	    /* 0, -ENOMEM or -EBADMSG */
	const char *reason; /* for -EBADMSG */
	bool done;
	struct pt_slot *next;

	/* Whoever takes it may note here how far its rows have been merged. */
	uint64_t time;	   /* of its next record */
	uint64_t tie;	   /* among equal times, the lower comes first */
	const uint8_t *at; /* that record */
	uint32_t row;	   /* which one of the block's it is */
};

/* threads counts the calling one: with 1, it decodes by itself. The container must outlive the
 * pool. */
int pt_pool_new(struct pt_pool **out, const struct pt_container *container, unsigned int threads);

/* The block of entry `index`; the indices must come one by one from 0. -ENOMEM or 0, and then
 * slot->err counts. */
int pt_pool_take(struct pt_pool *pool, size_t index, struct pt_slot **slot);

/* Gives a slot back for reuse. */
void pt_pool_give(struct pt_pool *pool, struct pt_slot *slot);

void pt_pool_free(struct pt_pool *pool);

#endif
