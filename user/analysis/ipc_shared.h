/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared memory. What is written there is not seen; what is, is who maps it, and who woke whom out of a sleep on a futex.
 * Such wake-ups are the messages of a channel of kind `futex`, one for a process and one for each two of them. Those of
 * two processes that share just one segment belong to that.
 */
#ifndef PT_ANALYSIS_IPC_SHARED_H
#define PT_ANALYSIS_IPC_SHARED_H

#include "analysis/ipc_mapped.h"

/* Takes a `segment` record. 0 or -ENOMEM. */
int pt_ipc_segment(struct pt_ipc *ipc, struct pt_mapped *mapped, const struct pt_record *record,
		   const struct pt_model *model);

/* Takes the end of a sleep. 0 or -ENOMEM. */
int pt_ipc_woken(struct pt_ipc *ipc, const struct pt_span *span, const struct pt_model *model);

/* All is known. 0 or -ENOMEM. */
int pt_ipc_shared_finish(struct pt_ipc *ipc);

#endif
