/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops, and what their tasks did with their time. */
#include <math.h>

#include "compare/measure_tools.h"

double pt_measure_main_delay_p99_ns(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_MAIN, "delay_ns.p99", PT_FOLD_MOST);
}

double pt_measure_main_delay_max_ns(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_MAIN, "delay_ns.max", PT_FOLD_MOST);
}

double pt_measure_main_utilization(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_MAIN, "utilization", PT_FOLD_MOST);
}

double pt_measure_main_stalls(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_MAIN, "stalls", PT_FOLD_SUM);
}

double pt_measure_main_stall_ns(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_MAIN, "stall_ns", PT_FOLD_SUM);
}

double pt_measure_worker_delay_p99_ns(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_WORKER, "delay_ns.p99", PT_FOLD_MOST);
}

double pt_measure_worker_utilization(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_WORKER, "utilization", PT_FOLD_MEAN);
}

double pt_measure_worker_stalls(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->loops, PT_ROLE_WORKER, "stalls", PT_FOLD_SUM);
}

double pt_measure_worker_loops(const struct pt_scene *scene)
{
	double count = 0;
	json_t *loop;
	size_t i;

	if (!scene->loops)
		return NAN;
	json_array_foreach (scene->loops, i, loop) {
		count += !json_is_true(json_object_get(loop, "nested")) &&
			 pt_scene_role(scene, json_object_get(loop, "tid")) == PT_ROLE_WORKER;
	}
	return count;
}

static double switches(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "switches.voluntary",
			       PT_FOLD_SUM) +
	       pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "switches.involuntary",
			       PT_FOLD_SUM);
}

double pt_measure_switches_per_second(const struct pt_scene *scene)
{
	return pt_measure_per_second(scene, switches(scene));
}

double pt_measure_switches_per_unit(const struct pt_scene *scene)
{
	return pt_measure_per_unit(scene, switches(scene));
}

double pt_measure_involuntary_share(const struct pt_scene *scene)
{
	double all = switches(scene);

	return all > 0 ? pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "switches.involuntary",
					 PT_FOLD_SUM) /
				 all
		       : NAN;
}

static double on_cpu(const struct pt_scene *scene)
{
	return pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "on_cpu_ns", PT_FOLD_SUM);
}

double pt_measure_runq_share(const struct pt_scene *scene)
{
	double waited = pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.runnable",
					PT_FOLD_SUM);

	return waited / (waited + on_cpu(scene));
}

double pt_measure_runq_p99_ns(const struct pt_scene *scene)
{
	return fmax(pt_measure_fold(scene, scene->tasks, PT_ROLE_MAIN, "runq_ns.p99", PT_FOLD_MOST),
		    pt_measure_fold(scene, scene->tasks, PT_ROLE_WORKER, "runq_ns.p99",
				    PT_FOLD_MOST));
}

double pt_measure_cpus_used(const struct pt_scene *scene)
{
	return pt_measure_per_second(scene, on_cpu(scene) / 1e9);
}

double pt_measure_cpus_wanted(const struct pt_scene *scene)
{
	double waited = pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.runnable",
					PT_FOLD_SUM);

	return pt_measure_per_second(scene, (on_cpu(scene) + waited) / 1e9);
}

/* While its tasks wanted the CPU, and not by themselves; the recorder is another program, too. */
double pt_measure_cpus_taken(const struct pt_scene *scene)
{
	double taken = NAN;
	json_t *task, *by;
	size_t i, j;

	json_array_foreach (scene->tasks, i, task) {
		json_array_foreach (json_object_get(task, "waited_for"), j, by) {
			const json_t *pid = json_object_get(by, "pid");
			bool other = json_integer_value(pid) > 0 && !pt_scene_has_pid(scene, pid);
			double ns = pt_measure_number(by, "ns");

			if (!isnan(ns))
				taken = (isnan(taken) ? 0 : taken) + (other ? ns : 0);
		}
	}
	return pt_measure_per_second(scene, taken / 1e9);
}

double pt_measure_cpus_open(const struct pt_scene *scene)
{
	return pt_measure_cpus_used(scene) + pt_measure_cpus_taken(scene);
}

double pt_measure_cpu_ns_per_unit(const struct pt_scene *scene)
{
	return pt_measure_per_unit(scene, on_cpu(scene));
}

double pt_measure_kernel_share(const struct pt_scene *scene)
{
	double user =
		pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.user", PT_FOLD_SUM);
	double kernel =
		pt_measure_fold(scene, scene->tasks, PT_ROLE_NONE, "state_ns.kernel", PT_FOLD_SUM);

	return user + kernel > 0 ? kernel / (user + kernel) : NAN;
}

double pt_measure_units_per_second(const struct pt_scene *scene)
{
	return pt_measure_per_second(scene, pt_measure_number(scene->claims, "work.units"));
}
