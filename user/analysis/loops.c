/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/loops.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* One poll when a program starts does not make a loop. */
#define RETURNS_OF_LOOP 1
#define RETURNS_OF_TASK 2

/* A turn in which another loop ran: whether that one was nested, or takes turns with it, is known only at the end. */
struct undecided {
	const struct pt_loop *inner;
	uint64_t length, inner_idle;
	bool returned;
};

struct row {
	struct pt_loops_of of;
	struct undecided *undecided;
	size_t undecided_count, undecided_room;
};

struct pt_loops {
	const struct pt_model *model;
	struct row **rows; /* by index of the loop */
	size_t row_count, row_room;
};

extern const struct pt_analysis_class pt_loops_class;

static struct row *row_of(struct pt_loops *loops, const struct pt_loop *loop)
{
	while (loop->index >= loops->row_count) {
		struct row **grown = pt_array_grow(loops->rows, loops->row_count, &loops->row_room,
						   sizeof(*grown));

		if (!grown)
			return NULL;
		loops->rows = grown;
		loops->rows[loops->row_count] = calloc(1, sizeof(struct row));
		if (!loops->rows[loops->row_count])
			return NULL;
		loops->row_count++;
	}
	return loops->rows[loop->index];
}

static int add_turn(const struct pt_loops *loops, struct pt_loops_of *of, uint64_t length,
		    bool returned)
{
	of->turns++;
	of->returns += returned;
	if (length >= pt_model_stall(loops->model)) {
		of->stalls++;
		of->stall_ns += length;
	}
	return pt_histogram_add(&of->turn_ns, length);
}

static int on_turned_many(void *self, const struct pt_loop *loop, uint64_t length, uint64_t count)
{
	struct row *row = row_of(self, loop);

	if (!row)
		return -ENOMEM;
	row->of.turns += count;
	row->of.returns += count;
	return pt_histogram_add_many(&row->of.turn_ns, length, count);
}

static int keep_undecided(struct row *row, const struct pt_loop_turn *turn)
{
	struct undecided *grown = pt_array_grow(row->undecided, row->undecided_count,
						&row->undecided_room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	row->undecided = grown;
	grown[row->undecided_count++] = (struct undecided){
		turn->inner, turn->to - turn->from, turn->inner_idle, turn->end == PT_TURN_WAITED};
	return 0;
}

static int on_turned(void *self, const struct pt_loop_turn *turn)
{
	struct pt_loops *loops = self;
	struct row *row = row_of(loops, turn->loop);

	if (!row)
		return -ENOMEM;
	/* poll() and select() are called inside turns: they never make one loop with another. */
	if (turn->inner && turn->inner->object != PT_LOOP_OF_TASK)
		return keep_undecided(row, turn);
	return add_turn(loops, &row->of, turn->to - turn->from, turn->end == PT_TURN_WAITED);
}

static int decide(struct pt_loops *loops, struct row *row, const struct pt_loop *loop)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < row->undecided_count; i++) {
		struct undecided *u = &row->undecided[i];

		if (u->inner->with == loop)
			u->length -= u->inner_idle < u->length ? u->inner_idle : u->length;
		ret = add_turn(loops, &row->of, u->length, u->returned);
	}
	return ret;
}

static int finish(void *self)
{
	struct pt_loops *loops = self;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < pt_model_loop_count(loops->model); i++) {
		const struct pt_loop *loop = pt_model_loop(loops->model, i);
		struct row *row = row_of(loops, loop);
		struct pt_loops_of *of = row ? &row->of : NULL;

		if (!row)
			return -ENOMEM;
		ret = decide(loops, row, loop);
		of->wall_ns = loop->end_ns > loop->first_ns ? loop->end_ns - loop->first_ns : 0;
		of->idle_ns = loop->idle_ns < of->wall_ns ? loop->idle_ns : of->wall_ns;
		of->busy_ns = of->wall_ns - of->idle_ns;
		of->worth = !loop->with &&
			    of->returns >= (loop->object == PT_LOOP_OF_TASK ? RETURNS_OF_TASK
									    : RETURNS_OF_LOOP);
		if (loop->shared || loop->nested)
			of->stalls = of->stall_ns = 0;
	}
	return ret;
}

static int start(void **self, struct pt_model *model)
{
	struct pt_loops *loops = calloc(1, sizeof(*loops));

	*self = loops;
	if (!loops)
		return -ENOMEM;
	loops->model = model;
	return pt_model_observe(model, &(struct pt_observer){.self = loops,
							     .turned = on_turned,
							     .turned_many = on_turned_many});
}

static void release(void *self)
{
	struct pt_loops *loops = self;
	size_t i;

	for (i = 0; i < loops->row_count; i++) {
		pt_histogram_clear(&loops->rows[i]->of.turn_ns);
		free(loops->rows[i]->undecided);
		free(loops->rows[i]);
	}
	free(loops->rows);
	free(loops);
}

const struct pt_analysis_class pt_loops_class = {
	.name = "loops",
	.start = start,
	.finish = finish,
	.free = release,
};

const struct pt_loops_of *pt_loops_get(const struct pt_loops *loops, const struct pt_loop *loop)
{
	static const struct pt_loops_of none;

	return loop->index < loops->row_count ? &loops->rows[loop->index]->of : &none;
}

struct excess {
	double above; /* the delay that is tried, ns */
	double sum;   /* of what all turns have beyond it */
};

static void add_excess(void *context, uint64_t value, uint64_t count)
{
	struct excess *excess = context;

	if ((double)value > excess->above)
		excess->sum += ((double)value - excess->above) * (double)count;
}

/* In a turn of length L, L - d of its instants leave an event waiting longer than d: a sum that falls as d grows. */
uint64_t pt_loops_delay(const struct pt_loops_of *of, double share)
{
	double low = 0, high = (double)of->turn_ns.max, target = (1 - share) * (double)of->wall_ns;
	struct excess excess;

	while (high - low > 0.5 && high - low > high * 1e-6) {
		excess = (struct excess){.above = (low + high) / 2};
		pt_histogram_walk(&of->turn_ns, add_excess, &excess);
		if (excess.sum > target)
			low = excess.above;
		else
			high = excess.above;
	}
	return high < 1 ? 0 : (uint64_t)high;
}
