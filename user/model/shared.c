/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops of several tasks on one object. */
#include "model/internal.h"

#include <errno.h>
#include <stdlib.h>

static int compare_objects(const void *a, const void *b)
{
	const struct pt_loop *x = *(struct pt_loop *const *)a, *y = *(struct pt_loop *const *)b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

/* Loops on one object, by their beginning: shared if one begins before another ends, else handed over. */
static void mark_shared(struct pt_loop **loops, size_t count)
{
	uint64_t end = loops[0]->end_ns;
	bool shared = false;
	size_t i;

	for (i = 1; i < count; i++) {
		shared |= loops[i]->first_ns < end;
		end = loops[i]->end_ns > end ? loops[i]->end_ns : end;
	}
	for (i = 0; shared && i < count; i++)
		loops[i]->shared = true;
}

int pt_loops_compare(struct pt_model *model)
{
	size_t count = model->loops.count, i, n;
	struct pt_loop **loops = calloc(count + 1, sizeof(*loops));

	if (!loops)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		loops[i] = pt_pool_at(&model->loops, i);
	qsort(loops, count, sizeof(*loops), compare_objects);
	for (i = 0; i < count; i += n) {
		n = 1;
		while (i + n < count && loops[i + n]->object == loops[i]->object)
			n++;
		if (loops[i]->object != PT_LOOP_OF_TASK)
			mark_shared(loops + i, n);
	}
	free(loops);
	return 0;
}
