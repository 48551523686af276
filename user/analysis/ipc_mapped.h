/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process maps which shared memory, over time: as it says when it maps it, as a look at its mappings finds it, and
 * as a forked child has it from its parent until it runs another program.
 */
#ifndef PT_ANALYSIS_IPC_MAPPED_H
#define PT_ANALYSIS_IPC_MAPPED_H

#include "analysis/ipc.h"

struct pt_mappings_of;

/* By the index of the process; NULL: it maps nothing. */
struct pt_mapped {
	struct pt_mappings_of **list;
	size_t room;
	size_t count; /* mappings of all */
};

/* Each 0 or -ENOMEM. */
int pt_mapped_segment(struct pt_mapped *mapped, const struct pt_process *process,
		      struct pt_channel *channel, const struct pt_segment *row);
int pt_mapped_fork(struct pt_mapped *mapped, const struct pt_fork *row,
		   const struct pt_model *model);
void pt_mapped_exec(struct pt_mapped *mapped, const struct pt_process *process);

/* Who has it from a parent joins the holders. 0 or -ENOMEM. */
int pt_mapped_finish(struct pt_mapped *mapped, struct pt_channels *channels,
		     const struct pt_model *model);

void pt_mapped_clear(struct pt_mapped *mapped);

#endif
