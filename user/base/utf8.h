/* SPDX-License-Identifier: BSD-2-Clause */
/* Names come from other people's programs: what is no text, or would steer a terminal, is spelt
 * out. */
#ifndef PT_BASE_UTF8_H
#define PT_BASE_UTF8_H

#include "base/types.h"

#define PT_UTF8_BAD 0xffffffffU

/* Decodes the character at *text, of which *left > 0 bytes remain, and steps over it; PT_UTF8_BAD:
 * over one byte that begins none. */
uint32_t pt_utf8_next(const char **text, size_t *left);

/* Can it be shown without moving the cursor, changing colours or turning the direction of what
 * follows? */
bool pt_utf8_printable(uint32_t character);

/* A copy in valid UTF-8, with \xNN for each byte that is not; to be freed. NULL without memory. */
char *pt_utf8_valid(const char *text, size_t length);

/* A copy of valid UTF-8 with \xNN or \u{N} for all that is not printable; to be freed. NULL without
 * memory. */
char *pt_utf8_visible(const char *text);

#endif
