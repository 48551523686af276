/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"

/* Student's t, two-sided 95 %, for 1, 2, ... degrees of freedom; beyond the last, that of the normal distribution is
 * less than 4 % off. */
static const double student[] = {
	12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
	2.201,	2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
	2.080,	2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
};

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void pt_spread_of(struct pt_spread *spread, double *values, size_t count)
{
	size_t i;

	memset(spread, 0, sizeof(*spread));
	if (!count)
		return;
	qsort(values, count, sizeof(*values), by_size);
	spread->runs = count;
	spread->low = values[0];
	spread->high = values[count - 1];
	spread->median = (values[(count - 1) / 2] + values[count / 2]) / 2;
	for (i = 0; i < count; i++)
		spread->mean += values[i] / (double)count;
	for (i = 0; count > 1 && i < count; i++)
		spread->variance += (values[i] - spread->mean) * (values[i] - spread->mean) /
				    (double)(count - 1);
}

/* Rounded down, which makes the interval wider rather than narrower. */
static double student_of(double freedom)
{
	const size_t known = PT_ARRAY_SIZE(student);

	if (freedom < 1)
		return student[0];
	return student[freedom > (double)known ? known - 1 : (size_t)freedom - 1];
}

bool pt_spread_uncertainty(const struct pt_spread *a, const struct pt_spread *b, double *half)
{
	double va, vb, freedom;

	if (a->runs < 2 || b->runs < 2)
		return false;
	va = a->variance / (double)a->runs;
	vb = b->variance / (double)b->runs;
	*half = 0;
	if (!(va + vb > 0))
		return true;
	freedom = (va + vb) * (va + vb) /
		  (va * va / (double)(a->runs - 1) + vb * vb / (double)(b->runs - 1));
	*half = student_of(freedom) * sqrt(va + vb);
	return true;
}

bool pt_spread_differs(const struct pt_spread *a, const struct pt_spread *b)
{
	double half;

	return pt_spread_uncertainty(a, b, &half) && fabs(a->median - b->median) > half;
}

bool pt_spread_apart(const struct pt_spread *a, const struct pt_spread *b)
{
	double orders = 1;
	size_t i;

	if (!a->runs || !b->runs || (a->high >= b->low && b->high >= a->low))
		return false;
	/* So many ways to mix the runs; two of them part the sides. */
	for (i = 1; i <= a->runs; i++)
		orders = orders * (double)(b->runs + i) / (double)i;
	return orders >= 40;
}
