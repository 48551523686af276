/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Analyses: one question each. To add one: a file with a `const struct pt_analysis_class
 * pt_<name>_class`, a header with its result `struct pt_<name>`, and a line in PT_ANALYSES.
 */
#ifndef PT_ANALYSIS_ANALYSIS_H
#define PT_ANALYSIS_ANALYSIS_H

#include "model/model.h"

/* A(name, the question it answers) */
#define PT_ANALYSES(A)                                                                             \
	A(states, "Where did a task's time go?")                                                   \
	A(runq, "How long did it wait for a CPU each time?")                                       \
	A(charges, "Who had the CPU that it waited for?")                                          \
	A(loops, "How busy is a loop, how long are its turns, what does an event wait?")           \
	A(stalls, "What did the long turns consist of, and why were they long?")                   \
	A(pools, "Did work wait because every worker of a pool was busy?")                         \
	A(counters, "Do our counts of switches equal the kernel's?")                               \
	A(footprint, "What does it cost in memory, and what is shared?")                           \
	A(balance, "Is the load spread over the workers of a port?")                               \
	A(ipc, "Who sent how much to whom, and how long did it lie in its channel?")               \
	A(rings, "Who uses io_uring, and is what it moves that way told?")                         \
	A(claims, "What did the workload say of itself?")

struct pt_analysis_class {
	const char *name;
	/* Kinds of record it needs beside those of the model. */
	pt_kinds kinds;
	/* Makes the result and observes the model. 0 or a negative errno. */
	int (*start)(void **self, struct pt_model *model);
	/* After pt_model_finish(); may be NULL. */
	int (*finish)(void *self);
	void (*free)(void *self);
};

enum pt_analysis_id {
#define A(name, question) PT_ANALYSIS_##name,
	PT_ANALYSES(A)
#undef A
		PT_ANALYSIS_COUNT
};

/* All analyses of one model, and their results. */
struct pt_analyses {
	const struct pt_model *model;
	void *self[PT_ANALYSIS_COUNT];
};

/* pt_analyses_states(), pt_analyses_runq(), ...: the results. */
#define A(name, question)                                                                          \
	struct pt_##name;                                                                          \
	static inline const struct pt_##name *pt_analyses_##name(const struct pt_analyses *all)    \
	{                                                                                          \
		return all->self[PT_ANALYSIS_##name];                                              \
	}
PT_ANALYSES(A)
#undef A

/* Union of the kinds that the model and all analyses need. */
pt_kinds pt_analyses_kinds(void);

/* The model must live until pt_analyses_clear(). 0 or a negative errno; clear in either case. */
int pt_analyses_start(struct pt_analyses *all, struct pt_model *model);
int pt_analyses_finish(struct pt_analyses *all);
void pt_analyses_clear(struct pt_analyses *all);

/* An array beside the model's table of tasks, which grows with it; rows are zero at first. */
struct pt_task_rows {
	char **chunks;
	size_t chunk_count;
	size_t size; /* of a row */
};

#define PT_TASK_ROWS_CHUNK 256

/* NULL if nothing was ever put there. */
static inline const void *pt_task_rows_peek(const struct pt_task_rows *rows,
					    const struct pt_model_task *task)
{
	size_t chunk = task->index / PT_TASK_ROWS_CHUNK;

	if (chunk >= rows->chunk_count || !rows->chunks[chunk])
		return NULL;
	return rows->chunks[chunk] + task->index % PT_TASK_ROWS_CHUNK * rows->size;
}

/* For pt_task_rows_get(): makes the chunk of a task that has none. */
void *pt_task_rows_add(struct pt_task_rows *rows, const struct pt_model_task *task);

/* NULL without memory. A row never moves. */
static inline void *pt_task_rows_get(struct pt_task_rows *rows, const struct pt_model_task *task)
{
	void *row = (void *)pt_task_rows_peek(rows, task);

	return row ? row : pt_task_rows_add(rows, task);
}

/* For every row of every chunk in use, zero ones included. */
void pt_task_rows_each(struct pt_task_rows *rows, void (*what)(void *row));

void pt_task_rows_clear(struct pt_task_rows *rows);

#endif
