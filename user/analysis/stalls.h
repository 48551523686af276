/* SPDX-License-Identifier: BSD-2-Clause */
/* What did the long turns consist of, and why were they long? */
#ifndef PT_ANALYSIS_STALLS_H
#define PT_ANALYSIS_STALLS_H

#include "analysis/analysis.h"
#include "model/cgroup.h"
#include "model/loop.h"

/* So many stalls of a loop are kept, the longest; all are counted, see pt_loops_get(). */
#define PT_STALLS_KEPT 1000
#define PT_STALL_CALLS 24

/* The names go into JSON. */
#define PT_VERDICTS(V)                                                                             \
	V(UNKNOWN, "unknown")                                                                      \
	V(COMPUTING, "computing")                                                                  \
	V(KERNEL, "kernel")                                                                        \
	V(CPU, "waiting-for-cpu")                                                                  \
	V(BLOCKED, "blocked")                                                                      \
	V(NESTED, "nested-loop")                                                                   \
	V(FORK, "fork")

enum pt_verdict {
#define V(name, text) PT_VERDICT_##name,
	PT_VERDICTS(V)
#undef V
		PT_VERDICT_COUNT
};

/* Why it waited for a CPU. */
enum pt_contender {
	PT_CONTENDER_NONE,
	PT_CONTENDER_OTHERS, /* other programs had it */
	PT_CONTENDER_OWN,    /* tasks of its own process had it */
	PT_CONTENDER_QUOTA,  /* the quota of its cgroup held it back */
	PT_CONTENDER_IDLE,   /* the CPU was idle meanwhile, and no quota held it back */
};

struct pt_stall_call {
	int syscall;	/* -1: several that found no room */
	uint64_t count; /* 0: not counted, a sample found it there */
	uint64_t ns;	/* measured if the stall is timed, else from samples and sleeps */
};

struct pt_stall {
	const struct pt_loop *loop;
	uint64_t from, to;	      /* ns since the start of the recording */
	uint64_t returned;	      /* when the wait after it did */
	uint64_t part[PT_PART_COUNT]; /* sum to `to - from`; no PT_PART_CPU */
	enum pt_turn_end end;
	bool timed;	/* its system calls were */
	bool estimated; /* user and kernel were told apart by samples, or by the task's own ratio */
	uint64_t calls_ns, made; /* in system calls but for waits, and how many; ns only if timed */
	const struct pt_loop *inner; /* a loop that ran inside, NULL: none */
	uint64_t inner_ns, poll_ns;
	const struct pt_cgroup_of *cgroup; /* that its process was in; NULL: not known */
	struct pt_tally tally;		   /* the longest sleeps and takers first */
	struct pt_stall_call calls[PT_STALL_CALLS];
	uint32_t call_count;

	enum pt_verdict verdict;
	uint64_t verdict_ns;	      /* what speaks for it */
	const struct pt_slept *slept; /* verdict BLOCKED: the worst; may be NULL */
	enum pt_contender contender;  /* verdict CPU */
	const struct pt_cgroup_of
		*held_by; /* whose quota held it back; NULL: nobody's, or not known */
	uint64_t held_ns; /* for how long, at most the runnable part */
	const struct pt_stall_call
		*call; /* verdict KERNEL: where; NULL: in no one call, or not known */
};

/* Kept stalls, the longest first. */
size_t pt_stalls_count(const struct pt_stalls *stalls);
const struct pt_stall *pt_stalls_get(const struct pt_stalls *stalls, size_t index);

/* Decides verdict and what belongs to it, from the rest, which must be complete. The model names idle and nobody. */
void pt_stall_judge(struct pt_stall *stall, const struct pt_model *model);

#endif
