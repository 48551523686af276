/* SPDX-License-Identifier: BSD-2-Clause */
/* Unsigned LEB128: seven bits a byte, the low ones first; all bytes but the last have the top bit set. */
#ifndef PT_BASE_LEB_H
#define PT_BASE_LEB_H

#include "base/types.h"

#define PT_LEB_MAX 10 /* bytes of the longest */

/* Writes a number to `to`, which has room for it; how many bytes that took. */
static inline size_t pt_leb_put(uint8_t *to, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (uint8_t)(value | 0x80);
	to[n++] = (uint8_t)value;
	return n;
}

/* Reads one of at most 64 bits; how many bytes it took, 0: there is none. */
static inline size_t pt_leb_get(const uint8_t *from, size_t left, uint64_t *value)
{
	size_t n;

	*value = 0;
	for (n = 0; n < left && n < PT_LEB_MAX; n++) {
		*value |= (uint64_t)(from[n] & 0x7f) << (7 * n);
		if (!(from[n] & 0x80))
			return n + 1;
	}
	return 0;
}

#endif
