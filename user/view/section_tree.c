/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who made whom: rows in the order and at the depth in which a person reads them. A build makes
 * thousands of short processes; those of the same name below the same parent become one row, and
 * their children below it likewise.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "analysis/runq.h"
#include "view/section.h"

/* Deeper than this nobody reads; a crafted chain of parents must not indent without end. */
#define DEPTH_LIMIT 64

/* Lists of tasks or processes, one for each process, cut out of one array. */
struct lists {
	void **items;
	size_t *first; /* of process i: items[first[i]] up to items[first[i + 1]] */
};

/* A row to come, with what is below it: one process or several of one name. */
struct item {
	struct pt_process **members;
	size_t count;
	unsigned int depth;
	bool asleep; /* they have nothing in common but that they never ran */
};

struct tree {
	const struct pt_source *source;
	struct lists tasks, children;
	size_t *task_row; /* in the section `tasks`, by the task's index */
	bool *seen;	  /* by the process's index */
	struct item *stack;
	size_t stack_count, stack_room;
	json_t *rows;
};

static const char *process_name(const struct pt_process *process)
{
	return process->leader ? pt_task_name(process->leader) : "?";
}

static int make_lists(struct lists *lists, size_t processes, size_t items)
{
	lists->items = calloc(items + 1, sizeof(*lists->items));
	lists->first = calloc(processes + 2, sizeof(*lists->first));
	return lists->items && lists->first ? 0 : -1;
}

/* first[i + 1] holds the count of i's items; makes it where to put the next one, so that filling
 * moves it to its end. */
static void place_lists(struct lists *lists, size_t processes)
{
	size_t i, sum = 0;

	for (i = 0; i < processes; i++) {
		size_t n = lists->first[i + 1];

		lists->first[i + 1] = sum;
		sum += n;
	}
}

static void add_to_list(struct lists *lists, size_t list, void *item)
{
	lists->items[lists->first[list + 1]++] = item;
}

static size_t list_length(const struct lists *lists, size_t list)
{
	return lists->first[list + 1] - lists->first[list];
}

static bool is_shown(const struct tree *tree, const struct pt_process *process)
{
	return process && list_length(&tree->tasks, process->index);
}

static int list_tasks(struct tree *tree)
{
	const struct pt_model *model = tree->source->model;
	size_t n = pt_model_task_count(model), processes = pt_model_process_count(model), i,
	       row = 0;

	tree->task_row = calloc(n + 1, sizeof(*tree->task_row));
	if (!tree->task_row || make_lists(&tree->tasks, processes, n))
		return -1;
	for (i = 0; i < n; i++) {
		const struct pt_model_task *task = pt_model_task(model, i);

		tree->tasks.first[task->process->index + 1] += task->target;
		tree->task_row[i] = row;
		row += task->target;
	}
	place_lists(&tree->tasks, processes);
	for (i = 0; i < n; i++) {
		struct pt_model_task *task = pt_model_task(model, i);

		if (task->target)
			add_to_list(&tree->tasks, task->process->index, task);
	}
	return 0;
}

static int list_children(struct tree *tree)
{
	const struct pt_model *model = tree->source->model;
	size_t n = pt_model_process_count(model), i;

	tree->seen = calloc(n + 1, sizeof(*tree->seen));
	if (!tree->seen || make_lists(&tree->children, n, n))
		return -1;
	for (i = 0; i < n; i++) {
		struct pt_process *process = pt_model_process(model, i);

		if (is_shown(tree, process) && is_shown(tree, process->parent))
			tree->children.first[process->parent->index + 1]++;
	}
	place_lists(&tree->children, n);
	for (i = 0; i < n; i++) {
		struct pt_process *process = pt_model_process(model, i);

		if (is_shown(tree, process) && is_shown(tree, process->parent))
			add_to_list(&tree->children, process->parent->index, process);
	}
	return 0;
}

static int add_row(struct tree *tree, const char *kind, unsigned int depth, json_t *row)
{
	int ret = pt_json_put(row, "row", json_string(kind));

	ret |= pt_json_put(row, "depth", json_integer(depth < DEPTH_LIMIT ? depth : DEPTH_LIMIT));
	return ret | json_array_append_new(tree->rows, row);
}

static int add_task_row(struct tree *tree, const char *kind, unsigned int depth,
			const struct pt_model_task *task)
{
	return add_row(tree, kind, depth,
		       json_pack("{s:o}", "task", pt_json_int(tree->task_row[task->index])));
}

struct sums {
	struct pt_states_of states;
	struct pt_histogram runq;
	struct pt_counts counts;
	uint64_t life, tasks;
};

static int sum_task(struct sums *sums, const struct pt_source *source,
		    const struct pt_model_task *task)
{
	pt_states_add(&sums->states, pt_states_get(pt_analyses_states(source->analyses), task));
	sums->counts.voluntary += task->counts.voluntary;
	sums->counts.involuntary += task->counts.involuntary;
	sums->life += task->end_ns - task->start_ns;
	sums->tasks++;
	return pt_histogram_merge(&sums->runq,
				  pt_runq_get(pt_analyses_runq(source->analyses), task));
}

static json_t *sums_json(const struct sums *sums, const char *name, size_t count)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o}", "comm",
			 pt_json_text(name), "count", pt_json_int(count), "tasks",
			 pt_json_int(sums->tasks), "life_ns", pt_json_int(sums->life), "state_ns",
			 pt_json_parts(&sums->states), "blocked_ns", pt_json_reasons(&sums->states),
			 "switches", "voluntary", pt_json_int(sums->counts.voluntary),
			 "involuntary", pt_json_int(sums->counts.involuntary), "runq_ns",
			 pt_json_quantiles(&sums->runq), "on_cpu_ns",
			 pt_json_on_cpu(&sums->states));
}

static int add_group_row(struct tree *tree, const struct item *item)
{
	struct sums sums = {0};
	size_t i, j;
	int ret = 0;

	for (i = 0; i < item->count; i++) {
		size_t index = item->members[i]->index;

		for (j = tree->tasks.first[index]; !ret && j < tree->tasks.first[index + 1]; j++)
			ret = sum_task(&sums, tree->source, tree->tasks.items[j]);
	}
	if (!ret)
		ret = add_row(tree, "processes", item->depth,
			      sums_json(&sums,
					item->asleep ? "(asleep)" : process_name(item->members[0]),
					item->count));
	pt_histogram_clear(&sums.runq);
	return ret;
}

static int compare_tasks(const void *a, const void *b)
{
	const struct pt_model_task *x = *(void *const *)a, *y = *(void *const *)b;
	bool x_leads = x->process->leader == x, y_leads = y->process->leader == y;
	int order;

	if (x_leads != y_leads)
		return x_leads ? -1 : 1;
	order = strcmp(x->comm, y->comm);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int add_threads_row(struct tree *tree, void **tasks, size_t count, unsigned int depth)
{
	struct sums sums = {0};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < count; i++)
		ret = sum_task(&sums, tree->source, tasks[i]);
	if (!ret)
		ret = add_row(tree, "threads", depth,
			      sums_json(&sums, pt_task_name(tasks[0]), count));
	pt_histogram_clear(&sums.runq);
	return ret;
}

/* The leader first, then the other threads by name. */
static int add_process_rows(struct tree *tree, const struct pt_process *process, unsigned int depth)
{
	void **tasks = &tree->tasks.items[tree->tasks.first[process->index]];
	size_t count = list_length(&tree->tasks, process->index), i = 0, n;
	int ret = 0;

	qsort(tasks, count, sizeof(*tasks), compare_tasks);
	if (tasks[0] == process->leader)
		ret = add_task_row(tree, "process", depth, tasks[i++]);
	for (; !ret && i < count; i += n) {
		const struct pt_model_task *task = tasks[i];

		for (n = 1; i + n < count; n++) {
			if (strcmp(((struct pt_model_task *)tasks[i + n])->comm, task->comm) != 0)
				break;
		}
		if (!tree->source->all && n >= PT_GROUP_THREADS) {
			ret = add_threads_row(tree, &tasks[i], n, depth + 1);
		} else {
			n = 1;
			ret = add_task_row(tree, "thread", depth + 1, task);
		}
	}
	return ret;
}

static int push(struct tree *tree, struct pt_process **members, size_t count, unsigned int depth,
		bool asleep)
{
	struct item *stack;
	struct pt_process **copy;

	stack = pt_array_grow(tree->stack, tree->stack_count, &tree->stack_room, sizeof(*stack));
	if (!stack)
		return -1;
	tree->stack = stack;
	copy = calloc(count, sizeof(*copy));
	if (!copy)
		return -1;
	memcpy(copy, members, count * sizeof(*copy));
	tree->stack[tree->stack_count++] = (struct item){copy, count, depth, asleep};
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct pt_process *x = *(struct pt_process *const *)a;
	const struct pt_process *y = *(struct pt_process *const *)b;
	int order = strcmp(process_name(x), process_name(y));

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* The stack is emptied from its end, so the latest comes first. */
static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->members[0]->index < y->members[0]->index) -
	       (x->members[0]->index > y->members[0]->index);
}

/* Whether a process without children slept from beginning to end: half a machine does. */
static bool is_asleep(const struct tree *tree, const struct pt_process *process)
{
	const struct pt_states *states = pt_analyses_states(tree->source->analyses);
	size_t i;

	if (list_length(&tree->children, process->index))
		return false;
	for (i = tree->tasks.first[process->index]; i < tree->tasks.first[process->index + 1];
	     i++) {
		const struct pt_model_task *task = tree->tasks.items[i];
		const struct pt_states_of *of = pt_states_get(states, task);

		if (!of || of->part[PT_PART_BLOCKED] != task->end_ns - task->start_ns)
			return false;
	}
	return true;
}

/* Puts those who slept throughout behind the others, as one item if they are many; how many are left. */
static size_t push_sleepers(struct tree *tree, struct pt_process **siblings, size_t count,
			    unsigned int depth, int *ret)
{
	struct pt_process **sleepers = calloc(count + 1, sizeof(*sleepers));
	size_t i, slept = 0, awake = 0;

	if (!sleepers) {
		*ret = -1;
		return 0;
	}
	for (i = 0; i < count; i++) {
		if (is_asleep(tree, siblings[i]))
			sleepers[slept++] = siblings[i];
		else
			siblings[awake++] = siblings[i];
	}
	memcpy(siblings + awake, sleepers, slept * sizeof(*sleepers));
	if (slept < PT_GROUP_PROCESSES || tree->source->all)
		awake = count;
	else
		*ret = push(tree, sleepers, slept, depth, true);
	free(sleepers);
	return awake;
}

/* Siblings of one name become one item, if they are many. The array is sorted. */
static int push_siblings(struct tree *tree, struct pt_process **siblings, size_t count,
			 unsigned int depth)
{
	size_t base, i, n;
	int ret = 0;

	count = push_sleepers(tree, siblings, count, depth, &ret);
	base = tree->stack_count;
	qsort(siblings, count, sizeof(*siblings), compare_names);
	for (i = 0; !ret && i < count; i += n) {
		for (n = 1; i + n < count; n++) {
			if (strcmp(process_name(siblings[i]), process_name(siblings[i + n])) != 0)
				break;
		}
		if (tree->source->all || n < PT_GROUP_PROCESSES)
			n = 1;
		ret = push(tree, &siblings[i], n, depth, false);
	}
	if (tree->stack_count > base)
		qsort(tree->stack + base, tree->stack_count - base, sizeof(*tree->stack),
		      compare_items);
	return ret;
}

static int push_children(struct tree *tree, const struct item *item)
{
	struct pt_process **children;
	size_t i, j, count = 0;
	int ret;

	for (i = 0; i < item->count; i++)
		count += list_length(&tree->children, item->members[i]->index);
	if (!count)
		return 0;
	children = calloc(count, sizeof(*children));
	if (!children)
		return -1;
	count = 0;
	for (i = 0; i < item->count; i++) {
		size_t index = item->members[i]->index;

		for (j = tree->children.first[index]; j < tree->children.first[index + 1]; j++) {
			struct pt_process *child = tree->children.items[j];

			if (!tree->seen[child->index])
				children[count++] = child;
			tree->seen[child->index] = true;
		}
	}
	ret = push_siblings(tree, children, count, item->depth + 1);
	free(children);
	return ret;
}

static int show_stack(struct tree *tree)
{
	int ret = 0;

	while (!ret && tree->stack_count) {
		struct item item = tree->stack[--tree->stack_count];

		if (item.count > 1)
			ret = add_group_row(tree, &item);
		else
			ret = add_process_rows(tree, item.members[0], item.depth);
		if (!ret)
			ret = push_children(tree, &item);
		free(item.members);
	}
	return ret;
}

/* Those without a parent here; then, once more, those whose parents go round in a circle, as only
 * nonsense has it. */
static int show_roots(struct tree *tree, bool any)
{
	size_t n = pt_model_process_count(tree->source->model), i, count = 0;
	struct pt_process **roots = calloc(n + 1, sizeof(*roots));
	int ret = roots ? 0 : -1;

	for (i = 0; !ret && i < n; i++) {
		struct pt_process *process = pt_model_process(tree->source->model, i);

		if (tree->seen[i] || !is_shown(tree, process) ||
		    (!any && is_shown(tree, process->parent)))
			continue;
		tree->seen[i] = true;
		roots[count++] = process;
	}
	if (!ret)
		ret = push_siblings(tree, roots, count, 0);
	free(roots);
	return ret ? ret : show_stack(tree);
}

static void clear_tree(struct tree *tree)
{
	while (tree->stack_count)
		free(tree->stack[--tree->stack_count].members);
	free(tree->stack);
	free(tree->tasks.items);
	free(tree->tasks.first);
	free(tree->children.items);
	free(tree->children.first);
	free(tree->task_row);
	free(tree->seen);
}

json_t *pt_section_totals(const struct pt_source *source)
{
	struct tree tree = {.source = source};
	uint64_t tasks = 0, processes = 0;
	size_t i;
	int ret = list_tasks(&tree);

	for (i = 0; !ret && i < pt_model_process_count(source->model); i++) {
		tasks += list_length(&tree.tasks, i);
		processes += list_length(&tree.tasks, i) > 0;
	}
	clear_tree(&tree);
	return ret ? NULL
		   : json_pack("{s:o, s:o}", "tasks", pt_json_int(tasks), "processes",
			       pt_json_int(processes));
}

json_t *pt_section_tree(const struct pt_source *source)
{
	struct tree tree = {.source = source, .rows = json_array()};
	json_t *rows = tree.rows;

	if (!tree.rows || list_tasks(&tree) || list_children(&tree) || show_roots(&tree, false) ||
	    show_roots(&tree, true)) {
		json_decref(tree.rows);
		rows = NULL;
	}
	clear_tree(&tree);
	return rows;
}
