/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads texts of the kernel piece by piece. Each call steps *text over what it has read, or returns false and leaves
 * it where it was; the end of the text matches nothing, so calls can be chained with &&.
 */
#ifndef PT_BASE_PARSE_H
#define PT_BASE_PARSE_H

#include "base/types.h"

/* Digits of base 10 or 16 only, at least one: no blanks, no sign, no 0x, and nothing above 64 bits. */
bool pt_parse_number(const char **text, unsigned int base, uint64_t *number);

/* Exactly these bytes. */
bool pt_parse_literal(const char **text, const char *literal);

/* Blanks, then `count` words with the blanks after each. True if something follows. */
bool pt_parse_skip(const char **text, unsigned int count);

#endif
