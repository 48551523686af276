/* SPDX-License-Identifier: BSD-2-Clause */
/* Which runs are of the same thing, and which things are compared with each other. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"
#include "view/text_part.h"

/* What exceeds this was crafted, and would only upset the arithmetic. */
#define CREDIBLE 1e50

static bool same_text(const struct pt_scene *a, const struct pt_scene *b, const char *path)
{
	return !strcmp(pt_scene_text(a, path), pt_scene_text(b, path));
}

static bool same_machine(const struct pt_scene *a, const struct pt_scene *b)
{
	return !strcmp(pt_text_string(a->trace, "host"), pt_text_string(b->trace, "host")) &&
	       !strcmp(pt_text_string(a->trace, "kernel"), pt_text_string(b->trace, "kernel"));
}

static bool same_thing(const struct pt_scene *a, const struct pt_scene *b)
{
	const json_t *command = json_object_get(a->trace, "command");

	if (!a->claims != !b->claims || !same_machine(a, b))
		return false;
	if (!a->claims)
		return json_array_size(command) &&
		       json_equal(command, json_object_get(b->trace, "command"));
	return same_text(a, b, "model") && same_text(a, b, "kind") && same_text(a, b, "runtime") &&
	       json_equal(json_object_get(a->claims, "options"),
			  json_object_get(b->claims, "options"));
}

/* The modes of http are ways to serve, like the models; those of the other kinds are different work, and so is what a
 * message goes through. */
static bool same_work(const struct pt_scene *a, const struct pt_scene *b)
{
	if (!a->claims || !b->claims)
		return !a->claims && !b->claims;
	return same_text(a, b, "kind") &&
	       (!strcmp(pt_scene_text(a, "kind"), "http") ||
		(same_text(a, b, "options.mode") && same_text(a, b, "options.via")));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static char *make_label(const struct pt_scene *scene)
{
	bool node = !strcmp(pt_scene_text(scene, "runtime"), "node");
	bool http = !strcmp(pt_scene_text(scene, "kind"), "http");
	char *label;
	int n;

	if (!scene->claims)
		return strdup(base_name(scene->file));
	n = asprintf(&label, "%s%s%s%s", pt_scene_text(scene, "model"), node ? " node" : "",
		     http ? " " : "", http ? pt_scene_text(scene, "options.mode") : "");
	return n < 0 ? NULL : label;
}

/* Things of one table that would look the same (another machine, other options) are told apart by their files. */
static int distinguish(struct pt_comparison *comparison, struct pt_group *group)
{
	size_t i;

	for (i = 0; i < comparison->group_count; i++) {
		struct pt_group *other = &comparison->groups[i];

		if (other == group || other->table != group->table ||
		    strcmp(other->label, group->label) != 0)
			continue;
		free(group->label);
		group->label = strdup(base_name(group->runs[0]->file));
		return group->label ? 0 : -ENOMEM;
	}
	return 0;
}

static struct pt_group *find_group(struct pt_comparison *comparison, const struct pt_scene *scene)
{
	size_t i;

	for (i = 0; i < comparison->group_count; i++) {
		if (same_thing(comparison->groups[i].runs[0], scene))
			return &comparison->groups[i];
	}
	return NULL;
}

static size_t find_table(struct pt_comparison *comparison, const struct pt_scene *scene)
{
	size_t i;

	for (i = 0; i < comparison->group_count; i++) {
		if (same_work(comparison->groups[i].runs[0], scene))
			return comparison->groups[i].table;
	}
	return comparison->table_count++;
}

static struct pt_group *add_group(struct pt_comparison *comparison, const struct pt_scene *scene)
{
	struct pt_group *groups =
		reallocarray(comparison->groups, comparison->group_count + 1, sizeof(*groups));
	struct pt_group *group;

	if (!groups)
		return NULL;
	comparison->groups = groups;
	group = &groups[comparison->group_count];
	*group = (struct pt_group){.table = find_table(comparison, scene)};
	comparison->group_count++;
	group->label = make_label(scene);
	group->figures = calloc(pt_measure_count(), sizeof(*group->figures));
	return group->label && group->figures ? group : NULL;
}

/* The same recording once more, under whatever name: counted twice it would make sure what is not. */
static bool is_known(const struct pt_group *group, const struct pt_scene *scene)
{
	const json_t *start = json_object_get(scene->trace, "start_monotonic_ns");
	size_t i;

	for (i = 0; json_is_integer(start) && i < group->run_count; i++) {
		const json_t *trace = group->runs[i]->trace;

		if (trace != scene->trace &&
		    json_equal(start, json_object_get(trace, "start_monotonic_ns")) &&
		    json_equal(json_object_get(scene->trace, "start_time"),
			       json_object_get(trace, "start_time")))
			return true;
	}
	return false;
}

static int add_run(struct pt_group *group, const struct pt_scene *scene)
{
	const struct pt_scene **runs;

	if (is_known(group, scene))
		return 0;
	runs = reallocarray(group->runs, group->run_count + 1, sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	group->runs = runs;
	runs[group->run_count++] = scene;
	return 0;
}

static int measure(struct pt_group *group)
{
	double *values = calloc(group->run_count * pt_measure_count(), sizeof(*values));
	size_t i, j;

	group->values = values;
	if (!values)
		return -ENOMEM;
	for (i = 0; i < pt_measure_count(); i++, values += group->run_count) {
		size_t count = 0;

		for (j = 0; j < group->run_count; j++) {
			double value = pt_measure(i)->of(group->runs[j]);

			if (isfinite(value) && fabs(value) < CREDIBLE)
				values[count++] = value;
		}
		pt_spread_of(&group->figures[i], values, count);
	}
	return 0;
}

int pt_comparison_make(struct pt_comparison *comparison, const struct pt_scenes *scenes)
{
	size_t i;
	int ret = 0;

	*comparison = (struct pt_comparison){0};
	for (i = 0; !ret && i < scenes->count; i++) {
		struct pt_group *group = find_group(comparison, &scenes->items[i]);

		if (!group)
			group = add_group(comparison, &scenes->items[i]);
		ret = group ? add_run(group, &scenes->items[i]) : -ENOMEM;
	}
	for (i = 0; !ret && i < comparison->group_count; i++)
		ret = measure(&comparison->groups[i]);
	for (i = 0; !ret && i < comparison->group_count; i++)
		ret = distinguish(comparison, &comparison->groups[i]);
	return ret;
}

void pt_comparison_clear(struct pt_comparison *comparison)
{
	size_t i;

	for (i = 0; i < comparison->group_count; i++) {
		free(comparison->groups[i].runs);
		free(comparison->groups[i].figures);
		free(comparison->groups[i].values);
		free(comparison->groups[i].label);
	}
	free(comparison->groups);
	*comparison = (struct pt_comparison){0};
}
