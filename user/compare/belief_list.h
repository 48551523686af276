/* SPDX-License-Identifier: BSD-2-Clause */
/* What people say, in the order of the answers. To add one: a line here, and its function pt_belief_<name>() in a belief_*.c. */
#ifndef PT_COMPARE_BELIEF_LIST_H
#define PT_COMPARE_BELIEF_LIST_H

#include "compare/trial.h"

/* B(name, text) */
#define PT_BELIEFS(B)                                                                              \
	B(blocks_the_loop, "A CPU-bound task blocks the loop, and everything waits.")              \
	B(frees_the_loop, "A worker leaves the main loop free.")                                   \
	B(own_loops, "Each worker has a loop of its own.")                                         \
	B(lighter_memory, "Threads are lighter in memory.")                                        \
	B(lighter_startup, "Threads start faster.")                                                \
	B(faster_messages, "Threads communicate faster than processes.")                           \
	B(shares_memory, "Threads share memory, processes do not.")                                \
	B(dearer_children, "Child processes cost more than cluster workers.")                      \
	B(uses_all_cores, "A cluster uses all cores, and threads do, too.")                        \
	B(switches_more, "A cluster switches context more.")                                       \
	B(spreads_connections, "The operating system spreads the connections.")                    \
	B(shares_port, "Workers share one port.")                                                  \
	B(crash_takes_one, "A crash takes down one worker only.")                                  \
	B(isolates, "Processes are isolated from each other, threads are not.")                    \
	B(control_only, "Messages in a cluster are control only.")                                 \
	B(threads_and_io, "Threads do not suit I/O-bound work.")

#define B(name, text) enum pt_verdict pt_belief_##name(struct pt_trial *trial);
PT_BELIEFS(B)
#undef B

#endif
