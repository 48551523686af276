/* SPDX-License-Identifier: BSD-2-Clause */
/* A stall in words. All texts are to be freed; NULL without memory. */
#ifndef PT_VIEW_STALL_WORDS_H
#define PT_VIEW_STALL_WORDS_H

#include "analysis/stalls.h"
#include "view/document.h"

/* One line that a person can act on. */
char *pt_stall_summary(const struct pt_source *source, const struct pt_stall *stall);

/* What a verdict is about, in a word: the reason of a sleep, a system call, who had the CPU. Not to be freed. */
const char *pt_stall_reason(const struct pt_source *source, const struct pt_stall *stall);

/* What was slept on: a path, a pipe, an address. "" if that is not known. */
char *pt_slept_object(const struct pt_source *source, const struct pt_slept *slept);

#endif
