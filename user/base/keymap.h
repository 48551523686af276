/* SPDX-License-Identifier: BSD-2-Clause */
/* A map from 64-bit keys to pointers. Keys may come from a hostile file: they are mixed with a secret of the map. */
#ifndef PT_BASE_KEYMAP_H
#define PT_BASE_KEYMAP_H

#include "base/types.h"

struct pt_keymap_slot {
	uint64_t key;
	void *value; /* NULL: free */
};

/* All zero is an empty map. The fields are private. */
struct pt_keymap {
	struct pt_keymap_slot *slots;
	uint64_t secret;
	size_t count;
	unsigned int bits;
};

/* NULL if there is none. */
void *pt_keymap_get(const struct pt_keymap *map, uint64_t key);

/* Sets or replaces; value is not NULL. 0 or -ENOMEM. */
int pt_keymap_put(struct pt_keymap *map, uint64_t key, void *value);

/* Frees what the map uses, not the values; the map is empty afterwards. */
void pt_keymap_clear(struct pt_keymap *map);

#endif
