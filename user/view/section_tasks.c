/* SPDX-License-Identifier: BSD-2-Clause */
/* Every target, one by one. */
#include "analysis/charges.h"
#include "analysis/runq.h"
#include "view/section.h"

static const char *const origin_names[] = {
#define O(name, text) text,
	PT_ORIGINS(O)
#undef O
};

static const char *const model_names[] = {
#define M(name, text) text,
	PT_TASK_MODELS(M)
#undef M
};

static const char *const agreement_names[] = {
	[PT_AGREEMENT_UNCHECKED] = "unchecked",
	[PT_AGREEMENT_SAME] = "agree",
	[PT_AGREEMENT_DIFFERENT] = "differ",
};

static json_t *waited_for(const struct pt_charges_of *of)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < of->count; i++) {
		json_t *who = pt_json_who(of->charges[i].task);

		ret = pt_json_put(who, "ns", pt_json_int(of->charges[i].ns));
		ret |= json_array_append_new(list, who);
	}
	if (!ret && of->others_ns)
		ret = json_array_append_new(list,
					    json_pack("{s:n, s:n, s:s, s:o}", "tid", "pid", "comm",
						      "others", "ns", pt_json_int(of->others_ns)));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *switches(const struct pt_model_task *task)
{
	return json_pack("{s:o, s:o}", "voluntary", pt_json_int(task->counts.voluntary),
			 "involuntary", pt_json_int(task->counts.involuntary));
}

static json_t *faults(const struct pt_model_task *task)
{
	return json_pack("{s:o, s:o}", "minor", pt_json_int(task->counts.minor_faults), "major",
			 pt_json_int(task->counts.major_faults));
}

static int put_identity(json_t *json, const struct pt_model_task *task)
{
	const struct pt_process *process = task->process;
	int ret = 0;

	ret |= pt_json_put(json, "tid", pt_json_int(task->tid));
	ret |= pt_json_put(json, "pid", pt_json_int(process->pid));
	ret |= pt_json_put(json, "ppid", pt_json_int(process->ppid));
	ret |= pt_json_put(json, "comm", pt_json_text(pt_task_name(task)));
	ret |= pt_json_put(json, "model", json_string(model_names[task->model]));
	ret |= pt_json_put(json, "created_by", json_string(origin_names[task->origin]));
	ret |= pt_json_put(json, "exec", json_boolean(task->execed));
	if (process->leader == task && process->command)
		ret |= pt_json_put(json, "command",
				   pt_json_texts(process->command, process->command_len));
	ret |= pt_json_put(json, "cgroup", pt_json_cgroup(process->cgroup));
	ret |= pt_json_put(json, "start_ns", pt_json_int(task->start_ns));
	ret |= pt_json_put(json, "end_ns", pt_json_int(task->end_ns));
	ret |= pt_json_put(json, "exit_code",
			   task->exited ? json_integer(task->exit_code) : json_null());
	ret |= pt_json_put(json, "exit_signal",
			   task->exited ? json_integer(task->exit_signal) : json_null());
	return ret;
}

static json_t *build_task(const struct pt_source *source, const struct pt_model_task *task)
{
	const struct pt_analyses *all = source->analyses;
	const struct pt_states_of *states = pt_states_get(pt_analyses_states(all), task);
	json_t *json = json_object();
	int ret = put_identity(json, task);

	ret |= pt_json_put(json, "life_ns", pt_json_int(task->end_ns - task->start_ns));
	ret |= pt_json_put(json, "on_cpu_ns", pt_json_on_cpu(states));
	ret |= pt_json_put(json, "state_ns", pt_json_parts(states));
	ret |= pt_json_put(json, "blocked_ns", pt_json_reasons(states));
	ret |= pt_json_put(json, "switches", switches(task));
	ret |= pt_json_put(json, "counters", json_string(agreement_names[task->agreement]));
	ret |= pt_json_put(json, "migrations", pt_json_int(task->migrations));
	ret |= pt_json_put(json, "wakeups", pt_json_int(task->wakeups));
	ret |= pt_json_put(json, "runq_ns",
			   pt_json_quantiles(pt_runq_get(pt_analyses_runq(all), task)));
	ret |= pt_json_put(json, "unfinished_wait_ns",
			   pt_json_int(pt_runq_unfinished(pt_analyses_runq(all), task)));
	ret |= pt_json_put(json, "waited_for",
			   waited_for(pt_charges_get(pt_analyses_charges(all), task)));
	ret |= pt_json_put(json, "faults", faults(task));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

json_t *pt_section_tasks(const struct pt_source *source)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < pt_model_task_count(source->model); i++) {
		const struct pt_model_task *task = pt_model_task(source->model, i);

		if (!task->target)
			continue;
		if (json_array_append_new(list, build_task(source, task))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
