/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_MAX   (1ULL << PT_FRAME_LENGTH_BITS)
#define NUMBER_SHIFT (PT_FRAME_LENGTH_BITS + PT_FRAME_KIND_BITS)
#define KIND_MASK    ((1ULL << PT_FRAME_KIND_BITS) - 1)

/* Segments between two looks at the clock. */
#define STEPS_PER_PIECE 2048

static uint64_t run_first(uint64_t run)
{
	return run >> NUMBER_SHIFT;
}

static uint64_t run_length(uint64_t run)
{
	return (run >> PT_FRAME_KIND_BITS) % LENGTH_MAX + 1;
}

static uint64_t run_end(uint64_t run)
{
	return run_first(run) + run_length(run);
}

static enum pt_frame_kind run_kind(uint64_t run)
{
	return run & KIND_MASK;
}

static uint64_t run_make(uint64_t first, uint64_t length, enum pt_frame_kind kind)
{
	return first << NUMBER_SHIFT | (length - 1) << PT_FRAME_KIND_BITS | kind;
}

static int frames_grow(struct pt_frames *frames)
{
	size_t room = frames->room ? frames->room * 2 : 1024;
	uint64_t *grown = realloc(frames->runs, room * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	frames->runs = grown;
	frames->room = room;
	return 0;
}

int pt_frames_add(struct pt_frames *frames, uint64_t number, enum pt_frame_kind kind)
{
	uint64_t *last = frames->count ? &frames->runs[frames->count - 1] : NULL;
	int ret;

	if (number >= PT_FRAME_NUMBER_MAX)
		return 0;
	if (last && run_end(*last) == number && run_kind(*last) == kind &&
	    run_length(*last) < LENGTH_MAX) {
		*last += 1ULL << PT_FRAME_KIND_BITS;
		return 0;
	}
	if (frames->limit && frames->count >= frames->limit) {
		frames->cut = true;
		return 0;
	}
	if (!frames->runs || frames->count == frames->room) {
		ret = frames_grow(frames);
		if (ret)
			return ret;
	}
	frames->runs[frames->count++] = run_make(number, 1, kind);
	return 0;
}

/* One pass of a radix sort: stable, by one byte. */
static void sort_by_byte(const uint64_t *from, uint64_t *to, size_t count, unsigned int shift)
{
	size_t at[256] = {0}, sum = 0, i;

	for (i = 0; i < count; i++)
		at[from[i] >> shift & 0xff]++;
	for (i = 0; i < PT_ARRAY_SIZE(at); i++) {
		size_t n = at[i];

		at[i] = sum;
		sum += n;
	}
	for (i = 0; i < count; i++)
		to[at[from[i] >> shift & 0xff]++] = from[i];
}

/* Sorts by frame number alone: linear, which qsort() is not, and sets may have millions of runs. */
static int frames_sort(struct pt_frames *frames, struct pt_pace *pace)
{
	uint64_t *other = malloc(frames->room * sizeof(*other)), *swap;
	unsigned int shift;
	int ret = 0;

	if (!other)
		return -ENOMEM;
	for (shift = NUMBER_SHIFT; !ret && shift < 64; shift += 8) {
		sort_by_byte(frames->runs, other, frames->count, shift);
		swap = frames->runs;
		frames->runs = other;
		other = swap;
		ret = pt_pace_piece(pace);
	}
	free(other);
	return ret;
}

/* Joins neighbours and drops what stands twice: a process may map a frame at several addresses. */
static void frames_merge(struct pt_frames *frames)
{
	size_t kept = 0, i;

	for (i = 0; i < frames->count; i++) {
		uint64_t run = frames->runs[i], *last = kept ? &frames->runs[kept - 1] : NULL;
		uint64_t first = run_first(run), end = run_end(run);

		if (last && first < run_end(*last))
			first = run_end(*last);
		if (first >= end)
			continue;
		if (last && first == run_end(*last) && run_kind(run) == run_kind(*last) &&
		    end - run_first(*last) <= LENGTH_MAX)
			*last = run_make(run_first(*last), end - run_first(*last), run_kind(run));
		else
			frames->runs[kept++] = run_make(first, end - first, run_kind(run));
	}
	frames->count = kept;
}

int pt_frames_seal(struct pt_frames *frames, struct pt_pace *pace)
{
	int ret;

	if (!frames->count)
		return 0;
	ret = frames_sort(frames, pace);
	if (ret)
		return ret;
	frames_merge(frames);
	return pt_pace_piece(pace);
}

uint64_t pt_frames_pages(const struct pt_frames *frames)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < frames->count; i++)
		sum += run_length(frames->runs[i]);
	return sum;
}

void pt_frames_clear(struct pt_frames *frames)
{
	free(frames->runs);
	*frames = (struct pt_frames){0};
}

/* Frames of one kind that the same sets hold, gathered until another combination needs the slot. */
struct slot {
	uint64_t holders; /* bit for each set */
	struct pt_frame_counts counts;
};

#define SLOTS 1024

struct cursor {
	const uint64_t *at, *last;
	uint64_t first, end; /* of what is left of the run at `at` */
};

struct pt_matrix {
	unsigned int count;
	struct pt_frame_counts pair[PT_MATRIX_MAX][PT_MATRIX_MAX]; /* a <= b */
	struct pt_frame_counts common[PT_MATRIX_MAX + 1];
	struct slot slots[SLOTS];
	struct cursor cursors[PT_MATRIX_MAX];
};

static void counts_add(struct pt_frame_counts *to, const struct pt_frame_counts *from)
{
	unsigned int i;

	for (i = 0; i < PT_FRAME_KINDS; i++)
		to->pages[i] += from->pages[i];
}

static void slot_flush(struct pt_matrix *matrix, struct slot *slot)
{
	uint64_t rest = slot->holders;

	if (!rest)
		return;
	counts_add(&matrix->common[__builtin_popcountll(rest)], &slot->counts);
	while (rest) {
		unsigned int a = (unsigned int)__builtin_ctzll(rest);
		uint64_t others;

		for (others = rest; others; others &= others - 1)
			counts_add(&matrix->pair[a][__builtin_ctzll(others)], &slot->counts);
		rest &= rest - 1;
	}
	*slot = (struct slot){0};
}

static void matrix_add(struct pt_matrix *matrix, uint64_t holders, enum pt_frame_kind kind,
		       uint64_t pages)
{
	struct slot *slot = &matrix->slots[holders * 0x9e3779b97f4a7c15ULL >> 54];

	if (slot->holders != holders) {
		slot_flush(matrix, slot);
		slot->holders = holders;
	}
	slot->counts.pages[kind] += pages;
}

static void cursor_load(struct cursor *cursor)
{
	if (cursor->at == cursor->last) {
		cursor->first = cursor->end = UINT64_MAX;
		return;
	}
	cursor->first = run_first(*cursor->at);
	cursor->end = run_end(*cursor->at);
}

/* Counts the lowest stretch that is left whose frames all have the same holders. False: nothing is
 * left. */
static bool matrix_step(struct pt_matrix *matrix)
{
	uint64_t first = UINT64_MAX, end = UINT64_MAX, holders = 0;
	unsigned int i, lowest = 0;

	for (i = 0; i < matrix->count; i++) {
		if (matrix->cursors[i].first < first) {
			first = matrix->cursors[i].first;
			lowest = i;
		}
	}
	if (first == UINT64_MAX)
		return false;
	for (i = 0; i < matrix->count; i++) {
		const struct cursor *cursor = &matrix->cursors[i];
		uint64_t bound = cursor->first == first ? cursor->end : cursor->first;

		if (cursor->first == first)
			holders |= 1ULL << i;
		if (bound < end)
			end = bound;
	}
	matrix_add(matrix, holders, run_kind(*matrix->cursors[lowest].at), end - first);
	for (i = 0; i < matrix->count; i++) {
		struct cursor *cursor = &matrix->cursors[i];

		if (!(holders >> i & 1))
			continue;
		cursor->first = end;
		if (cursor->first == cursor->end) {
			cursor->at++;
			cursor_load(cursor);
		}
	}
	return true;
}

static int matrix_fill(struct pt_matrix *matrix, struct pt_pace *pace)
{
	unsigned int steps = 0, i;
	int ret;

	while (matrix_step(matrix)) {
		if (++steps % STEPS_PER_PIECE)
			continue;
		ret = pt_pace_piece(pace);
		if (ret)
			return ret;
	}
	for (i = 0; i < SLOTS; i++)
		slot_flush(matrix, &matrix->slots[i]);
	return 0;
}

int pt_matrix_new(struct pt_matrix **out, const struct pt_frames *const *sets, unsigned int count,
		  struct pt_pace *pace)
{
	struct pt_matrix *matrix;
	unsigned int i;
	int ret;

	if (count > PT_MATRIX_MAX)
		return -EINVAL;
	matrix = calloc(1, sizeof(*matrix));
	if (!matrix)
		return -ENOMEM;
	matrix->count = count;
	for (i = 0; i < count; i++) {
		matrix->cursors[i].at = sets[i]->runs;
		matrix->cursors[i].last = sets[i]->runs + sets[i]->count;
		cursor_load(&matrix->cursors[i]);
	}
	ret = matrix_fill(matrix, pace);
	if (ret) {
		pt_matrix_free(matrix);
		return ret;
	}
	*out = matrix;
	return 0;
}

struct pt_frame_counts pt_matrix_pair(const struct pt_matrix *matrix, unsigned int a,
				      unsigned int b)
{
	return a < b ? matrix->pair[a][b] : matrix->pair[b][a];
}

struct pt_frame_counts pt_matrix_common(const struct pt_matrix *matrix, unsigned int k)
{
	return matrix->common[k];
}

void pt_matrix_free(struct pt_matrix *matrix)
{
	free(matrix);
}
