/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the model share, and nobody else sees. */
#ifndef PT_MODEL_INTERNAL_H
#define PT_MODEL_INTERNAL_H

#include "base/idmap.h"
#include "base/keymap.h"
#include "model/loop.h"
#include "model/model.h"

#define PT_CHUNK	256
#define PT_TID_UNKNOWN	0xffffffffU
#define PT_WAIT_UNKNOWN 0xffffffffU
#define PT_CPU_LIMIT	8192
#define PT_HISTORY_MIN	512
#define PT_HISTORY_MAX	16384

/* Things of one size that are made one by one, never freed singly, and never move. */
struct pt_pool {
	char **chunks;
	size_t count;
	size_t size;
};

/* A new zeroed thing, NULL without memory. */
void *pt_pool_add(struct pt_pool *pool);
void pt_pool_clear(struct pt_pool *pool);

static inline void *pt_pool_at(const struct pt_pool *pool, size_t index)
{
	return pool->chunks[index / PT_CHUNK] + index % PT_CHUNK * pool->size;
}

/* From `time` on, a task had the CPU. */
struct pt_occupancy {
	uint64_t time;
	uint32_t task; /* index */
	bool unsure;   /* somebody else may have come before the next entry */
};

struct pt_cpu {
	struct pt_model_task *current; /* nobody if not known */
	struct pt_occupancy *history;
	uint64_t head; /* entries ever written */
	uint32_t room; /* a power of two; 0: not in use yet */
	bool wants_room;
};

struct pt_pending_wait {
	struct pt_model_task *task;
	uint64_t from, to;
	uint16_t cpu;
};

struct pt_interval {
	uint64_t from, to;
};

/* What observers may hear of. A record of kind k is PT_HEARD_RECORD + k. */
enum pt_heard {
	PT_HEARD_SPAN,
	PT_HEARD_WAITED,
	PT_HEARD_SWITCHED,
	PT_HEARD_ENDED,
	PT_HEARD_TURNED,
	PT_HEARD_TURNED_MANY,
	PT_HEARD_RECORD,
	PT_HEARD_COUNT = PT_HEARD_RECORD + PT_KIND_LIMIT,
};

/* Those observers that hear of one thing, which most do not. */
struct pt_audience {
	struct pt_observer *observers;
	size_t count;
};

struct pt_model {
	struct pt_pool tasks, processes, loops, cgroups;
	struct pt_idmap by_tid, by_pid;
	struct pt_keymap listeners; /* end: process that listens */
	struct pt_keymap by_cgroup; /* number: struct pt_cgroup_of */
	struct pt_model_task *nobody, *idle;
	struct pt_cpu *cpus;
	uint32_t cpu_count;
	uint32_t recorder_pid;
	uint64_t stall_ns;
	uint64_t start_boot;
	bool x86_64;
	uint64_t now;
	uint64_t end;
	bool broken_off; /* the recorder did not live to tell the end */
	uint64_t contradictions;

	/* Waits that have ended, but about whose CPU the records of that moment may still tell. */
	struct pt_pending_wait *pending;
	size_t pending_count, pending_room;
	uint64_t pending_time;

	struct pt_piece *pieces;
	size_t piece_room;

	struct pt_interval *losses; /* sorted and disjoint once the first record has been fed */
	size_t loss_count, loss_room;
	bool losses_sorted;

	struct pt_audience audiences[PT_HEARD_COUNT];
};

/* cpus.c: who had which CPU. */
/* NULL: no such CPU, or no memory. */
struct pt_cpu *pt_cpu_get(struct pt_model *model, uint32_t number);
void pt_cpu_push(struct pt_cpu *cpu, uint64_t time, const struct pt_model_task *task);
void pt_cpu_insert(struct pt_cpu *cpu, uint64_t time, const struct pt_model_task *task);
/* `left` was not the last to come, unless somebody unseen came before it. */
void pt_cpu_doubt(struct pt_cpu *cpu, const struct pt_model_task *left);
int pt_cpu_charge(struct pt_model *model, const struct pt_pending_wait *pending, bool over);
void pt_cpu_free_all(struct pt_model *model);

/* tasks.c: who is there. */
struct pt_model_task *pt_task_mention(struct pt_model *model, uint32_t tid); /* NULL: no memory */
struct pt_model_task *pt_task_new(struct pt_model *model, uint32_t tid);
/* exec by a thread that does not lead its process gives it the leader's tid. 0 or -ENOMEM. */
int pt_task_take_tid(struct pt_model *model, struct pt_model_task *task, uint32_t tid);
/* At the end: which process belongs below which. */
void pt_tasks_place(struct pt_model *model);
struct pt_process *pt_process_get(struct pt_model *model, uint32_t pid);
void pt_task_set_comm(struct pt_model_task *task, const struct pt_comm *comm);

/* cluster.c, at the end, after the processes have their places. */
void pt_cluster_place(struct pt_model *model);

/* states.c: what they do. All end the present phase at `time`; not `sure`: what it was is in doubt.
 * 0 or negative errno. */
int pt_state_become(struct pt_model *model, struct pt_model_task *task, enum pt_phase phase,
		    uint64_t time, bool sure);
int pt_state_end(struct pt_model *model, struct pt_model_task *task, uint64_t time, bool sure);
/* Charges the waits that ended at or before pending_time. */
int pt_state_settle(struct pt_model *model);

/* It is on its CPU at `time`, says another record than a switch. */
int pt_state_runs(struct pt_model *model, struct pt_model_task *task, uint64_t time);

/* turns.c: what is told of tasks that have loops. 0 or negative errno. */
int pt_turns_span(struct pt_model *model, const struct pt_span *span);
int pt_turns_wait(struct pt_model *model, const struct pt_wait *wait);
/* The task exits, or (at the end of the recording) is there no longer to be seen. */
int pt_turns_end(struct pt_model *model, struct pt_model_task *task, uint64_t time, bool exits);
/* It has come to a CPU. */
int pt_turns_runs(struct pt_model *model, struct pt_model_task *task);
void pt_turns_child(const struct pt_model_task *parent, const struct pt_model_task *child);
void pt_looper_free(struct pt_looper *looper);
/* shared.c. At the end: which loops share their object. 0 or -ENOMEM. */
int pt_loops_compare(struct pt_model *model);

/* cgroup.c */
void pt_cgroups_clear(struct pt_model *model);

/* losses.c: when records are missing. */
void pt_losses_sort(struct pt_model *model);
/* The first interval that ends after `time`; NULL if none. */
const struct pt_interval *pt_losses_after(const struct pt_model *model, uint64_t time);

/* Handlers of records, for the table in model.c. `row` is the kind's struct. */
#define PT_HANDLER(name) int pt_on_##name(struct pt_model *model, const struct pt_record *record)
PT_HANDLER(switch);
PT_HANDLER(wakeup);
PT_HANDLER(fork);
PT_HANDLER(exec);
PT_HANDLER(command);
PT_HANDLER(rename);
PT_HANDLER(exit);
PT_HANDLER(migrate);
PT_HANDLER(task);
PT_HANDLER(occupant);
PT_HANDLER(endpoint);
PT_HANDLER(accept);
PT_HANDLER(pass);
PT_HANDLER(compat);
PT_HANDLER(turn);
PT_HANDLER(turn_sum);
PT_HANDLER(sleep);
PT_HANDLER(sample);
PT_HANDLER(cgroup);
PT_HANDLER(member);
PT_HANDLER(throttle);

#endif
