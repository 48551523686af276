/* SPDX-License-Identifier: BSD-2-Clause */
/* What processes cost in memory, what they share, what forks cost, what one more worker would cost. */
#include <string.h>

#include "analysis/margin.h"
#include "view/memory_growth.h"
#include "view/section.h"

static const char *const class_names[] = {
#define S(value, name, doc) [value] = #name,
	PT_MAPPING_CLASSES(S)
#undef S
};

static const char *const model_names[] = {
#define M(name, text) text,
	PT_TASK_MODELS(M)
#undef M
};

/* A list under way, and whether building it has failed. */
struct list {
	json_t *json;
	int ret;
};

static struct list list_new(void)
{
	return (struct list){.json = json_array()};
}

static void list_add(struct list *list, json_t *value)
{
	list->ret |= json_array_append_new(list->json, value);
}

static json_t *list_take(struct list *list)
{
	if (list->json && !list->ret)
		return list->json;
	json_decref(list->json);
	return NULL;
}

/* null for what is not known. */
static json_t *known(bool is_known, uint64_t value)
{
	return is_known ? pt_json_int(value) : json_null();
}

/* Other architectures do not tell a program of page faults what kind they are. */
static bool counts_copies(const struct pt_source *source)
{
	return source->meta->arch && !strcmp(source->meta->arch, "x86_64");
}

static json_t *name_of(const struct pt_model_task *task)
{
	return pt_json_text(task ? pt_task_name(task) : "?");
}

static json_t *lower_case(const char *name)
{
	char text[32];
	size_t i;

	for (i = 0; i < sizeof(text) - 1 && name[i]; i++)
		text[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	text[i] = '\0';
	return json_string(text);
}

static json_t *classes_json(const struct pt_footprint_process *process)
{
	json_t *object = json_object();
	int ret = object ? 0 : -1;
	size_t i;

	for (i = 0; i < PT_MAPPING_COUNT; i++) {
		const struct pt_memory_class *row = &process->classes[i];
		json_t *name;

		if (!row->mappings)
			continue;
		name = lower_case(class_names[i]);
		ret |= pt_json_put(
			object, name ? json_string_value(name) : "?",
			json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "size_bytes",
				  pt_json_int(row->size), "rss_bytes", pt_json_int(row->rss),
				  "pss_bytes", known(!(row->flags & PT_MEMORY_NO_PSS), row->pss),
				  "uss_bytes", pt_json_int(row->uss), "swap_bytes",
				  pt_json_int(row->swap), "mappings", pt_json_int(row->mappings)));
		json_decref(name);
	}
	if (!ret)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *threads_json(const struct pt_footprint_process *process)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < process->thread_count; i++)
		list_add(&list,
			 json_pack("{s:o, s:o, s:o}", "tid", pt_json_int(process->threads[i].tid),
				   "stack_bytes", pt_json_int(process->threads[i].stack_size),
				   "stack_rss_bytes", pt_json_int(process->threads[i].stack_rss)));
	return list_take(&list);
}

/* The figures of one snapshot, as far as they are true. */
static int put_point(json_t *json, const struct pt_memory *point)
{
	bool pss = !(point->flags & PT_MEMORY_NO_PSS), cut = point->flags & PT_MEMORY_CUT;
	int ret = pt_json_put(json, "at_ns", pt_json_int(point->time - point->span));

	ret |= pt_json_put(json, "rss_bytes", pt_json_int(point->rss));
	ret |= pt_json_put(json, "pss_bytes", known(pss, point->pss));
	ret |= pt_json_put(json, "uss_bytes", known(!cut || pss, point->uss));
	ret |= pt_json_put(json, "swap_bytes", pt_json_int(point->swap));
	ret |= pt_json_put(json, "anon_bytes", pt_json_int(point->anon));
	ret |= pt_json_put(json, "file_bytes", pt_json_int(point->file));
	ret |= pt_json_put(json, "shmem_bytes", pt_json_int(point->shmem));
	ret |= pt_json_put(json, "page_tables_bytes", pt_json_int(point->page_tables));
	ret |= pt_json_put(json, "kernel_stacks_bytes", pt_json_int(point->kernel_stacks));
	ret |= pt_json_put(json, "threads", pt_json_int(point->threads));
	ret |= pt_json_put(json, "minor_faults", pt_json_int(point->minor_faults));
	ret |= pt_json_put(json, "major_faults", pt_json_int(point->major_faults));
	return ret;
}

static int put_last(json_t *json, const struct pt_memory *point)
{
	bool split = !(point->flags & PT_MEMORY_NO_DIRTY);
	bool sampled = point->flags & PT_MEMORY_SAMPLED;
	int ret = put_point(json, point);

	ret |= pt_json_put(json, "shared_clean_bytes", known(split, point->shared_clean));
	ret |= pt_json_put(json, "shared_dirty_bytes", known(split, point->shared_dirty));
	ret |= pt_json_put(json, "hugetlb_bytes", pt_json_int(point->hugetlb));
	ret |= pt_json_put(json, "sampled", json_boolean(sampled));
	ret |= pt_json_put(json, "cut_short", json_boolean(point->flags & PT_MEMORY_CUT));
	if (sampled) {
		ret |= pt_json_put(json, "pss_error_bytes", pt_json_int(point->pss_error));
		ret |= pt_json_put(json, "uss_error_bytes", pt_json_int(point->uss_error));
	}
	return ret;
}

/* A process that lived between two snapshots: what the kernel knew when it ended. */
static int put_exit(json_t *json, const struct pt_memory_exit *exit)
{
	bool has = !(exit->flags & PT_MEMORY_EXIT_ONLY_PEAK);
	int ret = pt_json_put(json, "at_ns", pt_json_int(exit->time));

	ret |= pt_json_put(json, "rss_bytes", known(has, exit->anon + exit->file + exit->shmem));
	ret |= pt_json_put(json, "pss_bytes", json_null());
	ret |= pt_json_put(json, "uss_bytes", json_null());
	ret |= pt_json_put(json, "swap_bytes", known(has, exit->swap));
	ret |= pt_json_put(json, "anon_bytes", known(has, exit->anon));
	ret |= pt_json_put(json, "file_bytes", known(has, exit->file));
	ret |= pt_json_put(json, "shmem_bytes", known(has, exit->shmem));
	ret |= pt_json_put(json, "page_tables_bytes", known(has, exit->page_tables));
	return ret;
}

static json_t *process_json(const struct pt_footprint_process *process, bool copies)
{
	json_t *json = json_pack("{s:o, s:o, s:s}", "pid", pt_json_int(process->pid), "comm",
				 name_of(process->leader), "from",
				 process->point_count ? "snapshot" : "exit");
	int ret = json ? 0 : -1;

	if (process->point_count)
		ret |= put_last(json, &process->points[process->point_count - 1]);
	else
		ret |= put_exit(json, &process->exit);
	ret |= pt_json_put(json, "exit_rss_bytes",
			   known(process->exit.time &&
					 !(process->exit.flags & PT_MEMORY_EXIT_ONLY_PEAK),
				 process->exit.anon + process->exit.file + process->exit.shmem));
	ret |= pt_json_put(json, "exit_rss_is_exact",
			   process->exit.time ? json_boolean(!(process->exit.flags &
							       (PT_MEMORY_EXIT_ONLY_PEAK |
								PT_MEMORY_EXIT_ROUGH)))
					      : json_null());
	ret |= pt_json_put(json, "peak_rss_bytes", pt_json_int(process->peak));
	ret |= pt_json_put(json, "cow_faults", known(copies, process->cow_faults));
	ret |= pt_json_put(json, "classes", classes_json(process));
	ret |= pt_json_put(json, "thread_stacks", threads_json(process));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *points_json(const struct pt_footprint_process *process)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < process->point_count; i++) {
		json_t *point = json_object();

		list.ret |= put_point(point, &process->points[i]);
		list_add(&list, point);
	}
	return list_take(&list);
}

static bool is_shown(const struct pt_footprint_process *process)
{
	return process->leader && process->leader->target &&
	       (process->point_count || process->exit.time);
}

static json_t *processes_json(const struct pt_source *source, const struct pt_footprint *footprint)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < pt_footprint_processes(footprint); i++) {
		const struct pt_footprint_process *process = pt_footprint_process(footprint, i);

		if (is_shown(process))
			list_add(&list, process_json(process, counts_copies(source)));
	}
	return list_take(&list);
}

static json_t *pulses_json(const struct pt_footprint_process *process)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < process->pulse_count; i++) {
		const struct pt_memory_pulse *pulse = &process->pulses[i];

		list_add(&list,
			 json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "at_ns",
				   pt_json_int(pulse->time), "anon_bytes", pt_json_int(pulse->anon),
				   "file_bytes", pt_json_int(pulse->file), "shmem_bytes",
				   pt_json_int(pulse->shmem), "swap_bytes",
				   pt_json_int(pulse->swap), "page_tables_bytes",
				   pt_json_int(pulse->page_tables), "minor_faults",
				   pt_json_int(pulse->minor_faults), "major_faults",
				   pt_json_int(pulse->major_faults), "threads",
				   pt_json_int(pulse->threads)));
	}
	return list_take(&list);
}

/* From the first pulse to the last, and to the highest between. */
static int put_growth(json_t *json, const struct pt_footprint_process *process)
{
	const struct pt_memory_pulse *pulses = process->pulses;
	size_t last = process->pulse_count - 1, highest = 0, i;
	int ret;

	if (!process->pulse_count)
		return 0;
	for (i = 1; i <= last; i++) {
		if (pt_footprint_rss(&pulses[i]) > pt_footprint_rss(&pulses[highest]))
			highest = i;
	}
	ret = pt_json_put(json, "first_ns", pt_json_int(pulses[0].time));
	ret |= pt_json_put(json, "first_bytes", pt_json_int(pt_footprint_rss(&pulses[0])));
	ret |= pt_json_put(json, "highest_ns", pt_json_int(pulses[highest].time));
	ret |= pt_json_put(json, "highest_bytes", pt_json_int(pt_footprint_rss(&pulses[highest])));
	ret |= pt_json_put(json, "last_ns", pt_json_int(pulses[last].time));
	ret |= pt_json_put(json, "last_bytes", pt_json_int(pt_footprint_rss(&pulses[last])));
	return ret;
}

static json_t *series_of(const struct pt_footprint_process *process)
{
	json_t *json =
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "pid", pt_json_int(process->pid), "comm",
			  name_of(process->leader), "points", points_json(process), "pulses",
			  pulses_json(process), "levels", pt_json_levels(&process->levels));

	if (json && !put_growth(json, process))
		return json;
	json_decref(json);
	return NULL;
}

static json_t *series_json(const struct pt_footprint *footprint)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < pt_footprint_processes(footprint); i++) {
		const struct pt_footprint_process *process = pt_footprint_process(footprint, i);

		if (is_shown(process) &&
		    (process->point_count || process->pulse_count || process->levels.count > 1))
			list_add(&list, series_of(process));
	}
	return list_take(&list);
}

static json_t *sharing_json(const struct pt_footprint_matrix *matrix)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < matrix->share_count; i++) {
		const struct pt_memory_share *row = &matrix->shares[i];

		list_add(&list,
			 json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "a",
				   pt_json_int(row->a), "b", pt_json_int(row->b), "bytes",
				   pt_json_int(row->file + row->anon + row->shmem), "file_bytes",
				   pt_json_int(row->file), "anon_bytes", pt_json_int(row->anon),
				   "shmem_bytes", pt_json_int(row->shmem), "error_bytes",
				   pt_json_int(row->error), "same_mm",
				   !!(row->flags & PT_MEMORY_SAME_SPACE)));
	}
	return list_take(&list);
}

static json_t *common_json(const struct pt_footprint_matrix *matrix)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < matrix->common_count; i++) {
		const struct pt_memory_common *row = &matrix->commons[i];

		list_add(&list,
			 json_pack("{s:o, s:o, s:o, s:o, s:o}", "k", pt_json_int(row->k), "n",
				   pt_json_int(row->n), "file_bytes", pt_json_int(row->file),
				   "anon_bytes", pt_json_int(row->anon), "shmem_bytes",
				   pt_json_int(row->shmem)));
	}
	return list_take(&list);
}

/* null if no group was ever compared. */
static json_t *group_json(const struct pt_footprint_matrix *matrix)
{
	const struct pt_memory_group *group = &matrix->group;

	if (!group->time)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:o}", "at_ns",
			 pt_json_int(group->time - group->span), "span_ns",
			 pt_json_int(group->span), "processes", pt_json_int(group->processes),
			 "spaces", pt_json_int(group->spaces), "left_out",
			 pt_json_int(group->left_out), "unshared_bytes",
			 pt_json_int(group->unshared), "cost_bytes", pt_json_int(group->cost),
			 "sampled", !!(group->flags & PT_MEMORY_SAMPLED), "cut_short",
			 !!(group->flags & PT_MEMORY_CUT), "frames_hidden",
			 !!(group->flags & PT_MEMORY_NO_FRAMES), "common", common_json(matrix));
}

static int put_fork_faults(json_t *json, const struct pt_footprint_fork *fork, bool copies)
{
	struct pt_fork_faults faults = {0};
	bool known_at_all = pt_footprint_fork_faults(fork, &faults);
	bool has = !(fork->fork.flags & PT_MEMORY_EXIT_ONLY_PEAK);
	int ret;

	copies = copies && known_at_all;
	ret = pt_json_put(json, "cow_faults", known(copies, faults.child_cow + faults.parent_cow));
	ret |= pt_json_put(json, "child_cow_faults", known(copies, faults.child_cow));
	ret |= pt_json_put(json, "parent_cow_faults", known(copies, faults.parent_cow));
	ret |= pt_json_put(json, "child_minor_faults", known(known_at_all, faults.child_minor));
	ret |= pt_json_put(json, "parent_minor_faults", known(known_at_all, faults.parent_minor));
	ret |= pt_json_put(json, "still_shared_bytes",
			   known(copies && has, pt_footprint_still_shared(fork, &faults)));
	return ret;
}

static json_t *fork_json(const struct pt_footprint_fork *fork, bool copies)
{
	const struct pt_memory_fork *row = &fork->fork;
	bool has = !(row->flags & PT_MEMORY_EXIT_ONLY_PEAK);
	const char *end = fork->parted.flags & PT_PARTED_EXEC ? "exec" : "exit";
	json_t *json =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pid",
			  pt_json_int(row->parent_pid), "tid", pt_json_int(row->parent_tid), "comm",
			  name_of(fork->parent), "child", pt_json_int(row->pid), "child_comm",
			  name_of(fork->child), "at_ns", pt_json_int(row->time), "call_ns",
			  known(row->copying, row->copying), "page_tables_bytes",
			  known(has, row->page_tables), "shared_bytes",
			  known(has, row->anon + row->file + row->shmem), "parted_ns",
			  known(fork->parted.time, fork->parted.time), "parted_by",
			  fork->parted.time ? json_string(end) : json_null());

	if (json && !put_fork_faults(json, fork, copies))
		return json;
	json_decref(json);
	return NULL;
}

static json_t *forks_json(const struct pt_source *source, const struct pt_footprint *footprint)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < pt_footprint_forks(footprint); i++)
		list_add(&list, fork_json(pt_footprint_fork(footprint, i), counts_copies(source)));
	return list_take(&list);
}

static json_t *faults_json(const struct pt_footprint *footprint)
{
	struct list list = list_new();
	size_t i;

	for (i = 0; i < pt_footprint_faulters(footprint); i++) {
		const struct pt_footprint_faults *faults = pt_footprint_faults(footprint, i);
		json_t *who;

		if (!faults->task->target)
			continue;
		who = pt_json_who(faults->task);
		list.ret |= pt_json_put(who, "cow_faults", pt_json_int(faults->cow_faults));
		list_add(&list, who);
	}
	return list_take(&list);
}

static json_t *process_margin(const struct pt_margin *margin)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "model",
			 model_names[margin->model], "comm",
			 pt_json_text(margin->comm[0] ? margin->comm : "?"), "workers",
			 pt_json_int(margin->workers), "rss_bytes", pt_json_int(margin->rss),
			 "pss_bytes", pt_json_int(margin->pss), "uss_bytes",
			 pt_json_int(margin->uss), "page_tables_bytes",
			 pt_json_int(margin->page_tables), "kernel_stacks_bytes",
			 pt_json_int(margin->kernel_stacks));
}

static json_t *threads_margin(const struct pt_margin_threads *threads)
{
	return json_pack("{s:o, s:o}", "threads", pt_json_int(threads->count), "brought_bytes",
			 known(threads->count, threads->brought));
}

static json_t *thread_margin(const struct pt_margin *margin)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "model",
			 model_names[margin->model], "comm",
			 pt_json_text(margin->comm[0] ? margin->comm : "?"), "workers",
			 pt_json_int(margin->workers), "stack_bytes",
			 known(margin->workers, margin->stack), "kernel_stacks_bytes",
			 known(margin->workers, margin->kernel_stacks), "comers",
			 pt_json_int(margin->comers), "uss_growth_bytes",
			 known(margin->comers, margin->growth), "with_loop",
			 threads_margin(&margin->loopers), "without_loop",
			 threads_margin(&margin->others), "looping_leaders",
			 pt_json_int(margin->looping));
}

static bool says_something(const struct pt_margin *margin)
{
	return margin->workers || margin->comers || margin->loopers.count || margin->others.count;
}

static json_t *margins_json(const struct pt_footprint *footprint)
{
	const struct pt_margins *margins = pt_footprint_margins(footprint);
	struct list list = list_new();
	size_t i;

	for (i = 0; i < margins->count; i++) {
		const struct pt_margin *margin = &margins->list[i];

		if (says_something(margin))
			list_add(&list, margin->model == PT_MODEL_THREAD ? thread_margin(margin)
									 : process_margin(margin));
	}
	return list_take(&list);
}

json_t *pt_section_memory(const struct pt_source *source)
{
	const struct pt_footprint *footprint = pt_analyses_footprint(source->analyses);
	const struct pt_footprint_matrix *matrix = pt_footprint_matrix(footprint);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "processes",
			 processes_json(source, footprint), "faults", faults_json(footprint),
			 "sharing", sharing_json(matrix), "group", group_json(matrix), "forks",
			 forks_json(source, footprint), "margin", margins_json(footprint), "growth",
			 pt_json_growth(footprint), "host", pt_json_host(footprint), "series",
			 series_json(footprint));
}
