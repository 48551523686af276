/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader's side of the slots that switches come in: see struct pt_slot. */
#ifndef PT_CAPTURE_SLOTS_H
#define PT_CAPTURE_SLOTS_H

#include "base/error.h"
#include "base/record.h"
#include "capture/probes.h"

struct pt_slots;

/* slots: of one CPU, a power of two. The descriptors of the maps are only used during the call. */
int pt_slots_open(struct pt_slots **out, int slots_map, int consumed_map, unsigned int cpus,
		  unsigned int slots, struct pt_error *err);

/* Hands out what has come: for each slot the wake-up and the migration, if there are, before the switch. */
int pt_slots_drain(struct pt_slots *slots, pt_probes_sink sink, void *context);

/* NULL is accepted. */
void pt_slots_free(struct pt_slots *slots);

#endif
