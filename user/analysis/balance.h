/* SPDX-License-Identifier: BSD-2-Clause */
/* Is the load of a listening socket spread over those who serve it? */
#ifndef PT_ANALYSIS_BALANCE_H
#define PT_ANALYSIS_BALANCE_H

#include "analysis/analysis.h"

struct pt_worker {
	const struct pt_process *process;
	uint64_t accepted;     /* connections */
	uint64_t handed_over;  /* connections that came to it over a Unix socket */
	uint64_t handed_out;   /* connections that it passed on so */
	uint64_t handed_bytes; /* of the messages they were passed on with */
	uint64_t sockets;      /* times that the listening socket itself came to it */
};

/* All sockets that listen on one port, or one that listens elsewhere. */
struct pt_port {
	uint16_t port; /* 0: not an IP socket */
	uint64_t end;  /* of the first socket */
	struct pt_worker *workers;
	size_t count, room;
};

struct pt_balance {
	struct pt_port *ports;
	size_t count, room;
};

#endif
