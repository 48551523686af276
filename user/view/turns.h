/* SPDX-License-Identifier: BSD-2-Clause */
/* Every turn as it is told, a line of JSON each: more than a report keeps. docs/loops.md describes the lines. */
#ifndef PT_VIEW_TURNS_H
#define PT_VIEW_TURNS_H

#include "base/error.h"
#include "model/model.h"

struct pt_turns;

/* Observes the model, which must outlive it. path "-" is stdout. 0 or a negative errno. */
int pt_turns_open(struct pt_turns **out, const char *path, struct pt_model *model,
		  struct pt_error *err);

/* Whether all could be written. */
int pt_turns_close(struct pt_turns *turns, struct pt_error *err);

/* Turns that the recording has only in sums. */
uint64_t pt_turns_summed(const struct pt_turns *turns);

/* NULL is accepted. */
void pt_turns_free(struct pt_turns *turns);

#endif
