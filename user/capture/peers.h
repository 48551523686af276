/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who else holds the channels that targets use: a look at the descriptors of all processes, now and then. Costs about a
 * hundredth of a CPU at most, and nothing while no new channel comes into use.
 */
#ifndef PT_CAPTURE_PEERS_H
#define PT_CAPTURE_PEERS_H

#include "base/record.h"
#include "capture/probes.h"

struct pt_peers;

/* -ENOMEM */
int pt_peers_new(struct pt_peers **out);

/*
 * Takes notice of a pipe, a Unix socket, a loopback TCP connection or an address that datagrams go to, and of its other side; other
 * records are ignored. 0 or -ENOMEM.
 */
int pt_peers_note(struct pt_peers *peers, const struct pt_record *record);

/* Looks, if there is something new and the last look was long enough ago, or `last`; hands out holder records. */
int pt_peers_look(struct pt_peers *peers, bool last, pt_probes_sink sink, void *context);

/* NULL is accepted. */
void pt_peers_free(struct pt_peers *peers);

#endif
