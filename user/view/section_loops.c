/* SPDX-License-Identifier: BSD-2-Clause */
/* Every loop that is worth a line, the one that keeps events waiting longest first. */
#include <stdlib.h>

#include "analysis/loops.h"
#include "base/syscalls.h"
#include "view/section.h"

static json_t *delays(const struct pt_loops_of *of)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "p50", pt_json_int(pt_loops_delay(of, 0.50)),
			 "p90", pt_json_int(pt_loops_delay(of, 0.90)), "p99",
			 pt_json_int(pt_loops_delay(of, 0.99)), "max",
			 pt_json_int(of->turn_ns.max));
}

static json_t *build_loop(const struct pt_source *source, const struct pt_loop *loop)
{
	const struct pt_loops_of *of = pt_loops_get(pt_analyses_loops(source->analyses), loop);
	const char *name = pt_syscall_name(source->meta->arch, loop->syscall);
	json_t *json = pt_json_who(loop->task);
	int ret = pt_json_put(json, "id", pt_json_int(loop->index));

	ret |= pt_json_put(json, "wait", json_string(name ? name : "?"));
	ret |= pt_json_put(json, "nested", json_boolean(loop->nested));
	ret |= pt_json_put(json, "shared_poller", json_boolean(loop->shared));
	ret |= pt_json_put(json, "start_ns", pt_json_int(loop->first_ns));
	ret |= pt_json_put(json, "end_ns", pt_json_int(loop->end_ns));
	ret |= pt_json_put(json, "waits", pt_json_int(loop->waits));
	ret |= pt_json_put(json, "turns", pt_json_int(of->turns));
	ret |= pt_json_put(json, "busy_ns", pt_json_int(of->busy_ns));
	ret |= pt_json_put(json, "idle_ns", pt_json_int(of->idle_ns));
	ret |= pt_json_put(json, "utilization",
			   json_real(of->wall_ns ? (double)of->busy_ns / (double)of->wall_ns : 0));
	ret |= pt_json_put(json, "turn_ns", pt_json_quantiles(&of->turn_ns));
	ret |= pt_json_put(json, "delay_ns", delays(of));
	ret |= pt_json_put(json, "stalls", pt_json_int(of->stalls));
	ret |= pt_json_put(json, "stall_ns", pt_json_int(of->stall_ns));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

struct ranked {
	const struct pt_loop *loop;
	uint64_t stall_ns, busy_ns;
	bool aside; /* nobody's events wait for it alone */
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->aside != y->aside)
		return x->aside ? 1 : -1;
	if (x->stall_ns != y->stall_ns)
		return x->stall_ns < y->stall_ns ? 1 : -1;
	if (x->busy_ns != y->busy_ns)
		return x->busy_ns < y->busy_ns ? 1 : -1;
	return (x->loop->index > y->loop->index) - (x->loop->index < y->loop->index);
}

json_t *pt_section_loops(const struct pt_source *source)
{
	size_t n = pt_model_loop_count(source->model), i, count = 0;
	struct ranked *ranked = calloc(n + 1, sizeof(*ranked));
	json_t *list = ranked ? json_array() : NULL;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < n; i++) {
		const struct pt_loop *loop = pt_model_loop(source->model, i);
		const struct pt_loops_of *of =
			pt_loops_get(pt_analyses_loops(source->analyses), loop);

		if (of->worth && loop->task->target)
			ranked[count++] = (struct ranked){loop, of->stall_ns, of->busy_ns,
							  loop->nested || loop->shared};
	}
	if (count)
		qsort(ranked, count, sizeof(*ranked), compare_ranked);
	for (i = 0; !ret && i < count; i++)
		ret = json_array_append_new(list, build_loop(source, ranked[i].loop));
	free(ranked);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
