/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processes work in a cluster: they serve a listening socket of their parent, or are handed its connections. */
#include "model/internal.h"

#include <errno.h>

#define ANCESTORS 16 /* looked at */

static struct pt_process *process_of(struct pt_model *model, uint32_t tid)
{
	struct pt_model_task *task = pt_model_find(model, tid);

	return task && task->process->pid ? task->process : NULL;
}

/* Who listens on a socket: whoever asked to, or the first that is seen to use it. */
PT_HANDLER(endpoint)
{
	const struct pt_endpoint *row = record->row;
	struct pt_process *process = process_of(model, row->tid);

	if (!(row->flags & PT_ENDPOINT_LISTENS) || !process)
		return 0;
	return pt_keymap_put(&model->listeners, row->end, process);
}

static bool descends_from(const struct pt_model *model, const struct pt_process *process,
			  const struct pt_process *ancestor)
{
	for (int i = 0; i < ANCESTORS && process && process->ppid; i++) {
		if (process->ppid == ancestor->pid)
			return true;
		process = pt_idmap_get(&model->by_pid, process->ppid);
	}
	return false;
}

PT_HANDLER(accept)
{
	const struct pt_accept *row = record->row;
	struct pt_process *owner = pt_keymap_get(&model->listeners, row->end);
	struct pt_process *process = process_of(model, row->tid);

	if (owner && process && owner != process && descends_from(model, process, owner))
		process->serves = true;
	return 0;
}

PT_HANDLER(pass)
{
	const struct pt_pass *row = record->row;
	struct pt_process *process = process_of(model, row->tid);

	if (process && !(row->flags & (PT_TRANSFER_SENT | PT_PASS_PEEKED)) &&
	    row->kind == PT_CHANNEL_TCP)
		process->serves = true;
	return 0;
}

void pt_cluster_place(struct pt_model *model)
{
	size_t i;

	for (i = 0; i < model->processes.count; i++) {
		struct pt_process *process = pt_model_process(model, i);

		if (process->serves && process->leader &&
		    process->leader->model == PT_MODEL_PROCESS)
			process->leader->model = PT_MODEL_CLUSTER;
	}
}
