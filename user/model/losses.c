/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/array.h"
#include "model/internal.h"

#include <errno.h>
#include <stdlib.h>

int pt_model_add_loss(struct pt_model *model, const struct pt_loss *loss)
{
	struct pt_interval *losses;

	if (loss->kind != PT_KIND_switch)
		return 0;
	losses =
		pt_array_grow(model->losses, model->loss_count, &model->loss_room, sizeof(*losses));
	if (!losses)
		return -ENOMEM;
	model->losses = losses;
	model->losses[model->loss_count++] = (struct pt_interval){
		.from = loss->length < loss->time ? loss->time - loss->length : 0,
		.to = loss->time,
	};
	model->losses_sorted = false;
	return 0;
}

static int compare_intervals(const void *a, const void *b)
{
	const struct pt_interval *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

void pt_losses_sort(struct pt_model *model)
{
	size_t i, kept = 0;

	model->losses_sorted = true;
	if (!model->loss_count)
		return;
	qsort(model->losses, model->loss_count, sizeof(*model->losses), compare_intervals);
	for (i = 1; i < model->loss_count; i++) {
		struct pt_interval *last = &model->losses[kept], *next = &model->losses[i];

		if (next->from > last->to)
			model->losses[++kept] = *next;
		else if (next->to > last->to)
			last->to = next->to;
	}
	model->loss_count = kept + 1;
}

const struct pt_interval *pt_losses_after(const struct pt_model *model, uint64_t time)
{
	size_t low = 0, high = model->loss_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (model->losses[middle].to > time)
			high = middle;
		else
			low = middle + 1;
	}
	return low < model->loss_count ? &model->losses[low] : NULL;
}
