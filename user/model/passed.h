/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that went through a channel: what they stand for, and who passed them on to whom. */
#ifndef PT_MODEL_PASSED_H
#define PT_MODEL_PASSED_H

#include "model/model.h"

struct pt_passed_counts {
	uint64_t sent, received;
	uint64_t peeked; /* received by a look at a message, which is received again */
};

struct pt_passed_by {
	const struct pt_model_task *task;
	struct pt_passed_counts counts;
};

/* One end of a channel, or one file, that was passed on. */
struct pt_passed_thing {
	uint64_t object; /* an end; 0: no end of a channel */
	uint64_t inode;	 /* of what is no end */
	uint32_t device; /* likewise: major << 20 | minor */
	uint16_t port;	 /* own port, 0: none */
	uint8_t kind;	 /* enum pt_channel_kind or pt_passed_kind */
	uint8_t flags;	 /* PT_PASS_READS, PT_PASS_WRITES */
	char *name;	 /* of what is no end; NULL: not known */
	struct pt_passed_counts counts;
	struct pt_passed_by *by; /* those who did */
	size_t by_count, by_room;
};

struct pt_passed {
	struct pt_passed_counts kinds[PT_PASSED_KINDS]; /* all, by kind */
	struct pt_passed_counts unnamed; /* those of them that are told by kind only */
	struct pt_passed_thing *things;
	size_t thing_count, thing_room;
};

/* Takes a `pass` record of a task. 0 or -ENOMEM. */
int pt_passed_add(struct pt_passed *passed, const struct pt_record *record,
		  const struct pt_model_task *task);

/* NULL is accepted. */
void pt_passed_free(struct pt_passed *passed);

#endif
