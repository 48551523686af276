/* SPDX-License-Identifier: BSD-2-Clause */
/* A map from 32-bit ids (tids, pids) to pointers: one multiplication and, nearly always, one cache
 * line per look-up. */
#ifndef PT_BASE_IDMAP_H
#define PT_BASE_IDMAP_H

#include "base/types.h"

struct pt_idmap_slot {
	uint64_t key; /* id + 1; 0: free */
	void *value;
};

/* All zero is an empty map. The fields are for the inline functions below only. */
struct pt_idmap {
	struct pt_idmap_slot *slots;
	uint64_t factor;
	size_t count;
	unsigned int bits;
};

static inline size_t pt_idmap_home(const struct pt_idmap *map, uint32_t id)
{
	return (size_t)(((uint64_t)id + 1) * map->factor >> (64 - map->bits));
}

/* NULL if there is none. */
static inline void *pt_idmap_get(const struct pt_idmap *map, uint32_t id)
{
	size_t mask, i;

	if (!map->slots)
		return NULL;
	mask = ((size_t)1 << map->bits) - 1;
	for (i = pt_idmap_home(map, id); map->slots[i].key; i = (i + 1) & mask) {
		if (map->slots[i].key == (uint64_t)id + 1)
			return map->slots[i].value;
	}
	return NULL;
}

/* Sets or replaces; a NULL value removes. 0 or -ENOMEM. */
int pt_idmap_put(struct pt_idmap *map, uint32_t id, void *value);

/* Frees what the map uses, not the values; the map is empty afterwards. */
void pt_idmap_clear(struct pt_idmap *map);

#endif
