/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/parse.h"

#include <string.h>

static const char blanks[] = " \t\n";

/* At least 16 if it is no digit. */
static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

bool pt_parse_number(const char **text, unsigned int base, uint64_t *number)
{
	const char *at = *text;
	uint64_t value = 0;
	unsigned int digit;

	for (; (digit = digit_of(*at)) < base; at++) {
		if (value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (at == *text)
		return false;
	*number = value;
	*text = at;
	return true;
}

bool pt_parse_literal(const char **text, const char *literal)
{
	size_t length = strlen(literal);

	if (strncmp(*text, literal, length))
		return false;
	*text += length;
	return true;
}

bool pt_parse_skip(const char **text, unsigned int count)
{
	const char *at = *text + strspn(*text, blanks);

	while (count-- && *at) {
		at += strcspn(at, blanks);
		at += strspn(at, blanks);
	}
	if (!*at)
		return false;
	*text = at;
	return true;
}
