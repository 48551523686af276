/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

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

void *pt_array_append(void *array, size_t *count, size_t *room, size_t size)
{
	void *list, *grown;

	/* The caller's pointer is to some struct: it is copied, as it is not a void pointer itself. */
	memcpy(&list, array, sizeof(list));
	grown = pt_array_grow(list, *count, room, size);
	if (!grown)
		return NULL;
	memcpy(array, &grown, sizeof(grown));
	return (char *)grown + (*count)++ * size;
}
