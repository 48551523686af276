/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures as people read them: three digits that matter, the same on every machine. */
#ifndef PT_VIEW_FORMAT_H
#define PT_VIEW_FORMAT_H

#include "base/types.h"

#define PT_FORMAT_SIZE 32

/* A figure in words, to be passed by value so that several fit into one printf(). */
struct pt_figure {
	char s[PT_FORMAT_SIZE];
};

/* "0", "850 ns", "12.3 us", "4.56 ms", "12.3 s", "5:07 min", "2:03:04 h". */
struct pt_figure pt_format_ns(uint64_t ns);

/* "1,234,567" */
struct pt_figure pt_format_count(uint64_t count);

/* "0 B", "512 B", "1.2 KiB", "34.5 MiB". */
struct pt_figure pt_format_bytes(uint64_t bytes);

/* "-" for none at all, "<0.1" for a trace of it, "12.3", "100". The whole may be 0. */
struct pt_figure pt_format_percent(uint64_t part, uint64_t whole);

#endif
