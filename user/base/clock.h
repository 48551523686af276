/* SPDX-License-Identifier: BSD-2-Clause */
/* The clocks of the machine, in one number. */
#ifndef PT_BASE_CLOCK_H
#define PT_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* ns on one of the CLOCK_* clocks, which the kernel has. */
static inline uint64_t pt_clock_read(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

#endif
