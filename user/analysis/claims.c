/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Far beyond what any workload prints; a crafted file must not make us keep all of it. */
#define TEXT_LIMIT ((size_t)16 << 20)

struct result {
	struct pt_claims claims; /* first: it is what pt_analyses_claims() gives */
	uint32_t parts;
	size_t room;
};

extern const struct pt_analysis_class pt_claims_class;

static int make_room(struct result *result, size_t length)
{
	size_t room = result->room ? result->room : PT_TEXT_MAX;
	char *text;

	while (room < length)
		room *= 2;
	if (room == result->room)
		return 0;
	text = realloc(result->claims.text, room);
	if (!text)
		return -ENOMEM;
	result->claims.text = text;
	result->room = room;
	return 0;
}

static int on_record(void *self, const struct pt_record *record)
{
	struct result *result = self;
	struct pt_claims *claims = &result->claims;
	const struct pt_workload *row = record->row;
	size_t length = claims->length + record->text_len;

	if (claims->broken)
		return 0;
	claims->broken = row->part != result->parts || length > TEXT_LIMIT;
	if (claims->broken)
		return 0;
	if (make_room(result, length))
		return -ENOMEM;
	if (record->text_len)
		memcpy(claims->text + claims->length, record->text, record->text_len);
	claims->length = length;
	result->parts++;
	return 0;
}

static int start(void **self, struct pt_model *model)
{
	struct result *result = calloc(1, sizeof(*result));
	struct pt_observer observer = {
		.self = result,
		.record = on_record,
		.kinds = PT_KIND_BIT(PT_KIND_workload),
	};

	*self = result;
	return result ? pt_model_observe(model, &observer) : -ENOMEM;
}

static void release(void *self)
{
	struct result *result = self;

	free(result->claims.text);
	free(result);
}

const struct pt_analysis_class pt_claims_class = {
	.name = "claims",
	.kinds = PT_KIND_BIT(PT_KIND_workload),
	.start = start,
	.free = release,
};
