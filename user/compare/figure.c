/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>

#include "compare/compare.h"

static struct pt_figure plain(double value, const char *unit)
{
	struct pt_figure figure;
	int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;

	if (value >= 999.5 && !*unit)
		return pt_format_count((uint64_t)llround(value));
	snprintf(figure.s, sizeof(figure.s), "%.*f%s", decimals, value, unit);
	return figure;
}

struct pt_figure pt_comparison_figure(enum pt_unit unit, double value)
{
	struct pt_figure figure, size;

	if (value < 0) {
		size = pt_comparison_figure(unit, -value);
		snprintf(figure.s, sizeof(figure.s), "-%.30s", size.s);
		return figure;
	}
	/* Beyond this nothing is measured: only a crafted file says so. */
	value = fmin(value, 1e18);
	switch (unit) {
	case PT_UNIT_NS:
		return pt_format_ns((uint64_t)llround(value));
	case PT_UNIT_BYTES:
		if (value < 100 && value != floor(value))
			return plain(value, " B");
		return pt_format_bytes((uint64_t)llround(value));
	case PT_UNIT_SHARE:
		return plain(value * 100, " %");
	case PT_UNIT_COUNT:
		if (value == floor(value))
			return pt_format_count((uint64_t)llround(value));
		return plain(value, "");
	default:
		return plain(value, "");
	}
}

struct pt_figure pt_comparison_ratio(double high, double low)
{
	struct pt_figure figure = {"more than 100 times"};
	double ratio = low > 0 ? high / low : INFINITY;

	if (ratio < 100)
		snprintf(figure.s, sizeof(figure.s), "%.*f times", ratio < 10 ? 1 : 0, ratio);
	return figure;
}
