/* SPDX-License-Identifier: BSD-2-Clause */
/* Why loops stalled: groups of stalls that are alike, the worst first, and what the worst consisted of. */
#include <inttypes.h>

#include "view/text_part.h"

#define SHOWN_GROUPS 20

/* The worst stall of a group, in the list of all. */
static const json_t *find_stall(const struct pt_text *text, const json_t *group)
{
	const json_t *stalls = pt_text_at(text->document, "stalls");
	size_t i;

	for (i = 0; i < json_array_size(stalls); i++) {
		const json_t *stall = json_array_get(stalls, i);

		if (pt_text_int(stall, "loop") == pt_text_int(group, "loop") &&
		    pt_text_int(stall, "start_ns") == pt_text_int(group, "worst_start_ns"))
			return stall;
	}
	return NULL;
}

static int write_parts(const struct pt_text *text, const json_t *stall)
{
	uint64_t whole = pt_text_int(stall, "duration_ns");

	return pt_text_line(
		text,
		"    user %s %%, kernel %s %%, runnable %s %%, blocked %s %%, unknown %s %%%s",
		pt_format_percent(pt_text_int(stall, "parts_ns.user"), whole).s,
		pt_format_percent(pt_text_int(stall, "parts_ns.kernel"), whole).s,
		pt_format_percent(pt_text_int(stall, "parts_ns.runnable"), whole).s,
		pt_format_percent(pt_text_int(stall, "parts_ns.blocked"), whole).s,
		pt_format_percent(pt_text_int(stall, "parts_ns.unknown"), whole).s,
		json_is_true(pt_text_at(stall, "estimated")) ? " (user and kernel estimated)" : "");
}

/* How many, since when, and how long. */
static int write_count(const struct pt_text *text, const json_t *group)
{
	uint64_t count = pt_text_int(group, "count");

	if (count == 1)
		return pt_text_line(text, "    1 stall of %s, %s after the start",
				    pt_format_ns(pt_text_int(group, "total_ns")).s,
				    pt_format_ns(pt_text_int(group, "worst_start_ns")).s);
	return pt_text_line(text,
			    "    %s stalls, %s in all, from %s to %s after the start; the worst of "
			    "%s after %s",
			    pt_format_count(count).s,
			    pt_format_ns(pt_text_int(group, "total_ns")).s,
			    pt_format_ns(pt_text_int(group, "first_ns")).s,
			    pt_format_ns(pt_text_int(group, "last_ns")).s,
			    pt_format_ns(pt_text_int(group, "worst_ns")).s,
			    pt_format_ns(pt_text_int(group, "worst_start_ns")).s);
}

static int write_group(const struct pt_text *text, const json_t *group)
{
	const json_t *stall = find_stall(text, group);
	int ret;

	ret = pt_text_line(text, "  %s %" PRIu64 ": %s, %s", pt_text_string(group, "comm"),
			   pt_text_int(group, "tid"), pt_text_string(group, "verdict"),
			   pt_text_string(group, "reason"));
	if (!ret)
		ret = write_count(text, group);
	if (!ret)
		ret = pt_text_line(text, "    %s", pt_text_string(group, "summary"));
	return ret || !stall ? ret : write_parts(text, stall);
}

int pt_text_stalls(const struct pt_text *text)
{
	const json_t *groups = pt_text_at(text->document, "stall_groups");
	size_t i, count = json_array_size(groups);
	int ret = 0;

	if (!count)
		return 0;
	pt_text_heading(text, "Stalls, worst first");
	for (i = 0; !ret && i < count && i < SHOWN_GROUPS; i++)
		ret = write_group(text, json_array_get(groups, i));
	if (!ret && i < count)
		ret = pt_text_line(text, "  and %s more kinds, see --format json",
				   pt_format_count(count - i).s);
	return ret;
}
