/* SPDX-License-Identifier: BSD-2-Clause */
/* The loops, a line each, the worst first. */
#include <inttypes.h>

#include "view/text_part.h"

#define SHOWN_LOOPS 50

/* name, busy, turns, two of turns, two of delays, two of stalls */
#define COLUMNS "%-24s %7s %10s %9s %9s %9s %9s %7s %9s  %s"

static bool is_shared(const json_t *loop)
{
	return json_is_true(pt_text_at(loop, "shared_poller"));
}

static bool is_nested(const json_t *loop)
{
	return json_is_true(pt_text_at(loop, "nested"));
}

static int write_loop(const struct pt_text *text, const json_t *loop)
{
	uint64_t busy = pt_text_int(loop, "busy_ns");
	char who[48];

	snprintf(who, sizeof(who), "%s %" PRIu64, pt_text_string(loop, "comm"),
		 pt_text_int(loop, "tid"));
	/* What passes between its waits is not this task's work alone: figures of a loop would mislead. */
	if (is_shared(loop))
		return pt_text_line(text, COLUMNS, who, "-",
				    pt_format_count(pt_text_int(loop, "turns")).s, "-", "-", "-",
				    "-", "-", "-", "shares its epoll file with other tasks");
	return pt_text_line(text, COLUMNS, who,
			    pt_format_percent(busy, busy + pt_text_int(loop, "idle_ns")).s,
			    pt_format_count(pt_text_int(loop, "turns")).s,
			    pt_format_ns(pt_text_int(loop, "turn_ns.p50")).s,
			    pt_format_ns(pt_text_int(loop, "turn_ns.p99")).s,
			    pt_format_ns(pt_text_int(loop, "delay_ns.p99")).s,
			    pt_format_ns(pt_text_int(loop, "delay_ns.max")).s,
			    pt_format_count(pt_text_int(loop, "stalls")).s,
			    pt_format_ns(pt_text_int(loop, "stall_ns")).s, "");
}

/* Those with an epoll file of their own, or the others; adds to how many were shown, which ends at SHOWN_LOOPS. */
static int write_loops(const struct pt_text *text, const json_t *loops, bool shared, size_t *shown)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(loops); i++) {
		const json_t *loop = json_array_get(loops, i);

		if (is_nested(loop) || is_shared(loop) != shared)
			continue;
		if ((*shown)++ < SHOWN_LOOPS)
			ret = write_loop(text, loop);
	}
	return ret;
}

static size_t count_nested(const json_t *loops)
{
	size_t i, nested = 0;

	for (i = 0; i < json_array_size(loops); i++)
		nested += is_nested(json_array_get(loops, i));
	return nested;
}

/* Loops that ran inside others stand in the document only: their turns are parts of those others' turns. */
int pt_text_loops(const struct pt_text *text)
{
	const json_t *loops = pt_text_at(text->document, "loops");
	size_t nested = count_nested(loops), shown = 0;
	int ret;

	if (!json_array_size(loops))
		return 0;
	pt_text_heading(text, "Event loops, worst first");
	ret = pt_text_line(text, COLUMNS, "loop", "busy %", "turns", "turn p50", "p99", "delay p99",
			   "max", "stalls", "in all", "");
	if (!ret)
		ret = write_loops(text, loops, false, &shown);
	if (!ret)
		ret = write_loops(text, loops, true, &shown);
	if (!ret && shown > SHOWN_LOOPS)
		ret = pt_text_line(text, "and %s more, see --format json",
				   pt_format_count(shown - SHOWN_LOOPS).s);
	if (!ret && nested)
		ret = pt_text_line(text, "%s more ran inside turns of these",
				   pt_format_count(nested).s);
	return ret;
}
