/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/analysis.h"

#include <stdlib.h>
#include <string.h>

#define A(name, question) extern const struct pt_analysis_class pt_##name##_class;
PT_ANALYSES(A)
#undef A

static const struct pt_analysis_class *const classes[] = {
#define A(name, question) &pt_##name##_class,
	PT_ANALYSES(A)
#undef A
};

pt_kinds pt_analyses_kinds(void)
{
	pt_kinds kinds = pt_model_kinds();
	size_t i;

	for (i = 0; i < PT_ANALYSIS_COUNT; i++)
		kinds |= classes[i]->kinds;
	return kinds;
}

int pt_analyses_start(struct pt_analyses *all, struct pt_model *model)
{
	size_t i;
	int ret = 0;

	*all = (struct pt_analyses){.model = model};
	for (i = 0; !ret && i < PT_ANALYSIS_COUNT; i++)
		ret = classes[i]->start(&all->self[i], model);
	return ret;
}

int pt_analyses_finish(struct pt_analyses *all)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < PT_ANALYSIS_COUNT; i++) {
		if (classes[i]->finish)
			ret = classes[i]->finish(all->self[i]);
	}
	return ret;
}

void pt_analyses_clear(struct pt_analyses *all)
{
	size_t i;

	for (i = 0; i < PT_ANALYSIS_COUNT; i++) {
		if (all->self[i])
			classes[i]->free(all->self[i]);
		all->self[i] = NULL;
	}
}

static bool add_chunk(struct pt_task_rows *rows, size_t chunk)
{
	if (chunk >= rows->chunk_count) {
		size_t count = rows->chunk_count * 2 > chunk ? rows->chunk_count * 2 : chunk + 1;
		char **chunks = reallocarray(rows->chunks, count, sizeof(*chunks));

		if (!chunks)
			return false;
		memset(chunks + rows->chunk_count, 0,
		       (count - rows->chunk_count) * sizeof(*chunks));
		rows->chunks = chunks;
		rows->chunk_count = count;
	}
	rows->chunks[chunk] = calloc(PT_TASK_ROWS_CHUNK, rows->size);
	return rows->chunks[chunk];
}

void *pt_task_rows_add(struct pt_task_rows *rows, const struct pt_model_task *task)
{
	size_t chunk = task->index / PT_TASK_ROWS_CHUNK;

	if (!add_chunk(rows, chunk))
		return NULL;
	return rows->chunks[chunk] + task->index % PT_TASK_ROWS_CHUNK * rows->size;
}

void pt_task_rows_each(struct pt_task_rows *rows, void (*what)(void *row))
{
	size_t i, j;

	for (i = 0; i < rows->chunk_count; i++) {
		for (j = 0; rows->chunks[i] && j < PT_TASK_ROWS_CHUNK; j++)
			what(rows->chunks[i] + j * rows->size);
	}
}

void pt_task_rows_clear(struct pt_task_rows *rows)
{
	size_t i;

	for (i = 0; i < rows->chunk_count; i++)
		free(rows->chunks[i]);
	free(rows->chunks);
	rows->chunks = NULL;
	rows->chunk_count = 0;
}
