/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools in which work had to wait, though perhaps no loop stalled. */
#include <inttypes.h>

#include "view/text_part.h"

/* "" if it did not sleep. */
static const char *longest_reason(const json_t *blocked)
{
	const char *name, *longest = "";
	const json_t *value;
	json_int_t most = 0;

	json_object_foreach ((json_t *)blocked, name, value) {
		if (json_integer_value(value) > most) {
			most = json_integer_value(value);
			longest = name;
		}
	}
	return longest;
}

static int write_doing(const struct pt_text *text, const json_t *pool)
{
	const json_t *parts = pt_text_at(pool, "doing_ns"), *value;
	const char *name, *reason = longest_reason(pt_text_at(pool, "blocked_ns"));
	uint64_t whole = 0;

	json_object_foreach ((json_t *)parts, name, value)
		whole += (uint64_t)json_integer_value(value);
	return pt_text_line(
		text, "    its threads were on a CPU %s %%, wanted one %s %%, slept %s %%%s%s",
		pt_format_percent(pt_text_int(parts, "user") + pt_text_int(parts, "kernel") +
					  pt_text_int(parts, "cpu"),
				  whole)
			.s,
		pt_format_percent(pt_text_int(parts, "runnable"), whole).s,
		pt_format_percent(pt_text_int(parts, "blocked"), whole).s,
		*reason ? ", mostly: " : "", reason);
}

int pt_text_pools(const struct pt_text *text)
{
	const json_t *pools = pt_text_at(text->document, "pools");
	size_t i;
	int ret = 0;

	if (!json_array_size(pools))
		return 0;
	pt_text_heading(text, "Starved pools: work waited while every thread was busy");
	for (i = 0; !ret && i < json_array_size(pools); i++) {
		const json_t *pool = json_array_get(pools, i);

		ret = pt_text_line(text,
				   "  %s %" PRIu64 ": %zu threads, %s in %s episodes, %s at most",
				   pt_text_string(pool, "comm"), pt_text_int(pool, "pid"),
				   json_array_size(pt_text_at(pool, "tids")),
				   pt_format_ns(pt_text_int(pool, "saturated_ns")).s,
				   pt_format_count(pt_text_int(pool, "episodes")).s,
				   pt_format_ns(pt_text_int(pool, "longest_ns")).s);
		if (!ret)
			ret = write_doing(text, pool);
	}
	return ret;
}
