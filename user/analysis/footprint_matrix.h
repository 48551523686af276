/* SPDX-License-Identifier: BSD-2-Clause */
/* Who maps the same memory: of the matrices that were recorded, the one that says most. */
#ifndef PT_ANALYSIS_FOOTPRINT_MATRIX_H
#define PT_ANALYSIS_FOOTPRINT_MATRIX_H

#include "base/record.h"

/* Sizes in bytes. */
struct pt_footprint_matrix {
	struct pt_memory_group group; /* time 0: none */
	struct pt_memory_share *shares;
	size_t share_count, share_room;
	struct pt_memory_common *commons;
	size_t common_count, common_room;
};

/* Zeroed is empty. */
struct pt_matrices {
	/* With most processes, of equals the last; one that was cut short only if no other is. */
	struct pt_footprint_matrix best;
	struct pt_footprint_matrix coming;
	uint64_t coming_time; /* rows of one time are one matrix */
};

/* Rows in order of time. 0 or -ENOMEM. */
int pt_matrices_add_share(struct pt_matrices *matrices, const struct pt_memory_share *row);
int pt_matrices_add_common(struct pt_matrices *matrices, const struct pt_memory_common *row);
void pt_matrices_add_group(struct pt_matrices *matrices, const struct pt_memory_group *row);

/* Before this the last one recorded may not be looked at as `best`. */
void pt_matrices_finish(struct pt_matrices *matrices);
void pt_matrices_clear(struct pt_matrices *matrices);

#endif
