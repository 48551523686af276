/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools of threads in which work had to wait, the worst first. */
#include "analysis/pools.h"
#include "view/section.h"

static json_t *tids(const struct pt_pool_of *of)
{
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = of->worker_count; !ret && i > 0; i--)
		ret = json_array_append_new(list, pt_json_int(of->workers[i - 1]->tid));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *build_pool(const struct pt_pool_of *of)
{
	json_t *json = json_object();
	int ret = pt_json_put(json, "pid", pt_json_int(of->workers[0]->process->pid));

	ret |= pt_json_put(json, "comm", pt_json_text(pt_task_name(of->workers[0])));
	ret |= pt_json_put(json, "kind", json_string("threads"));
	ret |= pt_json_put(json, "tids", tids(of));
	ret |= pt_json_put(json, "saturated_ns", pt_json_int(of->saturated_ns));
	ret |= pt_json_put(json, "episodes", pt_json_int(of->episodes));
	ret |= pt_json_put(json, "longest_ns", pt_json_int(of->longest_ns));
	ret |= pt_json_put(json, "longest_start_ns", pt_json_int(of->longest_from));
	ret |= pt_json_put(json, "taken", pt_json_int(of->taken));
	ret |= pt_json_put(json, "doing_ns", pt_json_parts(&of->doing));
	ret |= pt_json_put(json, "blocked_ns", pt_json_reasons(&of->doing));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

json_t *pt_section_pools(const struct pt_source *source)
{
	const struct pt_pools *pools = pt_analyses_pools(source->analyses);
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < pt_pools_count(pools); i++)
		ret = json_array_append_new(list, build_pool(pt_pools_get(pools, i)));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
