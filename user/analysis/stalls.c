/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/stalls.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "analysis/loops.h"

#define CALLS_PENDING_MAX 256
/* What the way into the kernel and out of it takes, beyond the time that is measured between. */
#define CALL_EDGE_NS 200

/* What is known of a task's system calls before the turn that they belong to is. */
struct pending {
	struct pt_call *calls;
	uint32_t count, room;
	struct pt_stall *last; /* the task's last stall: calls of the same time belong to it */
};

/* The stalls of one loop: a heap with the shortest on top, so that it is easily given up. */
struct heap {
	struct pt_stall **stalls;
	size_t count, room;
};

struct pt_stalls {
	const struct pt_model *model;
	struct pt_task_rows pending;
	struct heap *heaps; /* by index of the loop */
	size_t heap_count;
	struct pt_stall **kept;
	size_t kept_count;
};

extern const struct pt_analysis_class pt_stalls_class;

static uint64_t length_of(const struct pt_stall *stall)
{
	return stall->to - stall->from;
}

static void free_stall(struct pt_stall *stall)
{
	if (stall)
		pt_tally_free(&stall->tally);
	free(stall);
}

static struct heap *heap_of(struct pt_stalls *stalls, const struct pt_loop *loop)
{
	size_t count = stalls->heap_count, i;
	struct heap *grown;

	if (loop->index < count)
		return &stalls->heaps[loop->index];
	count = loop->index + 1 > count * 2 ? loop->index + 1 : count * 2;
	grown = reallocarray(stalls->heaps, count, sizeof(*grown));
	if (!grown)
		return NULL;
	for (i = stalls->heap_count; i < count; i++)
		grown[i] = (struct heap){0};
	stalls->heaps = grown;
	stalls->heap_count = count;
	return &grown[loop->index];
}

static void sift_up(struct heap *heap, size_t at)
{
	while (at && length_of(heap->stalls[at]) < length_of(heap->stalls[(at - 1) / 2])) {
		struct pt_stall *stall = heap->stalls[at];

		heap->stalls[at] = heap->stalls[(at - 1) / 2];
		at = (at - 1) / 2;
		heap->stalls[at] = stall;
	}
}

static void sift_down(struct heap *heap)
{
	size_t at = 0, child;

	while ((child = at * 2 + 1) < heap->count) {
		struct pt_stall *stall = heap->stalls[at];

		if (child + 1 < heap->count &&
		    length_of(heap->stalls[child + 1]) < length_of(heap->stalls[child]))
			child++;
		if (length_of(stall) <= length_of(heap->stalls[child]))
			return;
		heap->stalls[at] = heap->stalls[child];
		heap->stalls[child] = stall;
		at = child;
	}
}

/* Takes the stall over, whatever it returns. */
static int keep(struct heap *heap, struct pending *pending, struct pt_stall *stall)
{
	struct pt_stall **grown;

	if (heap->count == PT_STALLS_KEPT) {
		if (length_of(stall) <= length_of(heap->stalls[0])) {
			free_stall(stall);
			return 0;
		}
		free_stall(heap->stalls[0]);
		heap->stalls[0] = stall;
		sift_down(heap);
		pending->last = stall;
		return 0;
	}
	grown = pt_array_grow(heap->stalls, heap->count, &heap->room, sizeof(*grown));
	if (!grown) {
		free_stall(stall);
		return -ENOMEM;
	}
	heap->stalls = grown;
	heap->stalls[heap->count] = stall;
	sift_up(heap, heap->count++);
	pending->last = stall;
	return 0;
}

static void add_call(struct pt_stall *stall, const struct pt_call *row)
{
	struct pt_stall_call *call;
	uint32_t i;

	for (i = 0; i < stall->call_count && stall->calls[i].syscall != row->syscall; i++)
		;
	if (i == PT_STALL_CALLS)
		i--;
	call = &stall->calls[i];
	if (i == stall->call_count) {
		*call = (struct pt_stall_call){.syscall = row->syscall};
		stall->call_count++;
	}
	call->count += row->count;
	call->ns += row->length;
}

/* Gives the stall the calls that were told before it was; older ones belong to nothing that is kept. */
static void take_pending(struct pending *pending, struct pt_stall *stall, uint64_t until)
{
	uint32_t i, left = 0;

	for (i = 0; i < pending->count; i++) {
		const struct pt_call *call = &pending->calls[i];

		if (stall && call->time > stall->from && call->time <= until)
			add_call(stall, call);
		else if (call->time > until)
			pending->calls[left++] = *call;
	}
	pending->count = left;
}

static struct pt_stall *new_stall(const struct pt_loop_turn *turn)
{
	struct pt_stall *stall = calloc(1, sizeof(*stall));
	size_t i;

	if (!stall || pt_tally_copy(&stall->tally, turn->tally)) {
		free(stall);
		return NULL;
	}
	stall->loop = turn->loop;
	stall->from = turn->from;
	stall->to = turn->to;
	stall->returned = turn->returned;
	stall->end = turn->end;
	stall->timed = turn->timed;
	stall->calls_ns = turn->calls_ns;
	stall->made = turn->call_count;
	stall->inner = turn->inner;
	stall->inner_ns = turn->inner_ns;
	stall->poll_ns = turn->poll_ns;
	stall->cgroup = turn->loop->task->process->cgroup;
	for (i = 0; i < PT_PART_COUNT; i++)
		stall->part[i] = stall->tally.part[i];
	return stall;
}

static int on_turned(void *self, const struct pt_loop_turn *turn)
{
	struct pt_stalls *stalls = self;
	struct pending *pending = pt_task_rows_get(&stalls->pending, turn->loop->task);
	struct pt_stall *stall = NULL;
	struct heap *heap;

	if (!pending)
		return -ENOMEM;
	pending->last = NULL;
	if (turn->to - turn->from >= pt_model_stall(stalls->model)) {
		heap = heap_of(stalls, turn->loop);
		stall = heap ? new_stall(turn) : NULL;
		if (!stall)
			return -ENOMEM;
	}
	take_pending(pending, stall, turn->returned);
	return stall ? keep(heap, pending, stall) : 0;
}

static int on_call(void *self, const struct pt_record *record)
{
	struct pt_stalls *stalls = self;
	const struct pt_call *row = record->row;
	const struct pt_model_task *task = pt_model_find(stalls->model, row->tid);
	struct pending *pending = task ? pt_task_rows_get(&stalls->pending, task) : NULL;

	if (!task)
		return 0;
	if (!pending)
		return -ENOMEM;
	if (pending->last && pending->last->returned == row->time) {
		add_call(pending->last, row);
		return 0;
	}
	if (pending->count == CALLS_PENDING_MAX)
		pending->count = 0;
	if (pending->count == pending->room) {
		uint32_t room = pending->room ? pending->room * 2 : 16;
		struct pt_call *grown = reallocarray(pending->calls, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		pending->calls = grown;
		pending->room = room;
	}
	pending->calls[pending->count++] = *row;
	return 0;
}

/* Time on the CPU is divided, nothing is left of it. */
static void divide(struct pt_stall *stall, double kernel_share)
{
	uint64_t cpu = stall->part[PT_PART_CPU];
	uint64_t kernel = (uint64_t)((double)cpu * kernel_share);

	stall->part[PT_PART_KERNEL] = kernel < cpu ? kernel : cpu;
	stall->part[PT_PART_USER] = cpu - stall->part[PT_PART_KERNEL];
	stall->part[PT_PART_CPU] = 0;
}

/* By samples, or if there are none by the kernel's own over the task's life. */
static double estimated_share(const struct pt_stall *stall)
{
	uint64_t user = 0, kernel = 0;
	uint32_t i;

	for (i = 0; i < stall->tally.sample_count; i++) {
		if (stall->tally.samples[i].user)
			user += stall->tally.samples[i].ns;
		else
			kernel += stall->tally.samples[i].ns;
	}
	if (!user && !kernel) {
		user = stall->loop->task->user_ns;
		kernel = stall->loop->task->kernel_ns;
	}
	return user + kernel ? (double)kernel / (double)(user + kernel) : 0;
}

/* The part in which samples found it in the kernel, but in no system call: page faults, mostly. */
static double faulting_share(const struct pt_tally *tally)
{
	uint64_t all = 0, faults = 0;
	uint32_t i;

	for (i = 0; i < tally->sample_count; i++) {
		const struct pt_sampled *s = &tally->samples[i];

		all += s->ns;
		faults += !s->user && s->syscall < 0 ? s->ns : 0;
	}
	return faults ? (double)faults / (double)all : 0;
}

/*
 * What system calls took, but for the time that they were off the CPU. A task is mostly preempted on its way out of a
 * call, when its end has been noted already, but a long call is so in the middle: between the two an estimate decides.
 */
static double kernel_share(struct pt_stall *stall)
{
	double cpu = (double)stall->part[PT_PART_CPU], low, high, share, faults;
	const struct pt_tally *tally = &stall->tally;

	if (cpu <= 0)
		return 0;
	faults = faulting_share(tally);
	share = estimated_share(stall);
	stall->estimated = faults > 0 || !stall->timed || stall->end != PT_TURN_WAITED;
	if (stall->timed && stall->end == PT_TURN_WAITED) {
		high = ((double)stall->calls_ns - (double)tally->off_asleep) / cpu;
		low = high - (double)tally->off_preempted / cpu;
		high += (double)stall->made * CALL_EDGE_NS / cpu;
		share -= faults;
		share = (share < low ? low : share > high ? high : share) + faults;
	}
	return share < 0 ? 0 : share > 1 ? 1 : share;
}

static void add_call_ns(struct pt_stall *stall, int syscall, uint64_t ns)
{
	struct pt_call row = {.syscall = (int16_t)syscall, .length = ns};

	if (syscall >= 0)
		add_call(stall, &row);
}

/* How long calls took that were not timed, as far as sleeps and samples tell. */
static void estimate_calls(struct pt_stall *stall)
{
	uint32_t i;

	if (stall->timed)
		return;
	for (i = 0; i < stall->tally.sample_count; i++) {
		const struct pt_sampled *s = &stall->tally.samples[i];

		if (!s->user)
			add_call_ns(stall, s->syscall, s->ns);
	}
	for (i = 0; i < stall->tally.sleep_count; i++) {
		const struct pt_slept *s = &stall->tally.sleeps[i];

		if (s->reason != PT_REASON_POLL)
			add_call_ns(stall, s->syscall, s->ns);
	}
}

static int compare_calls(const void *a, const void *b)
{
	const struct pt_stall_call *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->syscall > y->syscall) - (x->syscall < y->syscall);
}

static int compare_sleeps(const void *a, const void *b)
{
	const struct pt_slept *x = a, *y = b;

	return (x->ns < y->ns) - (x->ns > y->ns);
}

static int compare_takers(const void *a, const void *b)
{
	const struct pt_taker *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return (x->task->index > y->task->index) - (x->task->index < y->task->index);
}

static void complete(struct pt_stall *stall, const struct pt_model *model)
{
	struct pt_tally *tally = &stall->tally;

	divide(stall, kernel_share(stall));
	estimate_calls(stall);
	if (stall->call_count)
		qsort(stall->calls, stall->call_count, sizeof(*stall->calls), compare_calls);
	pt_tally_share_objects(tally);
	if (tally->sleep_count)
		qsort(tally->sleeps, tally->sleep_count, sizeof(*tally->sleeps), compare_sleeps);
	if (tally->taker_count)
		qsort(tally->takers, tally->taker_count, sizeof(*tally->takers), compare_takers);
	pt_stall_judge(stall, model);
}

/* The end of the recording told what its loop is, or what was inside it. */
static bool is_stall(const struct pt_stall *stall)
{
	const struct pt_loop *loop = stall->loop;

	return !loop->nested && !loop->shared && !loop->with &&
	       !(stall->inner && stall->inner->with == loop);
}

static int compare_stalls(const void *a, const void *b)
{
	const struct pt_stall *x = *(struct pt_stall *const *)a, *y = *(struct pt_stall *const *)b;
	uint64_t p = length_of(x), q = length_of(y);

	if (p != q)
		return p < q ? 1 : -1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->loop->index > y->loop->index) - (x->loop->index < y->loop->index);
}

static int finish(void *self)
{
	struct pt_stalls *stalls = self;
	size_t i, j, count = 0;

	for (i = 0; i < stalls->heap_count; i++)
		count += stalls->heaps[i].count;
	stalls->kept = calloc(count + 1, sizeof(struct pt_stall *));
	if (!stalls->kept)
		return -ENOMEM;
	for (i = 0; i < stalls->heap_count; i++) {
		for (j = 0; j < stalls->heaps[i].count; j++) {
			if (!is_stall(stalls->heaps[i].stalls[j]))
				continue;
			complete(stalls->heaps[i].stalls[j], stalls->model);
			stalls->kept[stalls->kept_count++] = stalls->heaps[i].stalls[j];
		}
	}
	qsort(stalls->kept, stalls->kept_count, sizeof(struct pt_stall *), compare_stalls);
	return 0;
}

static int start(void **self, struct pt_model *model)
{
	struct pt_stalls *stalls = calloc(1, sizeof(*stalls));

	*self = stalls;
	if (!stalls)
		return -ENOMEM;
	stalls->model = model;
	stalls->pending.size = sizeof(struct pending);
	return pt_model_observe(model, &(struct pt_observer){.self = stalls,
							     .turned = on_turned,
							     .record = on_call,
							     .kinds = 1ULL << PT_KIND_call});
}

static void clear_pending(void *row)
{
	struct pending *pending = row;

	free(pending->calls);
}

static void release(void *self)
{
	struct pt_stalls *stalls = self;
	size_t i, j;

	for (i = 0; i < stalls->heap_count; i++) {
		for (j = 0; j < stalls->heaps[i].count; j++)
			free_stall(stalls->heaps[i].stalls[j]);
		free(stalls->heaps[i].stalls);
	}
	pt_task_rows_each(&stalls->pending, clear_pending);
	pt_task_rows_clear(&stalls->pending);
	free(stalls->heaps);
	free(stalls->kept);
	free(stalls);
}

const struct pt_analysis_class pt_stalls_class = {
	.name = "stalls",
	.kinds = 1ULL << PT_KIND_call,
	.start = start,
	.finish = finish,
	.free = release,
};

size_t pt_stalls_count(const struct pt_stalls *stalls)
{
	return stalls->kept_count;
}

const struct pt_stall *pt_stalls_get(const struct pt_stalls *stalls, size_t index)
{
	return stalls->kept[index];
}
