/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/meta.h"

#include <stdlib.h>
#include <string.h>

void pt_meta_clear(struct pt_meta *meta)
{
	if (!meta)
		return;
	free(meta->version);
	free(meta->host);
	free(meta->kernel);
	free(meta->arch);
	free(meta->target);
	for (char **arg = meta->command; arg && *arg; arg++)
		free(*arg);
	free(meta->command);
	memset(meta, 0, sizeof(*meta));
}

void pt_end_clear(struct pt_end *end)
{
	if (!end)
		return;
	free(end->ended_by);
	memset(end, 0, sizeof(*end));
}
