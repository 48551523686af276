/* SPDX-License-Identifier: BSD-2-Clause */
/* What did the workload say of itself? */
#ifndef PT_ANALYSIS_CLAIMS_H
#define PT_ANALYSIS_CLAIMS_H

#include "analysis/analysis.h"

struct pt_claims {
	char *text; /* NULL: no bundled workload was recorded; not terminated */
	size_t length;
	bool broken; /* a piece is missing, or there are more than we keep */
};

#endif
