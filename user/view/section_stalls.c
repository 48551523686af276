/* SPDX-License-Identifier: BSD-2-Clause */
/* Every stall, the longest first, and what it consisted of. */
#include <stdlib.h>
#include <string.h>

#include "analysis/loops.h"
#include "base/syscalls.h"
#include "view/section.h"
#include "view/stall_words.h"

static const char *const verdict_names[] = {
#define V(name, text) text,
	PT_VERDICTS(V)
#undef V
};

static const char *const end_names[] = {
	[PT_TURN_WAITED] = "waited",
	[PT_TURN_RUNNING] = "running",
	[PT_TURN_EXITED] = "exited",
};

/* Takes the text over. */
static json_t *taken_text(char *text)
{
	json_t *json = text ? pt_json_text(text) : NULL;

	free(text);
	return json;
}

static json_t *call_name(const struct pt_source *source, int syscall)
{
	const char *name = pt_syscall_name(source->meta->arch, syscall);

	return name ? json_string(name) : json_null();
}

static json_t *calls(const struct pt_source *source, const struct pt_stall *stall)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < stall->call_count; i++) {
		const struct pt_stall_call *call = &stall->calls[i];

		ret = json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:o}", "name",
				  call->syscall < 0 ? json_string("others")
						    : call_name(source, call->syscall),
				  "count", pt_json_int(call->count), "ns", pt_json_int(call->ns)));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *slept_json(const struct pt_source *source, const struct pt_slept *slept)
{
	const struct pt_model_task *waker = slept->waker;
	bool known = waker && waker != pt_model_nobody(source->model) &&
		     waker != pt_model_idle(source->model);

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "reason",
			 pt_json_reason(slept->reason), "syscall",
			 call_name(source, slept->syscall), "object",
			 taken_text(pt_slept_object(source, slept)), "ns", pt_json_int(slept->ns),
			 "count", pt_json_int(slept->count), "max_ns", pt_json_int(slept->longest),
			 "woken_by", known ? pt_json_who(waker) : json_null());
}

static json_t *sleeps(const struct pt_source *source, const struct pt_tally *tally)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < tally->sleep_count; i++)
		ret = json_array_append_new(list, slept_json(source, &tally->sleeps[i]));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *takers(const struct pt_tally *tally)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < tally->taker_count; i++) {
		json_t *who = pt_json_who(tally->takers[i].task);

		ret = pt_json_put(who, "ns", pt_json_int(tally->takers[i].ns));
		ret |= json_array_append_new(list, who);
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *children(const struct pt_tally *tally)
{
	json_t *list = json_array();
	uint32_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < tally->child_count && i < PT_TALLY_CHILDREN; i++)
		ret = json_array_append_new(list, pt_json_who(tally->children[i]));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *parts(const struct pt_stall *stall)
{
	struct pt_states_of states = {0};
	size_t i;

	for (i = 0; i < PT_PART_COUNT; i++)
		states.part[i] = stall->part[i];
	return pt_json_parts(&states);
}

static json_t *build_stall(const struct pt_source *source, const struct pt_stall *stall)
{
	json_t *json = pt_json_who(stall->loop->task);
	int ret = pt_json_put(json, "loop", pt_json_int(stall->loop->index));

	ret |= pt_json_put(json, "start_ns", pt_json_int(stall->from));
	ret |= pt_json_put(json, "duration_ns", pt_json_int(stall->to - stall->from));
	ret |= pt_json_put(json, "ended_by", json_string(end_names[stall->end]));
	ret |= pt_json_put(json, "parts_ns", parts(stall));
	ret |= pt_json_put(json, "estimated", json_boolean(stall->estimated));
	ret |= pt_json_put(json, "verdict", json_string(verdict_names[stall->verdict]));
	ret |= pt_json_put(json, "reason", json_string(pt_stall_reason(source, stall)));
	ret |= pt_json_put(json, "summary", taken_text(pt_stall_summary(source, stall)));
	ret |= pt_json_put(json, "syscalls", calls(source, stall));
	ret |= pt_json_put(json, "blocked", sleeps(source, &stall->tally));
	ret |= pt_json_put(json, "cpu_taken_by", takers(&stall->tally));
	ret |= pt_json_put(json, "throttled_ns", pt_json_int(stall->held_ns));
	ret |= pt_json_put(json, "throttled_by", pt_json_cgroup(stall->held_by));
	ret |= pt_json_put(json, "children", children(&stall->tally));
	ret |= pt_json_put(json, "stacks", json_array());
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

static bool is_worth(const struct pt_source *source, const struct pt_stall *stall)
{
	return pt_loops_get(pt_analyses_loops(source->analyses), stall->loop)->worth;
}

json_t *pt_section_stalls(const struct pt_source *source)
{
	const struct pt_stalls *stalls = pt_analyses_stalls(source->analyses);
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < pt_stalls_count(stalls); i++) {
		const struct pt_stall *stall = pt_stalls_get(stalls, i);

		if (is_worth(source, stall))
			ret = json_array_append_new(list, build_stall(source, stall));
	}
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}

/* Stalls that are alike: of one loop, with one verdict, for one reason, in one system call. */
struct group {
	const struct pt_stall *worst;
	const char *reason;
	int syscall; /* in which it spent that time; -1: in none, or not known */
	uint64_t count, total, first, last;
};

static int syscall_of(const struct pt_stall *stall)
{
	if (stall->slept)
		return stall->slept->syscall;
	return stall->call ? stall->call->syscall : -1;
}

static int compare_kinds(const struct group *x, const struct group *y)
{
	const struct pt_stall *a = x->worst, *b = y->worst;

	if (a->loop != b->loop)
		return a->loop->index < b->loop->index ? -1 : 1;
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (x->syscall != y->syscall)
		return x->syscall < y->syscall ? -1 : 1;
	return strcmp(x->reason, y->reason);
}

/* The longest of a kind comes first. */
static int compare_members(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int kind = compare_kinds(x, y);

	if (kind)
		return kind;
	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return (x->first > y->first) - (x->first < y->first);
}

/* Makes a group of each stall, then one of all that are alike; returns how many. */
static size_t make_groups(const struct pt_source *source, struct group *groups)
{
	const struct pt_stalls *stalls = pt_analyses_stalls(source->analyses);
	size_t i, count = 0, kept = 0;

	for (i = 0; i < pt_stalls_count(stalls); i++) {
		const struct pt_stall *s = pt_stalls_get(stalls, i);

		if (!is_worth(source, s))
			continue;
		groups[count] = (struct group){.worst = s,
					       .reason = pt_stall_reason(source, s),
					       .syscall = syscall_of(s),
					       .count = 1,
					       .total = s->to - s->from,
					       .first = s->from,
					       .last = s->from};
		count++;
	}
	qsort(groups, count, sizeof(*groups), compare_members);
	for (i = 0; i < count; i++) {
		struct group *last = kept ? &groups[kept - 1] : NULL;

		if (!last || compare_kinds(last, &groups[i])) {
			groups[kept++] = groups[i];
			continue;
		}
		last->count++;
		last->total += groups[i].total;
		last->first = groups[i].first < last->first ? groups[i].first : last->first;
		last->last = groups[i].last > last->last ? groups[i].last : last->last;
	}
	return kept;
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return (x->first > y->first) - (x->first < y->first);
}

static json_t *build_group(const struct pt_source *source, const struct group *group)
{
	const struct pt_stall *worst = group->worst;
	json_t *json = pt_json_who(worst->loop->task);
	int ret = pt_json_put(json, "loop", pt_json_int(worst->loop->index));

	ret |= pt_json_put(json, "verdict", json_string(verdict_names[worst->verdict]));
	ret |= pt_json_put(json, "reason", json_string(group->reason));
	ret |= pt_json_put(json, "syscall", call_name(source, group->syscall));
	ret |= pt_json_put(json, "count", pt_json_int(group->count));
	ret |= pt_json_put(json, "total_ns", pt_json_int(group->total));
	ret |= pt_json_put(json, "worst_ns", pt_json_int(worst->to - worst->from));
	ret |= pt_json_put(json, "worst_start_ns", pt_json_int(worst->from));
	ret |= pt_json_put(json, "first_ns", pt_json_int(group->first));
	ret |= pt_json_put(json, "last_ns", pt_json_int(group->last));
	ret |= pt_json_put(json, "summary", taken_text(pt_stall_summary(source, worst)));
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

json_t *pt_section_stall_groups(const struct pt_source *source)
{
	size_t room = pt_stalls_count(pt_analyses_stalls(source->analyses)), count = 0, i;
	struct group *groups = calloc(room + 1, sizeof(*groups));
	json_t *list = groups ? json_array() : NULL;
	int ret = list ? 0 : -1;

	if (!ret)
		count = make_groups(source, groups);
	if (count)
		qsort(groups, count, sizeof(*groups), compare_groups);
	for (i = 0; !ret && i < count; i++)
		ret = json_array_append_new(list, build_group(source, &groups[i]));
	free(groups);
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
