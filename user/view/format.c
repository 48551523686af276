/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/format.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ULL

/* Three digits that matter, rounded before the unit's decimals are chosen. */
static struct pt_figure three_digits(double value, const char *unit)
{
	struct pt_figure figure;
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(figure.s, sizeof(figure.s), "%.*f %s", decimals, value, unit);
	return figure;
}

struct pt_figure pt_format_ns(uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_SECOND + (ns % NS_PER_SECOND >= NS_PER_SECOND / 2);
	struct pt_figure figure;

	if (!ns)
		return (struct pt_figure){"0"};
	if (ns < 1000) {
		snprintf(figure.s, sizeof(figure.s), "%u ns", (unsigned int)ns);
		return figure;
	}
	if (ns < 999500)
		return three_digits((double)ns / 1e3, "us");
	if (ns < 999500000)
		return three_digits((double)ns / 1e6, "ms");
	if (ns < 100 * NS_PER_SECOND)
		return three_digits((double)ns / 1e9, "s");
	if (seconds < 3600)
		snprintf(figure.s, sizeof(figure.s), "%u:%02u min", (unsigned int)(seconds / 60),
			 (unsigned int)(seconds % 60));
	else
		snprintf(figure.s, sizeof(figure.s), "%llu:%02u:%02u h",
			 (unsigned long long)(seconds / 3600), (unsigned int)(seconds / 60 % 60),
			 (unsigned int)(seconds % 60));
	return figure;
}

struct pt_figure pt_format_count(uint64_t count)
{
	struct pt_figure figure;
	char digits[24];
	size_t length, i, at = 0;

	length = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
	for (i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			figure.s[at++] = ',';
		figure.s[at++] = digits[i];
	}
	figure.s[at] = '\0';
	return figure;
}

struct pt_figure pt_format_bytes(uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	struct pt_figure figure;
	size_t i;

	if (bytes < 1024) {
		snprintf(figure.s, sizeof(figure.s), "%u B", (unsigned int)bytes);
		return figure;
	}
	value /= 1024;
	for (i = 0; value >= 1023.5 && i + 1 < PT_ARRAY_SIZE(units); i++)
		value /= 1024;
	return three_digits(value, units[i]);
}

struct pt_figure pt_format_percent(uint64_t part, uint64_t whole)
{
	double percent = whole ? (double)part * 100.0 / (double)whole : 0;
	struct pt_figure figure;

	if (!part || !whole)
		return (struct pt_figure){"-"};
	if (percent < 0.05)
		return (struct pt_figure){"<0.1"};
	snprintf(figure.s, sizeof(figure.s), part == whole ? "%.0f" : "%.1f", percent);
	return figure;
}
