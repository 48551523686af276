/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_ESCAPE 11 /* \u{10ffff} and its end */

uint32_t pt_utf8_next(const char **text, size_t *left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)*text;
	size_t length = s[0] < 0x80   ? 1
			: s[0] < 0xc2 ? 0
			: s[0] < 0xe0 ? 2
			: s[0] < 0xf0 ? 3
			: s[0] < 0xf5 ? 4
				      : 0;
	uint32_t c = length > 1 ? s[0] & (0x7fU >> length) : s[0];
	size_t i;

	for (i = 1; i < length; i++) {
		if (i >= *left || (s[i] & 0xc0) != 0x80)
			break;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (!length || i < length || c < least[length] || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000)) {
		length = 1;
		c = PT_UTF8_BAD;
	}
	*text += length;
	*left -= length;
	return c;
}

bool pt_utf8_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	return !((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
		 (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x61c);
}

static char *copy(const char *text, size_t length, bool visible)
{
	size_t left = length, room = length * (LONGEST_ESCAPE - 1) + 1, at = 0;
	char *out = malloc(room);

	while (out && left) {
		const char *from = text;
		uint32_t c = pt_utf8_next(&text, &left);

		if (c == PT_UTF8_BAD || (visible && !pt_utf8_printable(c) && c < 0x80)) {
			at += (size_t)snprintf(out + at, room - at, "\\x%02x",
					       (unsigned char)*from);
		} else if (visible && !pt_utf8_printable(c)) {
			at += (size_t)snprintf(out + at, room - at, "\\u{%x}", c);
		} else {
			memcpy(out + at, from, (size_t)(text - from));
			at += (size_t)(text - from);
		}
	}
	if (out)
		out[at] = '\0';
	return out;
}

char *pt_utf8_valid(const char *text, size_t length)
{
	return copy(text, length, false);
}

char *pt_utf8_visible(const char *text)
{
	return copy(text, strlen(text), true);
}
