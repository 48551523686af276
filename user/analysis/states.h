/* SPDX-License-Identifier: BSD-2-Clause */
/* Where did a task's time go? */
#ifndef PT_ANALYSIS_STATES_H
#define PT_ANALYSIS_STATES_H

#include "analysis/analysis.h"

/* ns; the parts sum to end_ns - start_ns, the reasons to the blocked part. */
struct pt_states_of {
	uint64_t part[PT_PART_COUNT];
	uint64_t blocked[PT_REASON_COUNT];
};

/* Never NULL. Valid as long as the analyses are. */
const struct pt_states_of *pt_states_get(const struct pt_states *states,
					 const struct pt_model_task *task);

void pt_states_add(struct pt_states_of *into, const struct pt_states_of *from);

#endif
