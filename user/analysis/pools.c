/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/pools.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* Threads of a pool are made one right after the other; or one by one, when there is work and nobody to do it. */
#define BIRTHS_APART_NS 5000000
/* So many of the last pools may have a thread born by now. */
#define POOLS_SEARCHED 64
/* A worker without more work sleeps sooner than this, and longer. */
#define GOES_ON_NS 1000000

struct pool;

struct member {
	const struct pt_model_task *task;
	struct pool *pool;
	struct member *next;
	uint64_t awake_since; /* when it was last woken from a lock, or born */
	uint64_t told_until;
	uint64_t sleeps;
	uint64_t wakes;	   /* how often it woke a loop */
	uint64_t finished; /* when it woke a loop while all were busy; 0: not lately */
	uint64_t delayed;  /* since then, waiting for a CPU */
	uint64_t full_since;
	bool gone;
	struct pt_states_of doing; /* since it was woken */
};

struct pool {
	const struct pt_process *process;
	const struct pt_model_task *creator;
	uint64_t first_birth, last_birth;
	struct member *members; /* the last one first */
	bool in_one_go;
	uint64_t since,
		until; /* the present episode: until more work was last seen to have waited */
	uint64_t taken;
	struct pt_states_of doing;
	struct pt_pool_of of;
};

struct pt_pools {
	struct pt_model *model;
	struct pt_task_rows rows; /* struct member */
	struct pool **pools;
	size_t count, room;
	size_t *ranked; /* pools worth telling, after the end */
	size_t ranked_count;
};

extern const struct pt_analysis_class pt_pools_class;

static bool born_beside(const struct pool *pool, uint64_t birth)
{
	uint64_t first = pool->in_one_go ? pool->first_birth : pool->last_birth;

	return birth + BIRTHS_APART_NS >= first && birth <= pool->last_birth + BIRTHS_APART_NS;
}

/* Of threads made in one go with this task, or else of those of its maker's that were made one by one. */
static struct pool *find_pool(const struct pt_pools *pools, const struct pt_model_task *task)
{
	struct pool *singles = NULL;
	size_t i;

	for (i = pools->count; i > 0 && i + POOLS_SEARCHED > pools->count; i--) {
		struct pool *pool = pools->pools[i - 1];

		if (pool->process != task->process || pool->creator != task->creator)
			continue;
		if (born_beside(pool, task->start))
			return pool;
		if (!pool->in_one_go && !singles)
			singles = pool;
	}
	return singles;
}

static struct pool *new_pool(struct pt_pools *pools, const struct pt_model_task *task)
{
	struct pool *pool, **grown;

	grown = pt_array_grow(pools->pools, pools->count, &pools->room, sizeof(*grown));
	if (!grown)
		return NULL;
	pools->pools = grown;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->process = task->process;
	pool->creator = task->creator;
	pool->first_birth = pool->last_birth = task->start;
	pools->pools[pools->count++] = pool;
	return pool;
}

static void join(struct pool *pool, struct member *member, uint64_t birth)
{
	pool->first_birth = birth < pool->first_birth ? birth : pool->first_birth;
	pool->last_birth = birth > pool->last_birth ? birth : pool->last_birth;
	member->pool = pool;
	member->next = pool->members;
	pool->members = member;
}

/* The last of the threads made one by one turns out to be the first of some made in one go. */
static struct pool *part(struct pt_pools *pools, struct pool *singles)
{
	struct member *member = singles->members;
	struct pool *pool = new_pool(pools, member->task);

	if (!pool)
		return NULL;
	singles->members = member->next;
	singles->last_birth = member->next->task->start;
	join(pool, member, member->task->start);
	return pool;
}

static int add_member(struct pt_pools *pools, const struct pt_model_task *task)
{
	struct member *member = pt_task_rows_get(&pools->rows, task);
	struct pool *pool;
	bool beside;

	if (!member)
		return -ENOMEM;
	if (member->task)
		return 0;
	pool = find_pool(pools, task);
	beside = pool && born_beside(pool, task->start);
	if (beside && !pool->in_one_go && pool->members->next)
		pool = part(pools, pool);
	else if (!pool)
		pool = new_pool(pools, task);
	if (!pool)
		return -ENOMEM;
	pool->in_one_go |= beside;
	member->task = task;
	member->awake_since = member->told_until = task->start_ns;
	join(pool, member, task->start);
	return 0;
}

/*
 * Does this one take work from the pool's queue? A thread made by itself may do anything: it does so if it ever told a
 * loop that something was done.
 */
static bool works(const struct member *member)
{
	return !member->gone && !pt_task_has_loop(member->task) &&
	       (member->pool->in_one_go || member->wakes);
}

/* Since when nobody has been idle; UINT64_MAX: somebody is, or it is no pool. */
static uint64_t full_since(const struct pool *pool)
{
	const struct member *member;
	unsigned int workers = 0;
	uint64_t since = 0;

	for (member = pool->members; member; member = member->next) {
		if (!works(member))
			continue;
		if (pt_task_sleeps_on(member->task, PT_REASON_LOCK))
			return UINT64_MAX;
		since = member->awake_since > since ? member->awake_since : since;
		workers++;
	}
	return workers > 1 ? since : UINT64_MAX;
}

static void end_episode(const struct pt_pools *pools, struct pool *pool)
{
	uint64_t length = pool->until - pool->since;

	if (length && length >= pt_model_stall(pools->model)) {
		pool->of.episodes++;
		pool->of.saturated_ns += length;
		pool->of.taken += pool->taken;
		pt_states_add(&pool->of.doing, &pool->doing);
		if (length > pool->of.longest_ns) {
			pool->of.longest_ns = length;
			pool->of.longest_from = pool->since;
		}
	}
	pool->taken = 0;
}

/* All that the workers have done since each was idle; what runs now has not been told yet. */
static void look_at_work(struct pool *pool, uint64_t now)
{
	const struct member *member;

	pool->doing = (struct pt_states_of){0};
	for (member = pool->members; member; member = member->next) {
		if (!works(member) || !member->sleeps)
			continue;
		pt_states_add(&pool->doing, &member->doing);
		if (now > member->told_until && pt_task_runs(member->task))
			pool->doing.part[PT_PART_CPU] += now - member->told_until;
	}
}

/* Has the worker gone on, up to `time`, after it had finished something? */
static bool goes_on(const struct member *member, uint64_t time)
{
	return member->finished && time > member->finished + member->delayed + GOES_ON_NS;
}

/* The worker went on after it had finished something. */
static void note_taken(const struct pt_pools *pools, struct member *member)
{
	struct pool *pool = member->pool;

	if (pool->since != member->full_since || pool->until > member->finished) {
		if (pool->since != member->full_since)
			end_episode(pools, pool);
		else
			member->finished = pool->until;
	}
	pool->since = member->full_since;
	pool->until = member->finished;
	pool->taken++;
	look_at_work(pool, member->finished);
	member->finished = 0;
}

/* A loop was woken by the worker. */
static void on_finished(struct pt_pools *pools, struct member *member, uint64_t time)
{
	uint64_t since;

	member->wakes++;
	since = full_since(member->pool);
	if (goes_on(member, time))
		note_taken(pools, member);
	if (since == UINT64_MAX || since >= time)
		return;
	member->finished = time;
	member->delayed = 0;
	member->full_since = since;
}

static void note_doing(struct member *member, const struct pt_span *span)
{
	member->doing.part[span->part] += span->to - span->from;
	if (span->part == PT_PART_RUNNABLE)
		member->delayed += span->to - span->from;
	if (span->part == PT_PART_BLOCKED)
		member->doing.blocked[span->reason] += span->to - span->from;
}

static void on_slept(struct pt_pools *pools, struct member *member, const struct pt_span *span)
{
	if (goes_on(member, span->from))
		note_taken(pools, member);
	member->finished = 0;
	member->sleeps++;
	/* So short a sleep is that of a lock which others hold for a moment, such as Python's. */
	if (span->to - span->from < GOES_ON_NS) {
		note_doing(member, span);
		return;
	}
	member->awake_since = span->to;
	member->doing = (struct pt_states_of){0};
}

static int on_span(void *self, const struct pt_span *span)
{
	struct pt_pools *pools = self;
	struct member *member = (void *)pt_task_rows_peek(&pools->rows, span->task);
	bool blocked = span->part == PT_PART_BLOCKED;

	if (member && member->task) {
		member->told_until = span->to;
		if (blocked && span->reason == PT_REASON_LOCK) {
			on_slept(pools, member, span);
			return 0;
		}
		note_doing(member, span);
	}
	if (!blocked || span->reason != PT_REASON_POLL || !span->waker || span->woken_by_irq ||
	    span->waker->process != span->task->process)
		return 0;
	member = (void *)pt_task_rows_peek(&pools->rows, span->waker);
	if (member && member->task && !pt_task_has_loop(span->waker))
		on_finished(pools, member, span->to);
	return 0;
}

static int on_ended(void *self, const struct pt_model_task *task)
{
	struct pt_pools *pools = self;
	struct member *member = (void *)pt_task_rows_peek(&pools->rows, task);

	if (member)
		member->gone = true;
	return 0;
}

static int on_record(void *self, const struct pt_record *record)
{
	struct pt_pools *pools = self;
	uint32_t tid = record->kind == PT_KIND_task ? ((const struct pt_task *)record->row)->tid
						    : ((const struct pt_fork *)record->row)->tid;
	const struct pt_model_task *task = pt_model_find(pools->model, tid);

	if (!task || !task->target || task->model != PT_MODEL_THREAD || !task->process->pid)
		return 0;
	return add_member(pools, task);
}

static int list_workers(struct pool *pool)
{
	const struct member *member;
	size_t count = 0;

	for (member = pool->members; member; member = member->next)
		count++;
	pool->of.workers = calloc(count + 1, sizeof(*pool->of.workers));
	if (!pool->of.workers)
		return -ENOMEM;
	for (member = pool->members; member; member = member->next) {
		if (member->sleeps && !pt_task_has_loop(member->task) &&
		    (pool->in_one_go || member->wakes))
			pool->of.workers[pool->of.worker_count++] = member->task;
	}
	return 0;
}

static int compare_ranked(const void *a, const void *b, void *context)
{
	const struct pt_pools *pools = context;
	const struct pool *x = pools->pools[*(const size_t *)a],
			  *y = pools->pools[*(const size_t *)b];

	if (x->of.saturated_ns != y->of.saturated_ns)
		return x->of.saturated_ns < y->of.saturated_ns ? 1 : -1;
	return (x->first_birth > y->first_birth) - (x->first_birth < y->first_birth);
}

static int finish(void *self)
{
	struct pt_pools *pools = self;
	size_t i;
	int ret;

	pools->ranked = calloc(pools->count + 1, sizeof(*pools->ranked));
	if (!pools->ranked)
		return -ENOMEM;
	for (i = 0; i < pools->count; i++) {
		struct pool *pool = pools->pools[i];

		end_episode(pools, pool);
		ret = list_workers(pool);
		if (ret)
			return ret;
		if (pool->of.episodes && pool->of.worker_count > 1)
			pools->ranked[pools->ranked_count++] = i;
	}
	qsort_r(pools->ranked, pools->ranked_count, sizeof(*pools->ranked), compare_ranked, pools);
	return 0;
}

static int start(void **self, struct pt_model *model)
{
	struct pt_pools *pools = calloc(1, sizeof(*pools));

	*self = pools;
	if (!pools)
		return -ENOMEM;
	pools->model = model;
	pools->rows.size = sizeof(struct member);
	return pt_model_observe(model, &(struct pt_observer){.self = pools,
							     .span = on_span,
							     .ended = on_ended,
							     .record = on_record,
							     .kinds = 1ULL << PT_KIND_task |
								      1ULL << PT_KIND_fork});
}

static void release(void *self)
{
	struct pt_pools *pools = self;
	size_t i;

	for (i = 0; i < pools->count; i++) {
		free(pools->pools[i]->of.workers);
		free(pools->pools[i]);
	}
	pt_task_rows_clear(&pools->rows);
	free(pools->pools);
	free(pools->ranked);
	free(pools);
}

const struct pt_analysis_class pt_pools_class = {
	.name = "pools",
	.kinds = 1ULL << PT_KIND_task | 1ULL << PT_KIND_fork,
	.start = start,
	.finish = finish,
	.free = release,
};

size_t pt_pools_count(const struct pt_pools *pools)
{
	return pools->ranked_count;
}

const struct pt_pool_of *pt_pools_get(const struct pt_pools *pools, size_t index)
{
	return &pools->pools[pools->ranked[index]]->of;
}
