/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks and processes as the model knows them. Analyses and views read these; only the model writes
 * them. Times are ns since the start of the recording.
 */
#ifndef PT_MODEL_TASK_H
#define PT_MODEL_TASK_H

#include "base/record.h"

/* What a task's time goes to. The names go into JSON in lower case. */
#define PT_PARTS(P)                                                                                \
	P(USER, "user")                                                                            \
	P(KERNEL, "kernel")                                                                        \
	P(CPU, "cpu")                                                                              \
	P(RUNNABLE, "runnable")                                                                    \
	P(BLOCKED, "blocked")                                                                      \
	P(UNKNOWN, "unknown")

enum pt_part {
#define P(name, text) PT_PART_##name,
	PT_PARTS(P)
#undef P
		PT_PART_COUNT
};

/* How a process began, or a task was made. */
#define PT_ORIGINS(O)                                                                              \
	O(EXISTING, "existing")                                                                    \
	O(FORK, "fork")                                                                            \
	O(VFORK, "vfork")                                                                          \
	O(CLONE, "clone")                                                                          \
	O(EXEC, "exec")

enum pt_origin {
#define O(name, text) PT_ORIGIN_##name,
	PT_ORIGINS(O)
#undef O
};

/* DESIGN.md section 2: main, thread, process, cluster. */
#define PT_TASK_MODELS(M)                                                                          \
	M(MAIN, "main")                                                                            \
	M(THREAD, "thread")                                                                        \
	M(PROCESS, "process")                                                                      \
	M(CLUSTER, "cluster")

enum pt_task_model {
#define M(name, text) PT_MODEL_##name,
	PT_TASK_MODELS(M)
#undef M
};

/* Do our counts of its context switches equal the kernel's? */
enum pt_agreement {
	PT_AGREEMENT_UNCHECKED,
	PT_AGREEMENT_SAME,
	PT_AGREEMENT_DIFFERENT,
};

/* What a task is doing right now: private to the model. */
enum pt_phase {
	PT_PHASE_UNKNOWN,
	PT_PHASE_RUNNING,
	PT_PHASE_RUNNABLE,
	PT_PHASE_BLOCKED,
	PT_PHASE_DEAD,
};

struct pt_counts {
	uint64_t voluntary, involuntary, minor_faults, major_faults;
};

struct pt_process;
struct pt_looper;
struct pt_cgroup_of;

/* What the state machine keeps of a task. */
struct pt_doing {
	uint64_t since; /* the phase's beginning; everything before is accounted for */
	struct pt_model_task *waker;
	uint64_t wake_time; /* a wake-up that is ahead of the sleep it ends; wake_end 0: none */
	uint64_t wake_end;
	struct pt_model_task *wake_waker;
	uint64_t held_from; /* asleep from here to `since` or a wake-up that is still to come */
	uint16_t cpu;	    /* where it runs, or ran last */
	uint64_t
		poll_from; /* of a task that has no looper: when it last fell asleep in a wait call */
	int16_t syscall, held_syscall, poll_syscall;
	uint8_t reason, held_reason;
	uint8_t phase; /* enum pt_phase */
	bool held;
	bool unseen;	  /* blocked, perhaps: the kernel did not show how it left its CPU */
	bool held_unseen; /* likewise, of the sleep that is held */
	bool in_call;	  /* it left its CPU inside a system call */
	bool ahead; /* runs on ahead_cpu already, though it has not been seen to leave `cpu` */
	uint16_t ahead_cpu;
	uint64_t ahead_from;
	uint16_t wake_flags;
	bool woken_by_irq;
};

struct pt_model_task {
	uint32_t tid;
	uint32_t index; /* dense: for arrays beside the table of tasks */
	struct pt_doing doing;

	struct pt_looper *looper;   /* private to the model: its loops; NULL: it has never waited */
	struct pt_process *process; /* never NULL */
	uint64_t start;		    /* CLOCK_BOOTTIME ns, the kernel's; 0: not known */
	uint64_t start_ns, end_ns;  /* its life within the recording */
	uint64_t exit_ns;	    /* when it began to exit */
	uint64_t migrations, wakeups;
	/* utime and stime of its life in the recording, as the kernel samples them: a ratio, not a sum */
	uint64_t user_ns, kernel_ns;
	uint64_t user_base, kernel_base_ns; /* what they were when it began */
	struct pt_counts counts; /* switches: seen by us; faults: of its life in the recording */
	struct pt_counts kernel_base; /* kernel's count when ours was `our_base` */
	struct pt_counts our_base;
	struct pt_model_task *creator; /* NULL: not known */
	char comm[PT_COMM_LEN + 1];
	int16_t made_by;   /* the system call, as the kernel numbers it; -1: none, or not known */
	uint8_t origin;	   /* enum pt_origin */
	uint8_t model;	   /* enum pt_task_model */
	uint8_t agreement; /* enum pt_agreement */
	bool target;	   /* may become true after its first record */
	bool has_times;	   /* user_base and kernel_base_ns are valid */
	bool has_base;	   /* kernel_base is valid */
	bool execed;
	bool exited;
	int exit_code, exit_signal; /* valid if exited; signal 0: none */
};

/* Right now, as far as records have told. */
static inline bool pt_task_sleeps_on(const struct pt_model_task *task, enum pt_reason reason)
{
	return task->doing.phase == PT_PHASE_BLOCKED && task->doing.reason == reason;
}

static inline bool pt_task_runs(const struct pt_model_task *task)
{
	return task->doing.phase == PT_PHASE_RUNNING;
}

/* It has returned from a wait call. */
static inline bool pt_task_has_loop(const struct pt_model_task *task)
{
	return task->looper;
}

struct pt_process {
	uint32_t pid;
	uint32_t ppid; /* 0: not known */
	uint32_t index;
	struct pt_model_task *leader; /* NULL: not seen */
	struct pt_process
		*parent; /* among the processes in the recording; NULL: none, or not known */
	char *command;	 /* arguments, each ended by a zero byte; NULL: not known */
	size_t command_len;
	struct pt_cgroup_of *cgroup; /* in which it was last; NULL: not known */
	bool compat; /* makes system calls of 32 bits: what these move is not seen */
	bool serves; /* connections of a socket that another process opened */
};

#endif
