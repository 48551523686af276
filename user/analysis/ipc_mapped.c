/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/ipc_mapped.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* A process with more has the first of them. */
#define MAPPING_LIMIT 1024
/* Of all processes: one that maps much may fork by the thousand. */
#define ALL_LIMIT 262144

struct mapping {
	struct pt_channel *channel;
	uint32_t count; /* times that it is mapped now, as far as was seen */
	bool writes;
	bool inherited; /* from a parent, and not mapped by itself */
	bool before; /* found by a look, and nobody saw it being mapped: it was there when recording began */
};

struct pt_mappings_of {
	struct mapping *list;
	size_t count, room;
};

/* Those of a process, made if need be; NULL without memory. */
static struct pt_mappings_of *mappings_of(struct pt_mapped *mapped,
					  const struct pt_process *process)
{
	size_t room = mapped->room ? mapped->room : 64;
	struct pt_mappings_of **list;

	while (room <= process->index)
		room *= 2;
	if (room > mapped->room) {
		list = reallocarray(mapped->list, room, sizeof(*list));
		if (!list)
			return NULL;
		memset(list + mapped->room, 0, (room - mapped->room) * sizeof(*list));
		mapped->list = list;
		mapped->room = room;
	}
	if (!mapped->list[process->index])
		mapped->list[process->index] = calloc(1, sizeof(**mapped->list));
	return mapped->list[process->index];
}

static struct pt_mappings_of *peek(const struct pt_mapped *mapped, const struct pt_process *process)
{
	return process && process->index < mapped->room ? mapped->list[process->index] : NULL;
}

static struct mapping *find(const struct pt_mappings_of *of, const struct pt_channel *channel)
{
	size_t i;

	for (i = 0; i < of->count; i++) {
		if (of->list[i].channel == channel)
			return &of->list[i];
	}
	return NULL;
}

/* Who has it from a parent is told as a holder at the end, unless there are too many. */
static int add(struct pt_mapped *mapped, struct pt_mappings_of *of, const struct mapping *mapping)
{
	struct mapping *list;

	if (of->count == MAPPING_LIMIT || mapped->count == ALL_LIMIT) {
		mapping->channel->side[0].holders_omitted += mapping->inherited;
		return 0;
	}
	list = pt_array_grow(of->list, of->count, &of->room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	of->list = list;
	list[of->count++] = *mapping;
	mapped->count++;
	return 0;
}

int pt_mapped_segment(struct pt_mapped *mapped, const struct pt_process *process,
		      struct pt_channel *channel, const struct pt_segment *row)
{
	struct pt_mappings_of *of = mappings_of(mapped, process);
	struct mapping *mapping = of ? find(of, channel) : NULL;
	bool told = row->flags & PT_SEGMENT_MAPPED, ended = row->flags & PT_SEGMENT_ENDED;

	if (!of)
		return -ENOMEM;
	if (ended) {
		if (mapping && mapping->count)
			mapping->count--;
		return 0;
	}
	if (!mapping)
		return add(mapped, of,
			   &(struct mapping){
				   .channel = channel,
				   .count = 1,
				   .writes = row->flags & PT_SEGMENT_WRITES,
				   .before = !told,
			   });
	mapping->writes |= row->flags & PT_SEGMENT_WRITES;
	mapping->inherited &= !told;
	mapping->count += told || !mapping->count;
	return 0;
}

/* What the parent maps now. */
static int inherit(struct pt_mapped *mapped, struct pt_mappings_of *to,
		   const struct pt_mappings_of *from)
{
	bool fresh = !to->count;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < from->count; i++) {
		struct mapping mapping = from->list[i];

		mapping.inherited = true;
		if (mapping.count && (fresh || !find(to, mapping.channel)))
			ret = add(mapped, to, &mapping);
	}
	return ret;
}

int pt_mapped_fork(struct pt_mapped *mapped, const struct pt_fork *row,
		   const struct pt_model *model)
{
	const struct pt_model_task *child = pt_model_find(model, row->tid);
	const struct pt_mappings_of *from;
	struct pt_mappings_of *to;

	if (row->clone_flags & CLONE_THREAD || !child || !peek(mapped, child->process->parent))
		return 0;
	to = mappings_of(mapped, child->process);
	from = peek(mapped, child->process->parent); /* the list may have moved */
	return to ? inherit(mapped, to, from) : -ENOMEM;
}

void pt_mapped_exec(struct pt_mapped *mapped, const struct pt_process *process)
{
	struct pt_mappings_of *of = peek(mapped, process);

	if (!of)
		return;
	mapped->count -= of->count;
	free(of->list);
	*of = (struct pt_mappings_of){0};
}

static int add_holder(struct pt_channels *channels, const struct mapping *mapping,
		      const struct pt_process *process)
{
	struct pt_holder holder = {
		.end = mapping->channel->side[0].end,
		.pid = process->pid,
		.flags = PT_HOLDER_READS | PT_HOLDER_INHERITED |
			 (mapping->writes ? PT_HOLDER_WRITES : 0),
	};

	if (process->leader)
		memcpy(holder.comm.s, process->leader->comm, PT_COMM_LEN);
	return pt_channels_add_holder(channels, &holder);
}

/*
 * What was there when recording began is found by a look at the process, when some of its children may have come and gone:
 * these have it, too.
 */
static int inherit_from_before(struct pt_mapped *mapped, const struct pt_process *process)
{
	const struct pt_process *parent = process->parent;
	struct pt_mappings_of *from = peek(mapped, parent), *to;
	size_t i;
	int ret = 0;

	bool was_there = parent && parent->leader && !parent->leader->start_ns;

	if (!from || !process->leader || process->leader->execed || !process->leader->start_ns)
		return 0;
	to = mappings_of(mapped, process);
	from = peek(mapped, parent);
	for (i = 0; to && !ret && i < from->count; i++) {
		struct mapping mapping = from->list[i];

		if (!mapping.before || (!was_there && !mapping.inherited))
			continue;
		mapping.inherited = true;
		if (!find(to, mapping.channel))
			ret = add(mapped, to, &mapping);
	}
	return to ? ret : -ENOMEM;
}

/* Children come after their parents. */
int pt_mapped_finish(struct pt_mapped *mapped, struct pt_channels *channels,
		     const struct pt_model *model)
{
	size_t count = pt_model_process_count(model), i, j;
	int ret = 0;

	for (i = 0; !ret && i < count; i++) {
		const struct pt_process *process = pt_model_process(model, i);
		const struct pt_mappings_of *of;

		ret = inherit_from_before(mapped, process);
		of = peek(mapped, process);
		for (j = 0; of && !ret && j < of->count; j++) {
			if (of->list[j].inherited)
				ret = add_holder(channels, &of->list[j], process);
		}
	}
	return ret;
}

void pt_mapped_clear(struct pt_mapped *mapped)
{
	size_t i;

	for (i = 0; i < mapped->room; i++) {
		if (mapped->list[i])
			free(mapped->list[i]->list);
		free(mapped->list[i]);
	}
	free(mapped->list);
	*mapped = (struct pt_mapped){0};
}
