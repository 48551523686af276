/* SPDX-License-Identifier: BSD-2-Clause */
/* What people say of threads, processes and clusters, held against recordings of the workloads: see belief_list.h. */
#ifndef PT_COMPARE_BELIEFS_H
#define PT_COMPARE_BELIEFS_H

#include "compare/compare.h"

/* V(name, text in JSON) */
#define PT_VERDICTS(V)                                                                             \
	V(UNMEASURED, "not measured")                                                              \
	V(HOLDS, "holds")                                                                          \
	V(PARTLY, "partly")                                                                        \
	V(UNSURE, "not sure")                                                                      \
	V(NOT_HERE, "not on this machine")

enum pt_verdict {
#define V(name, text) PT_VERDICT_##name,
	PT_VERDICTS(V)
#undef V
};

/* A list of {"runtime", "belief", "verdict", "says", "runs"}: empty without workloads. NULL without memory. */
json_t *pt_beliefs_json(const struct pt_comparison *comparison);

#endif
