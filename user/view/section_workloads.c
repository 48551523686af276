/* SPDX-License-Identifier: BSD-2-Clause */
/* What the recorded workloads know to be true, as they printed it: one object after the other. */
#include "analysis/claims.h"
#include "view/section.h"

json_t *pt_section_workloads(const struct pt_source *source)
{
	const struct pt_claims *claims = pt_analyses_claims(source->analyses);
	json_t *list = json_array();
	size_t at = 0;

	while (list && !claims->broken && at < claims->length) {
		json_error_t error;
		json_t *one = json_loadb(claims->text + at, claims->length - at,
					 JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);

		if (!one || error.position <= 0)
			break;
		at += (size_t)error.position;
		if (json_array_append_new(list, one)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
