/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the section `memory` that is about time: who grew when, and what the machine did meanwhile. */
#ifndef PT_VIEW_MEMORY_GROWTH_H
#define PT_VIEW_MEMORY_GROWTH_H

#include <jansson.h>

#include "analysis/footprint.h"

/* The levels of one process, by time. */
json_t *pt_json_levels(const struct pt_levels *levels);

/* The changes of all target processes, the largest first. */
json_t *pt_json_growth(const struct pt_footprint *footprint);

/* null if the machine was never looked at. */
json_t *pt_json_host(const struct pt_footprint *footprint);

#endif
