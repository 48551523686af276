/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is there: the tables of tasks and processes, births, names and deaths. */
#include "model/internal.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

/* A snapshot is taken while tasks run on: right after a transition the transition is the better
 * witness. */
#define SNAPSHOT_SLACK_NS 1000000

struct pt_process *pt_process_get(struct pt_model *model, uint32_t pid)
{
	struct pt_process *process = pt_idmap_get(&model->by_pid, pid);

	if (process)
		return process;
	process = pt_pool_add(&model->processes);
	if (!process)
		return NULL;
	process->pid = pid;
	process->index = (uint32_t)(model->processes.count - 1);
	return pt_idmap_put(&model->by_pid, pid, process) ? NULL : process;
}

static struct pt_process *new_process(struct pt_model *model, uint32_t pid)
{
	return pt_idmap_put(&model->by_pid, pid, NULL) ? NULL : pt_process_get(model, pid);
}

void pt_task_set_comm(struct pt_model_task *task, const struct pt_comm *comm)
{
	memcpy(task->comm, comm->s, PT_COMM_LEN);
	task->comm[PT_COMM_LEN] = '\0';
}

struct pt_model_task *pt_task_new(struct pt_model *model, uint32_t tid)
{
	struct pt_model_task *task = pt_pool_add(&model->tasks);

	if (!task)
		return NULL;
	task->tid = tid;
	task->index = (uint32_t)(model->tasks.count - 1);
	task->process = model->idle->process;
	task->doing.syscall = -1;
	task->made_by = -1;
	return pt_idmap_put(&model->by_tid, tid, task) ? NULL : task;
}

struct pt_model_task *pt_task_mention(struct pt_model *model, uint32_t tid)
{
	struct pt_model_task *task;

	if (!tid)
		return model->idle;
	if (tid == PT_TID_UNKNOWN)
		return model->nobody;
	task = pt_idmap_get(&model->by_tid, tid);
	return task ? task : pt_task_new(model, tid);
}

/* The task of a record that only targets have; NULL without memory. May be the idle task, in
 * nonsense. */
static struct pt_model_task *target_of(struct pt_model *model, uint32_t tid)
{
	struct pt_model_task *task = pt_task_mention(model, tid);

	if (task && task != model->idle && task != model->nobody)
		task->target = true;
	return task;
}

static void join_process(struct pt_model_task *task, struct pt_process *process)
{
	task->process = process;
	if (task->tid == process->pid)
		process->leader = task;
}

static enum pt_origin origin_of(const struct pt_model *model, const struct pt_fork *f)
{
	if (model->x86_64 && f->syscall == 57)
		return PT_ORIGIN_FORK;
	if (model->x86_64 && f->syscall == 58)
		return PT_ORIGIN_VFORK;
	return PT_ORIGIN_CLONE;
}

/* The tid is somebody else's from now on, so its last owner is gone, though nobody saw it go. */
static int retire(struct pt_model *model, uint32_t tid, uint64_t time)
{
	struct pt_model_task *task = pt_model_find(model, tid);

	if (!task || task->doing.phase == PT_PHASE_DEAD)
		return 0;
	return pt_state_end(model, task, task->exited ? task->exit_ns : time, task->exited);
}

PT_HANDLER(fork)
{
	const struct pt_fork *f = record->row;
	bool thread = f->clone_flags & CLONE_THREAD;
	/* The recorder makes the command, and is no target for that. */
	struct pt_model_task *parent = pt_task_mention(model, f->parent_tid), *child;
	struct pt_process *process;
	int ret;

	if (!parent)
		return -ENOMEM;
	if (!f->tid || f->tid == PT_TID_UNKNOWN)
		return 0;
	ret = retire(model, f->tid, f->time);
	if (ret)
		return ret;
	process = thread ? pt_process_get(model, f->pid) : new_process(model, f->pid);
	child = pt_task_new(model, f->tid);
	if (!child || !process)
		return -ENOMEM;
	child->target = true;
	child->start = f->start;
	child->start_ns = child->doing.since = f->time;
	child->doing.phase = PT_PHASE_RUNNABLE;
	child->doing.cpu = parent->doing.cpu;
	child->creator = parent;
	child->has_base = true;
	child->made_by = (int16_t)f->syscall;
	child->origin = (uint8_t)origin_of(model, f);
	child->model = thread ? PT_MODEL_THREAD : parent->target ? PT_MODEL_PROCESS : PT_MODEL_MAIN;
	pt_task_set_comm(child, &f->comm);
	join_process(child, process);
	if (!thread) {
		pt_turns_child(parent, child);
		process->cgroup = parent->process->cgroup;
		process->ppid = f->parent_pid;
		process->parent = parent->process->pid ? parent->process : NULL;
	}
	return 0;
}

int pt_task_take_tid(struct pt_model *model, struct pt_model_task *task, uint32_t tid)
{
	int ret = retire(model, tid, model->now);

	if (!ret && pt_model_find(model, task->tid) == task)
		ret = pt_idmap_put(&model->by_tid, task->tid, NULL);
	if (ret)
		return ret;
	task->tid = tid;
	task->start = 0; /* the kernel gives it the leader's */
	join_process(task, task->process);
	return pt_idmap_put(&model->by_tid, tid, task);
}

PT_HANDLER(exec)
{
	const struct pt_exec *e = record->row;
	struct pt_model_task *task = NULL;
	int ret = 0;

	if (!e->tid || e->tid == PT_TID_UNKNOWN)
		return 0;
	if (e->old_tid != e->tid)
		task = pt_model_find(model, e->old_tid);
	if (task && task->tid && task->doing.phase != PT_PHASE_DEAD)
		ret = pt_task_take_tid(model, task, e->tid);
	task = ret ? NULL : target_of(model, e->tid);
	if (!task)
		return ret ? ret : -ENOMEM;
	/* The loops of the program before are gone. */
	ret = pt_turns_end(model, task, e->time, true);
	pt_looper_free(task->looper);
	task->looper = NULL;
	task->execed = true;
	pt_task_set_comm(task, &e->comm);
	if (!task->process->pid) {
		struct pt_process *process = pt_process_get(model, e->tid);

		if (!process)
			return -ENOMEM;
		join_process(task, process);
	}
	return ret;
}

PT_HANDLER(command)
{
	const struct pt_command *c = record->row;
	struct pt_process *process = pt_process_get(model, c->pid);
	char *copy;

	if (!process)
		return -ENOMEM;
	if (!c->pid || !record->text_len)
		return 0;
	copy = malloc(record->text_len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, record->text, record->text_len);
	free(process->command);
	process->command = copy;
	process->command_len = record->text_len;
	return 0;
}

PT_HANDLER(rename)
{
	const struct pt_rename *r = record->row;
	struct pt_model_task *task = target_of(model, r->tid);

	if (!task)
		return -ENOMEM;
	if (task->tid)
		pt_task_set_comm(task, &r->comm);
	return 0;
}

PT_HANDLER(migrate)
{
	const struct pt_migrate *m = record->row;
	struct pt_model_task *task = target_of(model, m->tid);

	if (!task)
		return -ENOMEM;
	task->migrations++;
	if (task->doing.phase == PT_PHASE_RUNNABLE)
		task->doing.cpu = m->to_cpu;
	return 0;
}

/*
 * Compares what we counted since the first word of the kernel with what the kernel did. Where they differ the kernel is
 * right: there are switches that it shows to no tracer.
 */
static void check_counts(struct pt_model_task *task, const struct pt_counts *kernel)
{
	const struct pt_counts *k = &task->kernel_base, *o = &task->our_base;

	if (!task->has_base) {
		task->has_base = true;
		task->kernel_base = *kernel;
		task->our_base = task->counts;
		return;
	}
	task->agreement =
		kernel->voluntary - k->voluntary == task->counts.voluntary - o->voluntary &&
				kernel->involuntary - k->involuntary ==
					task->counts.involuntary - o->involuntary
			? PT_AGREEMENT_SAME
			: PT_AGREEMENT_DIFFERENT;
	if (kernel->voluntary >= k->voluntary && kernel->involuntary >= k->involuntary) {
		task->counts.voluntary = o->voluntary + kernel->voluntary - k->voluntary;
		task->counts.involuntary = o->involuntary + kernel->involuntary - k->involuntary;
	}
	task->counts.minor_faults =
		kernel->minor_faults > k->minor_faults ? kernel->minor_faults - k->minor_faults : 0;
	task->counts.major_faults =
		kernel->major_faults > k->major_faults ? kernel->major_faults - k->major_faults : 0;
}

/* The first times that the kernel tells of a task that was there before are those to count from. */
static void take_times(struct pt_model_task *task, uint64_t user, uint64_t kernel)
{
	if (!task->has_times && task->start_ns == 0) {
		task->user_base = user;
		task->kernel_base_ns = kernel;
	}
	task->has_times = true;
	task->user_ns = user > task->user_base ? user - task->user_base : 0;
	task->kernel_ns = kernel > task->kernel_base_ns ? kernel - task->kernel_base_ns : 0;
}

PT_HANDLER(exit)
{
	const struct pt_exit *e = record->row;
	struct pt_model_task *task = target_of(model, e->tid);
	struct pt_process *process = pt_process_get(model, e->pid);
	int ret;

	if (!task || !process)
		return -ENOMEM;
	if (!task->tid || task->doing.phase == PT_PHASE_DEAD)
		return 0;
	task->exited = true;
	task->exit_ns = e->time;
	task->exit_code = (int)(e->code >> 8 & 0xff);
	task->exit_signal = (int)(e->code & 0x7f);
	if (!task->process->pid)
		join_process(task, process);
	check_counts(task, &(struct pt_counts){e->voluntary, e->involuntary, e->minor_faults,
					       e->major_faults});
	take_times(task, e->user_time, e->kernel_time);
	ret = pt_state_runs(model, task, e->time);
	return ret ? ret : pt_turns_end(model, task, e->time, true);
}

static enum pt_phase phase_of(uint8_t state)
{
	switch (state) {
	case PT_STATE_RUNNING:
		return PT_PHASE_RUNNING;
	case PT_STATE_RUNNABLE:
		return PT_PHASE_RUNNABLE;
	case PT_STATE_DEAD:
		return PT_PHASE_DEAD;
	default:
		return PT_PHASE_BLOCKED;
	}
}

static int set_phase(struct pt_model *model, struct pt_model_task *task, enum pt_phase phase,
		     const struct pt_task *t, uint64_t time, bool sure)
{
	struct pt_doing *d = &task->doing;
	struct pt_cpu *cpu = pt_cpu_get(model, t->cpu);
	int ret;

	if (phase == PT_PHASE_RUNNING && cpu) {
		if (cpu->current == model->nobody) {
			cpu->current = task;
			pt_cpu_push(cpu, time, task);
		} else if (cpu->current != task) {
			phase = PT_PHASE_UNKNOWN;
		}
	}
	ret = pt_state_become(model, task, phase, time, sure);
	d->cpu = t->cpu;
	d->reason = t->reason < PT_REASON_COUNT ? t->reason : PT_REASON_UNKNOWN;
	d->syscall = t->syscall;
	d->in_call = t->syscall >= 0;
	return ret;
}

/* What it did before it became a target is not of its life here. */
static int adopt_joined(struct pt_model *model, struct pt_model_task *task, const struct pt_task *t)
{
	struct pt_cpu *cpu = pt_cpu_get(model, t->cpu);

	task->start_ns = task->doing.since = t->time;
	task->user_base = t->user_time;
	task->kernel_base_ns = t->kernel_time;
	task->has_times = true;
	/* As whom nobody recorded it had this CPU. */
	if (cpu && cpu->current->tid == t->tid)
		cpu->current = model->nobody;
	return set_phase(model, task, phase_of(t->state), t, t->time, true);
}

/* No record of it came before: it has been in its present state since the recording began. */
static int adopt_first_state(struct pt_model *model, struct pt_model_task *task,
			     const struct pt_task *t)
{
	enum pt_phase phase = phase_of(t->state);
	bool born_here = model->start_boot && t->start > model->start_boot;
	uint64_t birth = born_here ? t->start - model->start_boot : 0;

	if (birth > t->time)
		birth = t->time;
	task->start_ns = task->doing.since = birth;
	if (birth || (t->flags & PT_TASK_LAST))
		return set_phase(model, task, phase, t, t->time, true);
	if (phase != PT_PHASE_RUNNABLE || !t->since || t->since >= t->time)
		return set_phase(model, task, phase, t, 0, true);
	task->doing.phase = PT_PHASE_BLOCKED;
	return set_phase(model, task, phase, t, t->time - t->since, true);
}

/* Records of it came before: they know better, unless they have known nothing for a while. */
static int compare_state(struct pt_model *model, struct pt_model_task *task,
			 const struct pt_task *t)
{
	struct pt_doing *d = &task->doing;
	enum pt_phase phase = phase_of(t->state);

	if (d->phase == PT_PHASE_BLOCKED && phase == PT_PHASE_RUNNABLE && t->since)
		return set_phase(model, task, phase, t, t->since < t->time ? t->time - t->since : 0,
				 true);
	if (d->phase == phase || phase == PT_PHASE_DEAD)
		return 0;
	if (d->phase != PT_PHASE_UNKNOWN && d->since + SNAPSHOT_SLACK_NS >= t->time)
		return 0;
	return set_phase(model, task, phase, t, t->time, d->phase == PT_PHASE_UNKNOWN);
}

static void take_facts(struct pt_model_task *task, const struct pt_task *t,
		       struct pt_process *process)
{
	task->start = t->start;
	pt_task_set_comm(task, &t->comm);
	join_process(task, process);
	/* At the end an orphan has another parent than the one that made it. */
	if (!process->ppid)
		process->ppid = t->ppid;
	if (!task->has_base && t->tid != t->pid)
		task->model = PT_MODEL_THREAD;
}

PT_HANDLER(task)
{
	const struct pt_task *t = record->row;
	struct pt_counts counts = {t->voluntary, t->involuntary, t->minor_faults, t->major_faults};
	struct pt_model_task *task = pt_model_find(model, t->tid);
	struct pt_process *process;
	bool fresh, joins, gone;
	int ret;

	if (!t->tid || t->tid == PT_TID_UNKNOWN)
		return 0;
	gone = task && ((task->start && t->start && task->start != t->start) ||
			task->doing.phase == PT_PHASE_DEAD);
	if (gone && (t->flags & PT_TASK_LAST || phase_of(t->state) == PT_PHASE_DEAD))
		return 0;
	joins = t->flags & PT_TASK_JOINED && (gone || !task || !task->target);
	fresh = gone || joins || !task;
	ret = task && fresh ? retire(model, t->tid, t->time) : 0;
	if (fresh)
		task = pt_task_new(model, t->tid);
	process = pt_process_get(model, t->pid);
	if (ret || !task || !process)
		return ret ? ret : -ENOMEM;
	take_facts(task, t, process);
	if (t->flags & PT_TASK_PEER)
		return 0;
	task->target = true;
	if (!(t->flags & PT_TASK_LAST) || task->has_base)
		check_counts(task, &counts);
	if (joins)
		ret = adopt_joined(model, task, t);
	else
		ret = fresh ? adopt_first_state(model, task, t) : compare_state(model, task, t);
	take_times(task, t->user_time, t->kernel_time);
	return ret;
}

PT_HANDLER(occupant)
{
	const struct pt_occupant *o = record->row;
	struct pt_cpu *cpu = pt_cpu_get(model, o->cpu);
	struct pt_model_task *task = pt_task_mention(model, o->tid);
	struct pt_process *process;

	if (!task)
		return -ENOMEM;
	if (task->tid && !task->target) {
		process = pt_process_get(model, o->pid);
		if (!process)
			return -ENOMEM;
		pt_task_set_comm(task, &o->comm);
		join_process(task, process);
	}
	if (cpu)
		pt_cpu_insert(cpu, o->ago < o->time ? o->time - o->ago : 0, task);
	return 0;
}

PT_HANDLER(compat)
{
	const struct pt_compat *row = record->row;
	struct pt_process *process = pt_process_get(model, row->pid);

	if (!process)
		return -ENOMEM;
	process->compat = true;
	return 0;
}

static bool has_target(const struct pt_process *process)
{
	return process && process->leader && process->leader->target;
}

void pt_tasks_place(struct pt_model *model)
{
	size_t i;

	for (i = 1; i < model->processes.count; i++) {
		struct pt_process *process = pt_model_process(model, i);
		struct pt_model_task *leader = process->leader;
		struct pt_process *parent =
			process->ppid ? pt_idmap_get(&model->by_pid, process->ppid) : NULL;

		if (!process->parent && parent != process && has_target(parent)) {
			process->parent = parent;
			if (leader && leader->model == PT_MODEL_MAIN)
				leader->model = PT_MODEL_PROCESS;
		}
		/* It was too short for its cgroup to be looked up. */
		if (!process->cgroup && process->parent)
			process->cgroup = process->parent->cgroup;
		/* The recorder's own fork is none of the user's business. */
		if (leader && leader->execed && leader->model == PT_MODEL_MAIN && process->ppid &&
		    process->ppid == model->recorder_pid)
			leader->origin = PT_ORIGIN_EXEC;
	}
}
