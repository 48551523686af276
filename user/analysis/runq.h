/* SPDX-License-Identifier: BSD-2-Clause */
/* How long did a task wait for a CPU, each time from wake-up, preemption or birth to running? */
#ifndef PT_ANALYSIS_RUNQ_H
#define PT_ANALYSIS_RUNQ_H

#include "analysis/analysis.h"
#include "base/histogram.h"

/* In ns; unfinished waits are not among them. Never NULL. */
const struct pt_histogram *pt_runq_get(const struct pt_runq *runq,
				       const struct pt_model_task *task);

/* ns of waits that were not over when the task or the recording ended. */
uint64_t pt_runq_unfinished(const struct pt_runq *runq, const struct pt_model_task *task);

#endif
