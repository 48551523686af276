/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns that the probes have added up in memory which is mapped here (bpf/config.h), on their way to records. */
#ifndef PT_CAPTURE_TURN_COUNTERS_H
#define PT_CAPTURE_TURN_COUNTERS_H

#include "capture/probes.h"

struct pt_turn_counters;

/* Maps the counters. free_map: where numbers go that are free again. Both descriptors stay the caller's. */
int pt_turn_counters_open(struct pt_turn_counters **out, int counters_map, int free_map,
			  struct pt_error *err);

/*
 * A turn_sum record for each loop, among the first `count` counters, that has had turns since the last time. The sink's
 * first result that is not 0, -ENOMEM, or 0.
 */
int pt_turn_counters_collect(struct pt_turn_counters *counters, unsigned int count,
			     pt_probes_sink sink, void *context);

/* NULL is accepted. */
void pt_turn_counters_free(struct pt_turn_counters *counters);

#endif
