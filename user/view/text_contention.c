/* SPDX-License-Identifier: BSD-2-Clause */
/* Who waited longest for a CPU, and who had it meanwhile. */
#include <inttypes.h>

#include "view/text_part.h"

/* Below this a wait is the price of switching, and nobody to blame. */
#define WORTH_A_LINE_NS 1000000

static int write_waiter(const struct pt_text *text, const json_t *waiter)
{
	const json_t *shares = pt_text_at(waiter, "taken_by");
	uint64_t runnable = pt_text_int(waiter, "runnable_ns");
	uint64_t tasks = pt_text_int(waiter, "tasks");
	size_t i;
	int ret;

	if (tasks > 1)
		ret = pt_text_line(text, "  %s (%s tasks) waited %s in all, %s at most",
				   pt_text_string(waiter, "comm"), pt_format_count(tasks).s,
				   pt_format_ns(runnable).s,
				   pt_format_ns(pt_text_int(waiter, "runq_ns.max")).s);
	else
		ret = pt_text_line(text, "  %s %" PRIu64 " waited %s in all, %s at most",
				   pt_text_string(waiter, "comm"), pt_text_int(waiter, "tid"),
				   pt_format_ns(runnable).s,
				   pt_format_ns(pt_text_int(waiter, "runq_ns.max")).s);
	for (i = 0; !ret && i < json_array_size(shares); i++) {
		const json_t *share = json_array_get(shares, i);
		uint64_t ns = pt_text_int(share, "ns");

		ret = pt_text_line(text, "    %9s %6s %%  %s", pt_format_ns(ns).s,
				   pt_format_percent(ns, runnable).s,
				   pt_text_string(share, "comm"));
	}
	return ret;
}

int pt_text_contention(const struct pt_text *text)
{
	const json_t *waiters = pt_text_at(text->document, "contention");
	size_t i;
	int ret = 0;

	if (!json_array_size(waiters))
		return 0;
	pt_text_heading(text, "Waited longest for a CPU, and who had it meanwhile");
	for (i = 0; !ret && i < json_array_size(waiters); i++) {
		const json_t *waiter = json_array_get(waiters, i);

		if (pt_text_int(waiter, "runnable_ns") >= WORTH_A_LINE_NS)
			ret = write_waiter(text, waiter);
	}
	return ret;
}
