/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define FIRST_BITS 6

/* A factor nobody can foresee: a crafted trace must not choose ids that all collide. */
static uint64_t random_factor(void)
{
	uint64_t factor = 0;

	if (getrandom(&factor, sizeof(factor), GRND_NONBLOCK) != sizeof(factor))
		factor = 0x9e3779b97f4a7c15;
	return factor | 1;
}

static struct pt_idmap_slot *find_slot(const struct pt_idmap *map, uint32_t id)
{
	size_t mask = ((size_t)1 << map->bits) - 1;
	size_t i = pt_idmap_home(map, id);

	while (map->slots[i].key && map->slots[i].key != (uint64_t)id + 1)
		i = (i + 1) & mask;
	return &map->slots[i];
}

static int grow(struct pt_idmap *map)
{
	struct pt_idmap bigger = {.factor = random_factor(),
				  .bits = map->slots ? map->bits + 1 : FIRST_BITS};
	size_t i;

	bigger.slots = calloc((size_t)1 << bigger.bits, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (i = 0; map->slots && i < (size_t)1 << map->bits; i++) {
		if (!map->slots[i].value)
			continue;
		*find_slot(&bigger, (uint32_t)(map->slots[i].key - 1)) = map->slots[i];
		bigger.count++;
	}
	free(map->slots);
	*map = bigger;
	return 0;
}

int pt_idmap_put(struct pt_idmap *map, uint32_t id, void *value)
{
	struct pt_idmap_slot *slot;

	if (!map->slots || map->count * 2 >= (size_t)1 << map->bits) {
		int ret = grow(map);

		if (ret)
			return ret;
	}
	slot = find_slot(map, id);
	if (!slot->key) {
		slot->key = (uint64_t)id + 1;
		map->count++;
	}
	slot->value = value;
	return 0;
}

void pt_idmap_clear(struct pt_idmap *map)
{
	free(map->slots);
	*map = (struct pt_idmap){0};
}
