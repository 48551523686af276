/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PT_BASE_HASH_H
#define PT_BASE_HASH_H

#include "base/types.h"

/* Adds a value to a hash of several. Maps mix it once more with their secret. */
static inline uint64_t pt_hash_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

#endif
