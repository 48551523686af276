/* SPDX-License-Identifier: BSD-2-Clause */
/* The integer names that the catalogue of records is written in, for both sides of the ring. */
#ifndef PT_BASE_TYPES_H
#define PT_BASE_TYPES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
