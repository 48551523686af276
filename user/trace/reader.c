/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace/container.h"
#include "trace/pool.h"

#define ACTIVE_MAX (64u << 20) /* bytes of rows that may overlap in time */

/* A block whose records are being merged. */
struct active {
	uint64_t time; /* of its next record */
	uint64_t tie;  /* among equal times, the lower comes first */
	struct pt_slot *slot;
	uint32_t row;
};

struct pt_reader {
	struct pt_container *container;
	struct pt_pool *pool;
	struct active *heap; /* the earliest first */
	size_t heap_len;
	size_t heap_cap;
	size_t next;	     /* entry to become active */
	size_t active_bytes; /* of rows */
	bool used;	     /* the record at the top has been given out */
};

/*
 * Among records of one time: who is made before what it does, who is woken before it runs, and what
 * it does before it exits.
 */
static uint64_t kind_rank(uint32_t kind)
{
	switch (kind) {
	case PT_KIND_task:
		return 0;
	case PT_KIND_fork:
		return 1;
	case PT_KIND_exec:
		return 2;
	case PT_KIND_wakeup:
		return 4;
	case PT_KIND_occupant:
		return 5;
	case PT_KIND_switch:
		return 6;
	case PT_KIND_exit:
		return 7;
	case PT_KIND_loss:
		return 8;
	default:
		return 3;
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct pt_block_entry *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

int pt_reader_open(struct pt_reader **out, const char *path,
		   const struct pt_reader_options *options, struct pt_error *err)
{
	struct pt_reader *reader = calloc(1, sizeof(*reader));
	unsigned int threads = options ? options->threads : 0;
	int ret;

	*out = NULL;
	if (!reader)
		return pt_error_errno(err, -ENOMEM, "%s", path);
	ret = pt_container_open(&reader->container, path, options ? options->kinds : 0, err);
	if (ret < 0)
		goto out;
	if (reader->container->entry_count)
		qsort(reader->container->entries, reader->container->entry_count,
		      sizeof(struct pt_block_entry), compare_entries);
	if (!threads)
		threads = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	ret = pt_pool_new(&reader->pool, reader->container, threads);
	if (ret < 0)
		pt_error_errno(err, ret, "%s", path);
out:
	if (ret < 0) {
		pt_reader_free(reader);
		return ret;
	}
	*out = reader;
	return 0;
}

const struct pt_meta *pt_reader_meta(const struct pt_reader *reader)
{
	return &reader->container->meta;
}

bool pt_reader_has_field(const struct pt_reader *reader, uint32_t kind,
			 const struct pt_field *field)
{
	const struct pt_layout *layout = &reader->container->layouts.kinds[kind];

	for (size_t f = 0; f < layout->field_count; f++)
		if (layout->fields[f].ours == field)
			return true;
	return false;
}

const struct pt_end *pt_reader_end(const struct pt_reader *reader)
{
	return reader->container->complete ? &reader->container->end : NULL;
}

static bool earlier(const struct active *a, const struct active *b)
{
	return a->time < b->time || (a->time == b->time && a->tie < b->tie);
}

static void sift_down(struct pt_reader *reader)
{
	struct active *heap = reader->heap;
	struct active moved = heap[0];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < reader->heap_len) {
		if (child + 1 < reader->heap_len && earlier(&heap[child + 1], &heap[child]))
			child++;
		if (!earlier(&heap[child], &moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static int heap_push(struct pt_reader *reader, const struct active *active)
{
	size_t cap = reader->heap_cap ? 2 * reader->heap_cap : 16;
	struct active *heap;
	size_t at = reader->heap_len;

	if (at == reader->heap_cap) {
		heap = realloc(reader->heap, cap * sizeof(*heap));
		if (!heap)
			return -ENOMEM;
		reader->heap = heap;
		reader->heap_cap = cap;
	}
	heap = reader->heap;
	reader->heap_len++;
	for (; at && earlier(active, &heap[(at - 1) / 2]); at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = *active;
	return 0;
}

static uint64_t row_time(const struct active *active)
{
	const struct pt_block *block = &active->slot->block;

	return pt_load(block->rows + (size_t)active->row * block->row_size, sizeof(uint64_t));
}

static void drop(struct pt_reader *reader, struct pt_block_entry *entry, const char *reason)
{
	struct pt_container *container = reader->container;

	entry->bad = true;
	container->records[entry->kind] -= entry->count;
	container->bytes[entry->kind] -= entry->size;
	pt_container_damage(container, entry->offset, entry->size, reason);
}

/* Lets the next block take part in the merge. */
static int activate(struct pt_reader *reader)
{
	size_t index = reader->next++;
	struct pt_block_entry *entry = &reader->container->entries[index];
	struct active active = {.tie = kind_rank(entry->kind) << 56 | index};
	int err = pt_pool_take(reader->pool, index, &active.slot);
	size_t bytes;

	if (err < 0)
		return err;
	if (active.slot->err == -EBADMSG) {
		drop(reader, entry, active.slot->reason);
		pt_pool_give(reader->pool, active.slot);
		return 0;
	}
	if (active.slot->err < 0)
		return active.slot->err;
	bytes = (size_t)active.slot->block.row_size * active.slot->block.header.count;
	if (reader->active_bytes + bytes > ACTIVE_MAX) {
		drop(reader, entry, "too many blocks overlap in time");
		pt_pool_give(reader->pool, active.slot);
		return 0;
	}
	reader->active_bytes += bytes;
	active.time = row_time(&active);
	return heap_push(reader, &active);
}

/* Steps behind the record that has been given out. */
static void advance(struct pt_reader *reader)
{
	struct active *top = reader->heap;

	reader->used = false;
	if (++top->row < top->slot->block.header.count) {
		top->time = row_time(top);
	} else {
		reader->active_bytes -=
			(size_t)top->slot->block.row_size * top->slot->block.header.count;
		pt_pool_give(reader->pool, top->slot);
		*top = reader->heap[--reader->heap_len];
	}
	sift_down(reader);
}

static void fill_record(const struct active *top, struct pt_record *record)
{
	const struct pt_block *block = &top->slot->block;
	const uint8_t *row = block->rows + (size_t)top->row * block->row_size;

	record->kind = block->header.kind;
	record->row = row;
	record->text = NULL;
	record->text_len = 0;
	if (block->text_field) {
		record->text = block->texts + block->text_at[top->row];
		record->text_len = (uint32_t)pt_load(row + block->text_field, 4);
	}
}

int pt_reader_next(struct pt_reader *reader, struct pt_record *record, struct pt_error *err)
{
	const struct pt_container *container = reader->container;
	int ret;

	if (reader->used)
		advance(reader);
	while (reader->next < container->entry_count &&
	       (!reader->heap_len ||
		container->entries[reader->next].first <= reader->heap[0].time)) {
		ret = activate(reader);
		if (ret < 0)
			return pt_error_errno(err, ret, "cannot read the trace");
	}
	if (!reader->heap_len)
		return 0;
	fill_record(&reader->heap[0], record);
	reader->used = true;
	return 1;
}

void pt_reader_summary(const struct pt_reader *reader, struct pt_reader_summary *summary)
{
	const struct pt_container *container = reader->container;

	memset(summary, 0, sizeof(*summary));
	summary->file_bytes = container->size;
	summary->complete = container->complete;
	summary->ends_at = container->ends_at;
	for (size_t e = 0; e < container->entry_count; e++)
		if (!container->entries[e].bad && container->entries[e].last > summary->ends_at)
			summary->ends_at = container->entries[e].last;
	memcpy(summary->records, container->records, sizeof(summary->records));
	memcpy(summary->bytes, container->bytes, sizeof(summary->bytes));
	summary->unknown_records = container->unknown_records;
	summary->damages = container->damages;
	summary->damage_count = container->damage_count;
}

void pt_reader_free(struct pt_reader *reader)
{
	if (!reader)
		return;
	for (size_t a = 0; a < reader->heap_len; a++)
		pt_pool_give(reader->pool, reader->heap[a].slot);
	pt_pool_free(reader->pool);
	pt_container_free(reader->container);
	free(reader->heap);
	free(reader);
}
