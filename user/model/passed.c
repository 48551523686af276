/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/passed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* A primary hands over connections by the thousand: so many are told one by one, and by so many tasks each. */
#define THING_LIMIT 256
#define BY_LIMIT    16

static void count(struct pt_passed_counts *counts, const struct pt_pass *row, uint64_t n)
{
	if (row->flags & PT_TRANSFER_SENT)
		counts->sent += n;
	else if (row->flags & PT_PASS_PEEKED)
		counts->peeked += n;
	else
		counts->received += n;
}

static bool is_that(const struct pt_passed_thing *thing, const struct pt_pass *row, uint8_t kind)
{
	return thing->object == row->object && thing->kind == kind && thing->inode == row->inode &&
	       thing->device == row->device &&
	       thing->flags == (row->flags & (PT_PASS_READS | PT_PASS_WRITES));
}

/* 0 with *out NULL: there is no room for it. */
static int thing_of(struct pt_passed *passed, const struct pt_record *record, uint8_t kind,
		    struct pt_passed_thing **out)
{
	const struct pt_pass *row = record->row;
	struct pt_passed_thing *things;
	size_t i;

	*out = NULL;
	for (i = 0; i < passed->thing_count; i++) {
		if (is_that(&passed->things[i], row, kind)) {
			*out = &passed->things[i];
			return 0;
		}
	}
	if (i == THING_LIMIT)
		return 0;
	things = pt_array_grow(passed->things, i, &passed->thing_room, sizeof(*things));
	if (!things)
		return -ENOMEM;
	passed->things = things;
	things[i] = (struct pt_passed_thing){
		.object = row->object,
		.inode = row->inode,
		.device = row->device,
		.port = row->port,
		.kind = kind,
		.flags = row->flags & (PT_PASS_READS | PT_PASS_WRITES),
		.name = record->text_len ? strndup(record->text, record->text_len) : NULL,
	};
	passed->thing_count++;
	*out = &things[i];
	return 0;
}

static int count_task(struct pt_passed_thing *thing, const struct pt_pass *row,
		      const struct pt_model_task *task)
{
	struct pt_passed_by *by;
	size_t i;

	for (i = 0; i < thing->by_count && thing->by[i].task != task; i++)
		;
	if (i == BY_LIMIT)
		return 0;
	if (i == thing->by_count) {
		by = pt_array_grow(thing->by, i, &thing->by_room, sizeof(*by));
		if (!by)
			return -ENOMEM;
		thing->by = by;
		by[thing->by_count++] = (struct pt_passed_by){.task = task};
	}
	count(&thing->by[i].counts, row, 1);
	return 0;
}

int pt_passed_add(struct pt_passed *passed, const struct pt_record *record,
		  const struct pt_model_task *task)
{
	const struct pt_pass *row = record->row;
	uint8_t kind = row->kind < PT_PASSED_KINDS ? row->kind : PT_CHANNEL_NONE;
	bool alike = row->flags & PT_PASS_ALIKE;
	struct pt_passed_thing *thing;

	if (!row->count)
		return 0;
	if (alike || row->count > 1)
		count(&passed->unnamed, row, row->count - !alike);
	if (alike) {
		count(&passed->kinds[kind], row, row->count);
		return 0;
	}
	/* Recordings of before tell what the first of them is, and no more. */
	count(&passed->kinds[kind], row, 1);
	count(&passed->kinds[PT_CHANNEL_NONE], row, row->count - 1);
	if (thing_of(passed, record, kind, &thing))
		return -ENOMEM;
	if (!thing) {
		count(&passed->unnamed, row, 1);
		return 0;
	}
	count(&thing->counts, row, 1);
	return count_task(thing, row, task);
}

void pt_passed_free(struct pt_passed *passed)
{
	size_t i;

	if (!passed)
		return;
	for (i = 0; i < passed->thing_count; i++) {
		free(passed->things[i].name);
		free(passed->things[i].by);
	}
	free(passed->things);
	free(passed);
}
