/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waited longest for a CPU, and who had it meanwhile. */
#include <inttypes.h>

#include "view/text_part.h"

/* Below this a wait is the price of switching, and nobody to blame. */
#define WORTH_A_LINE_NS 1000000

/* How long, how long at most, and whether it still waited when all ended. */
static int write_length(const struct pt_text *text, const json_t *waiter)
{
	uint64_t unfinished = pt_text_int(waiter, "unfinished_wait_ns");
	uint64_t tasks = pt_text_int(waiter, "tasks");
	char who[32], still[PT_FORMAT_SIZE + 32] = "";

	if (tasks > 1)
		snprintf(who, sizeof(who), "(%" PRIu64 " tasks)", tasks);
	else
		snprintf(who, sizeof(who), "%" PRIu64, pt_text_int(waiter, "tid"));
	if (unfinished)
		snprintf(still, sizeof(still), ", and %s without getting one",
			 pt_format_ns(unfinished).s);
	return pt_text_line(text, "  %s %s waited %s in all, %s at most%s",
			    pt_text_string(waiter, "comm"), who,
			    pt_format_ns(pt_text_int(waiter, "runnable_ns")).s,
			    pt_format_ns(pt_text_int(waiter, "runq_ns.max")).s, still);
}

static int write_waiter(const struct pt_text *text, const json_t *waiter)
{
	const json_t *shares = pt_text_at(waiter, "taken_by");
	uint64_t runnable = pt_text_int(waiter, "runnable_ns");
	size_t i;
	int ret = write_length(text, waiter);

	for (i = 0; !ret && i < json_array_size(shares); i++) {
		const json_t *share = json_array_get(shares, i);
		uint64_t ns = pt_text_int(share, "ns");

		ret = pt_text_line(text, "    %9s %6s %%  %s", pt_format_ns(ns).s,
				   pt_format_percent(ns, runnable).s,
				   pt_text_string(share, "comm"));
	}
	return ret;
}

/* The longest wait comes first: if that is not worth a line, there is nothing to say. */
int pt_text_contention(const struct pt_text *text)
{
	const json_t *waiters = pt_text_at(text->document, "contention");
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(waiters); i++) {
		const json_t *waiter = json_array_get(waiters, i);

		if (pt_text_int(waiter, "runnable_ns") < WORTH_A_LINE_NS)
			continue;
		if (!i)
			pt_text_heading(text, "Waited longest for a CPU, and who had it meanwhile");
		ret = write_waiter(text, waiter);
	}
	return ret;
}
