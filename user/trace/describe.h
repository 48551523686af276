/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON texts of a trace: metadata and schema at its start, and what is known at its end. */
#ifndef PT_TRACE_DESCRIBE_H
#define PT_TRACE_DESCRIBE_H

#include "base/error.h"
#include "trace/layout.h"
#include "trace/meta.h"

/* Metadata and schema. The caller frees it; NULL: out of memory. Bytes that are not UTF-8 become
 * '?'. */
char *pt_describe_meta(const struct pt_meta *meta);

/* The metadata without the schema: a copy for the end. */
char *pt_describe_facts(const struct pt_meta *meta);

/* facts: as above, or NULL. */
char *pt_describe_end(const struct pt_end *end, const char *facts);

/* Fills both, whatever was there. 0, -EBADMSG or -ENOMEM; on error they are cleared. */
int pt_parse_meta(const char *text, size_t len, struct pt_meta *meta, struct pt_layouts *layouts,
		  struct pt_error *err);

/* meta is filled, too, unless it is NULL: empty where the file has no second copy of it. */
int pt_parse_end(const char *text, size_t len, struct pt_end *end, struct pt_meta *meta,
		 struct pt_error *err);

#endif
