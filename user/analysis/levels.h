/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resident memory of one process over time: a series that stays short however long the
 * recording, and in it the stretches in which the process grew, or shrank.
 */
#ifndef PT_ANALYSIS_LEVELS_H
#define PT_ANALYSIS_LEVELS_H

#include "base/types.h"

struct pt_level {
	uint64_t time;			  /* ns since the start of recording */
	uint64_t anon, file, shmem, swap; /* bytes */
	uint32_t tid;			  /* who made it so; 0: not known */
	bool first; /* of another address space than what comes before it: by fork or exec */
};

struct pt_levels {
	struct pt_level *list; /* ascending by time */
	size_t count, room;
};

/* From one level to another, which is higher, or lower. */
struct pt_change {
	struct pt_level before, after;
	uint32_t tid; /* who did all of it; 0: several, or not known */
};

uint64_t pt_level_rss(const struct pt_level *level);

/* By how many bytes the resident memory grew; negative: shrank. */
int64_t pt_change_rss(const struct pt_change *change);

/* One that is older than the last is left out. Of very many the less telling go. 0 or -ENOMEM. */
int pt_levels_add(struct pt_levels *levels, const struct pt_level *level);

/*
 * The changes of at least a mebibyte, and of a sixteenth of all that the process went through, by
 * time; to be freed. Before and after one the process stayed at about that level. 0 or -ENOMEM.
 */
int pt_levels_changes(const struct pt_levels *levels, struct pt_change **out, size_t *count);

void pt_levels_clear(struct pt_levels *levels);

#endif
