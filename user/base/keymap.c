/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/keymap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define FIRST_BITS 6

static size_t home_of(const struct pt_keymap *map, uint64_t key)
{
	uint64_t mixed = (key ^ map->secret) * 0x9e3779b97f4a7c15ULL;

	mixed ^= mixed >> 32;
	mixed *= 0xd6e8feb86659fd93ULL ^ map->secret << 1;
	return (size_t)(mixed >> (64 - map->bits));
}

/* Where the key is, or would be put. */
static struct pt_keymap_slot *find(const struct pt_keymap *map, uint64_t key)
{
	size_t mask = ((size_t)1 << map->bits) - 1, i = home_of(map, key);

	while (map->slots[i].value && map->slots[i].key != key)
		i = (i + 1) & mask;
	return &map->slots[i];
}

void *pt_keymap_get(const struct pt_keymap *map, uint64_t key)
{
	return map->slots ? find(map, key)->value : NULL;
}

static int grow(struct pt_keymap *map)
{
	struct pt_keymap old = *map, grown = *map;
	size_t i;

	grown.bits = old.slots ? old.bits + 1 : FIRST_BITS;
	if (!old.slots && getrandom(&grown.secret, sizeof(grown.secret), GRND_NONBLOCK) < 0)
		grown.secret = (uint64_t)(uintptr_t)map;
	grown.slots = calloc((size_t)1 << grown.bits, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (i = 0; old.slots && i < (size_t)1 << old.bits; i++) {
		if (old.slots[i].value)
			*find(&grown, old.slots[i].key) = old.slots[i];
	}
	free(old.slots);
	*map = grown;
	return 0;
}

int pt_keymap_put(struct pt_keymap *map, uint64_t key, void *value)
{
	struct pt_keymap_slot *slot;

	if ((!map->slots || (map->count + 1) * 2 > (size_t)1 << map->bits) && grow(map))
		return -ENOMEM;
	slot = find(map, key);
	map->count += !slot->value;
	*slot = (struct pt_keymap_slot){key, value};
	return 0;
}

void pt_keymap_clear(struct pt_keymap *map)
{
	free(map->slots);
	*map = (struct pt_keymap){0};
}
