/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU quotas that were used up, whatever they delayed. */
#include "view/text_part.h"

#define SHOWN_GROUPS 20

static int write_group(const struct pt_text *text, const json_t *group)
{
	return pt_text_line(text,
			    "  %s may use %s in each %s: all of it in %s of %s periods, then held "
			    "back, %s in all",
			    pt_text_string(group, "path"),
			    pt_format_ns(pt_text_int(group, "quota_ns")).s,
			    pt_format_ns(pt_text_int(group, "period_ns")).s,
			    pt_format_count(pt_text_int(group, "throttled_periods")).s,
			    pt_format_count(pt_text_int(group, "periods")).s,
			    pt_format_ns(pt_text_int(group, "throttled_ns")).s);
}

int pt_text_cgroups(const struct pt_text *text)
{
	const json_t *groups = pt_text_at(text->document, "cgroups");
	size_t i;
	int ret = 0;

	if (!pt_text_int(json_array_get(groups, 0), "throttled_ns"))
		return 0;
	pt_text_heading(text, "CPU quotas of cgroups that were used up");
	for (i = 0; !ret && i < json_array_size(groups) && i < SHOWN_GROUPS; i++) {
		const json_t *group = json_array_get(groups, i);

		if (pt_text_int(group, "throttled_ns"))
			ret = write_group(text, group);
	}
	return ret;
}
