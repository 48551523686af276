/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of physical page frames, one for each address space, and what they have in common. Counts in
 * pages of 4 KiB or whatever a base page is. */
#ifndef PT_CAPTURE_MEMORY_FRAMES_H
#define PT_CAPTURE_MEMORY_FRAMES_H

#include "base/types.h"
#include "capture/memory_pace.h"

enum pt_frame_kind { PT_FRAME_FILE, PT_FRAME_ANON, PT_FRAME_SHMEM, PT_FRAME_KINDS };

/*
 * Frames are kept as runs of neighbours, each in 64 bits: number of the first frame, length, kind,
 * from the highest bit down, so that runs sort as integers.
 */
struct pt_frames {
	uint64_t *runs;
	size_t count, room;
	size_t limit; /* most runs it may hold; 0: no limit */
	bool cut;     /* the limit was reached: frames are missing */
};

#define PT_FRAME_LENGTH_BITS 22
#define PT_FRAME_KIND_BITS   2
#define PT_FRAME_NUMBER_MAX  (1ULL << (64 - PT_FRAME_LENGTH_BITS - PT_FRAME_KIND_BITS))

/* 0 or -ENOMEM. Numbers from PT_FRAME_NUMBER_MAX on, beyond any machine, are ignored. */
int pt_frames_add(struct pt_frames *frames, uint64_t number, enum pt_frame_kind kind);

/* Sorts, and makes every frame stand once. To be called before the set is compared. 0, -ENOMEM or
 * -ECANCELED. */
int pt_frames_seal(struct pt_frames *frames, struct pt_pace *pace);

uint64_t pt_frames_pages(const struct pt_frames *frames);

void pt_frames_clear(struct pt_frames *frames);

struct pt_frame_counts {
	uint64_t pages[PT_FRAME_KINDS];
};

struct pt_matrix;

#define PT_MATRIX_MAX 64 /* sets */

/* Compares count sealed sets. 0, -ENOMEM or -ECANCELED. */
int pt_matrix_new(struct pt_matrix **out, const struct pt_frames *const *sets, unsigned int count,
		  struct pt_pace *pace);

/* Frames that both hold; of one set with itself: all it holds. */
struct pt_frame_counts pt_matrix_pair(const struct pt_matrix *matrix, unsigned int a,
				      unsigned int b);

/* Frames that exactly k sets hold, 1 <= k <= count. */
struct pt_frame_counts pt_matrix_common(const struct pt_matrix *matrix, unsigned int k);

/* NULL is accepted. */
void pt_matrix_free(struct pt_matrix *matrix);

#endif
