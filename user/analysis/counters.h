/* SPDX-License-Identifier: BSD-2-Clause */
/* Do our counts of context switches equal the kernel's own? */
#ifndef PT_ANALYSIS_COUNTERS_H
#define PT_ANALYSIS_COUNTERS_H

#include "analysis/analysis.h"

struct pt_counters {
	uint64_t checked; /* targets whose two counts could be compared */
	uint64_t agree;
	uint64_t contradictions; /* records of targets that did not fit what came before */
};

#endif
