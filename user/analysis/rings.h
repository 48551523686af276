/* SPDX-License-Identifier: BSD-2-Clause */
/* Who uses io_uring, and is what it moves that way told by other records? */
#ifndef PT_ANALYSIS_RINGS_H
#define PT_ANALYSIS_RINGS_H

#include "analysis/analysis.h"

/* A process that made a ring, waited on one, or had something moved by one. */
struct pt_ring_user {
	const struct pt_process *process;
	uint64_t told;	 /* requests to send, receive or accept that count in channels */
	uint64_t untold; /* requests that may have moved something, not known through what */
};

struct pt_rings {
	struct pt_ring_user *users; /* in order of processes */
	size_t count;
};

#endif
