/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays that grow by doubling. */
#ifndef PT_BASE_ARRAY_H
#define PT_BASE_ARRAY_H

#include "base/types.h"

/*
 * The array of `count` things of `size` bytes with room for one more, perhaps elsewhere; *room follows. NULL without
 * memory, and then array and *room stay as they were.
 */
void *pt_array_grow(void *array, size_t count, size_t *room, size_t size);

/* Adds one to the array to which `array` points: its place, not initialised, or NULL without memory. */
void *pt_array_append(void *array, size_t *count, size_t *room, size_t size);

#endif
