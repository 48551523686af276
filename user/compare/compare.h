/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recordings side by side. Runs of the same thing form a group, a column; groups that do the same work in different
 * ways form a table. The result is one JSON document (docs/man/partrace-compare.1 says what is in it), from which
 * the text is only rendered.
 */
#ifndef PT_COMPARE_COMPARE_H
#define PT_COMPARE_COMPARE_H

#include "compare/measures.h"
#include "compare/stats.h"
#include "view/format.h"
#include "view/text.h"

struct pt_group {
	const struct pt_scene **runs;
	size_t run_count;
	struct pt_spread *figures; /* by measure; of 0 runs: not recorded */
	double *values;		   /* of all runs, where the figures point to */
	char *label;
	size_t table;
};

struct pt_comparison {
	struct pt_group *groups;
	size_t group_count, table_count;
};

/* The scenes must live as long. 0 or -ENOMEM; clear in either case. */
int pt_comparison_make(struct pt_comparison *comparison, const struct pt_scenes *scenes);
void pt_comparison_clear(struct pt_comparison *comparison);

/* The document; NULL without memory. */
json_t *pt_comparison_json(const struct pt_comparison *comparison);

/* The document as a page; brief: without its figures, only what follows from them. */
pt_text_renderer pt_comparison_render, pt_comparison_render_brief;

/* A figure of a measure as people read it. */
struct pt_figure pt_comparison_figure(enum pt_unit unit, double value);

/* How often `low` goes into `high`, in words: "2.3 times", "more than 100 times". */
struct pt_figure pt_comparison_ratio(double high, double low);

#endif
