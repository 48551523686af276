/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/charges.h"

#include <errno.h>
#include <stdlib.h>

struct pt_charges {
	struct pt_task_rows rows;
};

extern const struct pt_analysis_class pt_charges_class;

static struct pt_charge *find_charge(struct pt_charges_of *of, const struct pt_model_task *task)
{
	uint32_t i;

	for (i = 0; i < of->count; i++) {
		struct pt_charge hit;

		if (of->charges[i].task != task)
			continue;
		hit = of->charges[i];
		/* Whoever is found moves ahead, so that the next look-up is short. */
		if (i) {
			of->charges[i] = of->charges[i / 2];
			of->charges[i / 2] = hit;
		}
		return &of->charges[i / 2];
	}
	return NULL;
}

static struct pt_charge *give_up_smallest(struct pt_charges_of *of)
{
	struct pt_charge *smallest = &of->charges[0];
	uint32_t i;

	for (i = 1; i < of->count; i++) {
		if (of->charges[i].ns < smallest->ns)
			smallest = &of->charges[i];
	}
	of->others_ns += smallest->ns;
	return smallest;
}

static int charge(struct pt_charges_of *of, const struct pt_piece *piece)
{
	struct pt_charge *hit = find_charge(of, piece->task);

	if (hit) {
		hit->ns += piece->ns;
		return 0;
	}
	if (of->count < PT_CHARGES_KEPT) {
		if (of->count == of->room) {
			uint32_t room = of->room ? of->room * 2 : 2;

			hit = reallocarray(of->charges, room, sizeof(*hit));
			if (!hit)
				return -ENOMEM;
			of->charges = hit;
			of->room = room;
		}
		hit = &of->charges[of->count++];
	} else {
		hit = give_up_smallest(of);
	}
	*hit = (struct pt_charge){piece->task, piece->ns};
	return 0;
}

static int on_waited(void *self, const struct pt_wait *wait)
{
	struct pt_charges *charges = self;
	struct pt_charges_of *row = pt_task_rows_get(&charges->rows, wait->task);
	size_t i;
	int ret = row ? 0 : -ENOMEM;

	for (i = 0; !ret && i < wait->piece_count; i++)
		ret = charge(row, &wait->pieces[i]);
	return ret;
}

static int compare_charges(const void *a, const void *b)
{
	const struct pt_charge *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return (x->task->index > y->task->index) - (x->task->index < y->task->index);
}

static void sort_charges(void *row)
{
	struct pt_charges_of *of = row;

	if (of->count)
		qsort(of->charges, of->count, sizeof(*of->charges), compare_charges);
}

static void clear_charges(void *row)
{
	struct pt_charges_of *of = row;

	free(of->charges);
}

static int start(void **self, struct pt_model *model)
{
	struct pt_charges *charges = calloc(1, sizeof(*charges));

	*self = charges;
	if (!charges)
		return -ENOMEM;
	charges->rows.size = sizeof(struct pt_charges_of);
	return pt_model_observe(model, &(struct pt_observer){.self = charges, .waited = on_waited});
}

static int finish(void *self)
{
	struct pt_charges *charges = self;

	pt_task_rows_each(&charges->rows, sort_charges);
	return 0;
}

static void release(void *self)
{
	struct pt_charges *charges = self;

	pt_task_rows_each(&charges->rows, clear_charges);
	pt_task_rows_clear(&charges->rows);
	free(charges);
}

const struct pt_analysis_class pt_charges_class = {
	.name = "charges",
	.start = start,
	.finish = finish,
	.free = release,
};

const struct pt_charges_of *pt_charges_get(const struct pt_charges *charges,
					   const struct pt_model_task *task)
{
	static const struct pt_charges_of none;
	const struct pt_charges_of *row = pt_task_rows_peek(&charges->rows, task);

	return row ? row : &none;
}
