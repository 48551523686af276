/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroups that targets were in or that have a CPU quota, the one that held them back longest first. */
#include <stdlib.h>

#include "view/section.h"

static json_t *build_group(const struct pt_cgroup_of *group)
{
	json_t *json = json_object();
	int ret = pt_json_put(json, "path", pt_json_cgroup(group));

	ret |= pt_json_put(json, "processes", pt_json_int(group->processes));
	ret |= pt_json_put(json, "quota_ns",
			   group->quota ? pt_json_int(group->quota) : json_null());
	ret |= pt_json_put(json, "period_ns",
			   group->quota ? pt_json_int(group->period) : json_null());
	ret |= pt_json_put(json, "periods", pt_json_int(group->periods));
	ret |= pt_json_put(json, "throttled_periods", pt_json_int(group->throttled));
	ret |= pt_json_put(json, "throttled_ns", pt_json_int(group->throttled_ns));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static int compare_groups(const void *a, const void *b)
{
	const struct pt_cgroup_of *x = *(const struct pt_cgroup_of *const *)a,
				  *y = *(const struct pt_cgroup_of *const *)b;

	if (x->throttled_ns != y->throttled_ns)
		return x->throttled_ns < y->throttled_ns ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

json_t *pt_section_cgroups(const struct pt_source *source)
{
	size_t n = pt_model_cgroup_count(source->model), i, count = 0;
	const struct pt_cgroup_of **groups = calloc(n + 1, sizeof(struct pt_cgroup_of *));
	json_t *list = groups ? json_array() : NULL;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < n; i++) {
		const struct pt_cgroup_of *group = pt_model_cgroup(source->model, i);

		if (group->processes || group->quota)
			groups[count++] = group;
	}
	if (count)
		qsort(groups, count, sizeof(*groups), compare_groups);
	for (i = 0; !ret && i < count; i++)
		ret = json_array_append_new(list, build_group(groups[i]));
	free(groups);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
