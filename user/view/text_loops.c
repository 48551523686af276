/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops, a line each, the worst first. */
#include <inttypes.h>

#include "view/text_part.h"

#define SHOWN_LOOPS 50

/* name, busy, turns, two of turns, two of delays, two of stalls */
#define COLUMNS "%-24s %7s %10s %9s %9s %9s %9s %7s %9s  %s"

static int write_loop(const struct pt_text *text, const json_t *loop)
{
	uint64_t busy = pt_text_int(loop, "busy_ns");
	char who[48];

	snprintf(who, sizeof(who), "%s %" PRIu64, pt_text_string(loop, "comm"),
		 pt_text_int(loop, "tid"));
	return pt_text_line(text, COLUMNS, who,
			    pt_format_percent(busy, busy + pt_text_int(loop, "idle_ns")).s,
			    pt_format_count(pt_text_int(loop, "turns")).s,
			    pt_format_ns(pt_text_int(loop, "turn_ns.p50")).s,
			    pt_format_ns(pt_text_int(loop, "turn_ns.p99")).s,
			    pt_format_ns(pt_text_int(loop, "delay_ns.p99")).s,
			    pt_format_ns(pt_text_int(loop, "delay_ns.max")).s,
			    pt_format_count(pt_text_int(loop, "stalls")).s,
			    pt_format_ns(pt_text_int(loop, "stall_ns")).s,
			    json_is_true(pt_text_at(loop, "shared_poller"))
				    ? "shared by several tasks: no stalls of its own"
				    : "");
}

/* Loops that ran inside others stand in the document only: their turns are parts of those others' turns. */
int pt_text_loops(const struct pt_text *text)
{
	const json_t *loops = pt_text_at(text->document, "loops");
	size_t i, nested = 0, shown = 0;
	int ret;

	if (!json_array_size(loops))
		return 0;
	pt_text_heading(text, "Event loops, worst first");
	ret = pt_text_line(text, COLUMNS, "loop", "busy %", "turns", "turn p50", "p99", "delay p99",
			   "max", "stalls", "in all", "");
	for (i = 0; !ret && i < json_array_size(loops); i++) {
		const json_t *loop = json_array_get(loops, i);

		if (json_is_true(pt_text_at(loop, "nested")))
			nested++;
		else if (shown++ < SHOWN_LOOPS)
			ret = write_loop(text, loop);
	}
	if (!ret && shown > SHOWN_LOOPS)
		ret = pt_text_line(text, "and %s more, see --format json",
				   pt_format_count(shown - SHOWN_LOOPS).s);
	if (!ret && nested)
		ret = pt_text_line(text, "%s more ran inside turns of these",
				   pt_format_count(nested).s);
	return ret;
}
