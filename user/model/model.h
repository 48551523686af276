/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model turns records into tasks and what they did. It keeps the present, not the past: whoever
 * wants sums, distributions or lists registers an observer.
 *
 * Every task that a record mentions is followed, since one that is first met as somebody's
 * neighbour may turn out to be a target; what is told of a task whose `target` is false at the end
 * is to be ignored.
 */
#ifndef PT_MODEL_MODEL_H
#define PT_MODEL_MODEL_H

#include "model/task.h"
#include "trace/meta.h"

struct pt_model;
struct pt_loop;
struct pt_loop_turn;

/* A task did one thing from `from` to `to` (from < to). Spans of a task follow each other without
 * gap or overlap. */
struct pt_span {
	const struct pt_model_task *task;
	const struct pt_model_task
		*waker;	   /* who ended the sleep; NULL: not known. Of blocked spans only */
	uint64_t from, to; /* ns */
	enum pt_part part;
	/* Of blocked spans, and of unknown ones that began with falling asleep; syscall -1: none. */
	enum pt_reason reason;
	int syscall;
	uint16_t cpu;	   /* of spans on a CPU */
	bool woken_by_irq; /* `waker` is only whom the interrupt interrupted */
	bool in_call;	   /* of runnable and blocked spans: it left its CPU inside a system call */
};

/* A part of a wait, and who had the CPU: may be pt_model_idle() or pt_model_nobody(). */
struct pt_piece {
	const struct pt_model_task *task;
	uint64_t ns;
};

/* A task wanted a CPU from `from` to `to`. The pieces are in order of time and sum to the wait. */
struct pt_wait {
	const struct pt_model_task *task;
	uint64_t from, to;
	uint16_t cpu;
	bool over; /* it got the CPU; false: it still waited when it or the recording ended */
	const struct pt_piece *pieces;
	size_t piece_count;
};

/*
 * Callbacks may be NULL and return 0 or a negative errno, which pt_model_feed() passes on. What
 * they are given is valid during the call, except tasks, which live as long as the model. All that
 * happened up to a time is told before anything later is, but a wake-up may be known late, and then
 * its sleep is.
 */
struct pt_observer {
	void *self;
	int (*span)(void *self, const struct pt_span *span);
	int (*waited)(void *self, const struct pt_wait *wait);
	/* A task left a CPU at `time`. */
	int (*switched)(void *self, const struct pt_model_task *task, uint64_t time,
			bool voluntary);
	int (*ended)(void *self, const struct pt_model_task *task);
	/* A turn of a loop is over, DESIGN.md section 2. Which loops were nested or shared is known only at the end. */
	int (*turned)(void *self, const struct pt_loop_turn *turn);
	/* `count` turns of about this length, each as short as the trace format adds up, in which nothing happened. */
	int (*turned_many)(void *self, const struct pt_loop *loop, uint64_t length, uint64_t count);
	/* Every record of the kinds in `kinds`, after the model has used it. */
	int (*record)(void *self, const struct pt_record *record);
	pt_kinds kinds;
};

/* meta is only read during the call. 0 or -ENOMEM. */
int pt_model_new(struct pt_model **out, const struct pt_meta *meta);

/* The observer is copied; its self must live until the model is freed. 0 or -ENOMEM. */
int pt_model_observe(struct pt_model *model, const struct pt_observer *observer);

/* The kinds of record that the model itself needs. */
pt_kinds pt_model_kinds(void);

/* Tells of a loss before the records around it are fed, so that no sure word is said about its
 * time. 0 or -ENOMEM. */
int pt_model_add_loss(struct pt_model *model, const struct pt_loss *loss);

/* The threshold of a stall is the recording's, unless it is raised. Before the first record. */
void pt_model_raise_stall(struct pt_model *model, uint64_t ns);
uint64_t pt_model_stall(const struct pt_model *model);

/* Takes the next record in ascending time. 0 or a negative errno; nonsense in a record is no error.
 */
int pt_model_feed(struct pt_model *model, const struct pt_record *record);

/* Ends every life at `end` or at the last record's time, whichever is later; 0: the recording breaks off somewhere. */
int pt_model_finish(struct pt_model *model, uint64_t end);

size_t pt_model_task_count(const struct pt_model *model);
struct pt_model_task *pt_model_task(const struct pt_model *model, size_t index);
size_t pt_model_process_count(const struct pt_model *model);
struct pt_process *pt_model_process(const struct pt_model *model, size_t index);

size_t pt_model_loop_count(const struct pt_model *model);
const struct pt_loop *pt_model_loop(const struct pt_model *model, size_t index);

/* Stand for a CPU without work, and for what is not known. They are in the table of tasks, and no
 * targets. */
const struct pt_model_task *pt_model_idle(const struct pt_model *model);
const struct pt_model_task *pt_model_nobody(const struct pt_model *model);

/* The current task of a tid, NULL if none was mentioned. */
struct pt_model_task *pt_model_find(const struct pt_model *model, uint32_t tid);

/* Where the recording ended; valid after pt_model_finish(). */
uint64_t pt_model_end(const struct pt_model *model);

/* Transitions that contradicted what came before. */
uint64_t pt_model_contradictions(const struct pt_model *model);

/* NULL is accepted. */
void pt_model_free(struct pt_model *model);

#endif
