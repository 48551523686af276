/* SPDX-License-Identifier: BSD-2-Clause */
/* What chance says, the same for the same seed. */
#ifndef PT_TESTS_NOISE_H
#define PT_TESTS_NOISE_H

#include <stdint.h>

struct noise {
	uint64_t seed, now;
};

static inline uint32_t dice(struct noise *n, uint32_t sides)
{
	n->seed = n->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(n->seed >> 33) % sides;
}

#endif
