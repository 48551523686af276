/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/array.h"

#include <stdlib.h>

void *pt_array_grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 8;

	if (count < *room)
		return array;
	array = reallocarray(array, wanted, size);
	if (array)
		*room = wanted;
	return array;
}
