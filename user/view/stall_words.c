/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/stall_words.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/ipc_stalls.h"
#include "base/syscalls.h"
#include "view/format.h"
#include "view/ipc_parts.h"
#include "view/section.h"

/* The recorder keeps so many parts of a path; if there are fewer, it is whole. */
#define PATH_PARTS 5

static const char *call_name(const struct pt_source *source, int syscall)
{
	const char *name = pt_syscall_name(source->meta->arch, syscall);

	return name ? name : "a system call";
}

static void write_path(FILE *out, const struct pt_slept *slept)
{
	const char *path = slept->on.path, *at;
	unsigned int parts = 1;

	for (at = path; *at; at++)
		parts += *at == '/';
	if (slept->reason == PT_REASON_TTY && parts == 1)
		fprintf(out, "pts/%s", path);
	else
		fprintf(out, "%s/%s",
			parts >= PATH_PARTS || strlen(path) + 1 == PT_PATH_TAIL ? "..." : "", path);
}

static void write_socket(FILE *out, const struct pt_slept_on *on)
{
	char address[INET_ADDRSTRLEN] = "?";

	if (on->address)
		inet_ntop(AF_INET, &on->address, address, sizeof(address));
	fprintf(out, "%s:%u from port %u", address, on->peer_port, on->local_port);
}

static void write_process(const struct pt_source *source, FILE *out, uint32_t pid)
{
	const struct pt_model_task *task = pt_model_find(source->model, pid);

	fprintf(out, "%s %" PRIu32, task ? pt_task_name(task) : "process", pid);
}

static void write_object(const struct pt_source *source, FILE *out, const struct pt_slept *slept)
{
	const struct pt_slept_on *on = &slept->on;

	switch (slept->reason) {
	case PT_REASON_LOCK:
		if (on->path[0])
			write_path(out, slept);
		else
			fprintf(out, "futex 0x%" PRIx64, on->object);
		break;
	case PT_REASON_PIPE:
		fprintf(out, "pipe:[%" PRIu64 "]", on->object);
		break;
	case PT_REASON_TCP:
	case PT_REASON_UDP:
		write_socket(out, on);
		break;
	case PT_REASON_UNIX:
		fprintf(out, "socket:[%" PRIu64 "]", on->object);
		if (on->peer)
			fputs(" of ", out);
		if (on->peer)
			write_process(source, out, on->peer);
		break;
	case PT_REASON_CHILD:
		if ((int32_t)on->peer > 0)
			write_process(source, out, on->peer);
		else
			fputs("any child", out);
		break;
	default:
		if (on->path[0])
			write_path(out, slept);
		else if (on->object)
			fprintf(out, "inode %" PRIu64, on->object);
	}
}

char *pt_slept_object(const struct pt_source *source, const struct pt_slept *slept)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (slept->on.known)
		write_object(source, out, slept);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

const char *pt_stall_reason(const struct pt_source *source, const struct pt_stall *stall)
{
	static const char *const contenders[] = {
		[PT_CONTENDER_NONE] = "unknown",    [PT_CONTENDER_OTHERS] = "other-tasks",
		[PT_CONTENDER_OWN] = "own-threads", [PT_CONTENDER_QUOTA] = "cpu-quota",
		[PT_CONTENDER_IDLE] = "idle-cpu",
	};

	switch (stall->verdict) {
	case PT_VERDICT_COMPUTING:
		return "user-code";
	case PT_VERDICT_KERNEL:
		return stall->call ? call_name(source, stall->call->syscall) : "page-faults";
	case PT_VERDICT_CPU:
		return contenders[stall->contender];
	case PT_VERDICT_BLOCKED:
		return stall->slept ? pt_json_reason(stall->slept->reason) : "unknown";
	case PT_VERDICT_NESTED:
		return stall->tally.child_count ? "child" : "loop";
	case PT_VERDICT_FORK:
		return "page-tables";
	default:
		return "unknown";
	}
}

static void write_waker(FILE *out, const struct pt_stall *stall, const struct pt_slept *slept)
{
	const struct pt_model_task *waker = slept->waker;
	const struct pt_process *own = stall->loop->task->process;

	if (slept->by_interrupt &&
	    (slept->reason == PT_REASON_LOCK || slept->reason == PT_REASON_POLL))
		fputs(", until its time was up", out);
	if (!waker || !waker->tid || !waker->process->pid)
		return;
	fprintf(out, ", ended by %s %" PRIu32 "%s", pt_task_name(waker), waker->tid,
		waker->process == own ? " of its own process" : "");
}

/* Who is at the other side of the channel, as far as is known. */
static void write_partner(const struct pt_source *source, FILE *out, const struct pt_stall *stall,
			  const struct pt_slept *slept)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(source->analyses);
	unsigned int side;
	const struct pt_channel *channel = pt_ipc_slept_on(ipc, slept, &side);
	bool sends = pt_ipc_call_sends(source->meta->arch, slept->syscall);
	const struct pt_flow *flow;
	const struct pt_model_task *task;
	const struct pt_holder_of *holder;

	if (!channel)
		return;
	flow = pt_ipc_partner(ipc, channel, side, stall->loop->task, sends);
	task = !flow ? NULL : sends ? flow->to : flow->from;
	holder = pt_ipc_holder(&channel->side[channel->two_sided ? !side : side],
			       sends ? PT_HOLDER_READS : PT_HOLDER_WRITES);
	if (task)
		fprintf(out, " that %s %" PRIu32, pt_task_name(task), task->tid);
	else if (holder)
		fprintf(out, " that %s %" PRIu32, holder->comm, holder->pid);
	else
		return;
	fputs(sends ? " did not read" : " did not write to", out);
}

static void write_blocked(const struct pt_source *source, FILE *out, const struct pt_stall *stall)
{
	const struct pt_slept *slept = stall->slept;
	char *object = slept ? pt_slept_object(source, slept) : NULL;
	static const char *const words[PT_REASON_COUNT] = {
		[PT_REASON_POLL] = "polling descriptors inside the turn",
		[PT_REASON_LOCK] = "blocked on a lock",
		[PT_REASON_PIPE] = "blocked on a pipe",
		[PT_REASON_UNIX] = "blocked on a Unix socket",
		[PT_REASON_TCP] = "blocked on a TCP connection",
		[PT_REASON_UDP] = "blocked on a UDP socket",
		[PT_REASON_TTY] = "blocked on a terminal that is not read",
		[PT_REASON_EVENTFD] = "blocked on an eventfd or timer",
		[PT_REASON_DISK] = "waiting for a disk",
		[PT_REASON_FAULT] = "waiting for pages that are not in memory",
		[PT_REASON_CHILD] = "waiting for a child",
		[PT_REASON_SLEEP] = "sleeping of its own will",
		[PT_REASON_STOPPED] = "stopped by a signal or a tracer",
		[PT_REASON_SIGNAL] = "waiting for a signal",
	};

	fputs(slept && words[slept->reason] ? words[slept->reason] : "blocked", out);
	if (slept && slept->syscall >= 0 && slept->reason != PT_REASON_STOPPED)
		fprintf(out, " in %s", call_name(source, slept->syscall));
	if (object && *object)
		fprintf(out, ": %s", object);
	if (slept)
		write_partner(source, out, stall, slept);
	if (slept && slept->count > 1)
		fprintf(out, ", %s times", pt_format_count(slept->count).s);
	if (slept)
		write_waker(out, stall, slept);
	free(object);
}

/* The two that had the CPU longest; sorted by then. */
static void write_takers(const struct pt_source *source, FILE *out, const struct pt_stall *stall)
{
	const struct pt_model_task *idle = pt_model_idle(source->model);
	const struct pt_model_task *nobody = pt_model_nobody(source->model);
	unsigned int shown = 0;
	uint32_t i;

	for (i = 0; i < stall->tally.taker_count && shown < 2; i++) {
		const struct pt_taker *taker = &stall->tally.takers[i];

		if (taker->task == idle || taker->task == nobody || !taker->ns)
			continue;
		fprintf(out, "%s%s %" PRIu32 " for %s", shown ? ", " : "",
			pt_task_name(taker->task), taker->task->tid, pt_format_ns(taker->ns).s);
		shown++;
	}
}

static void write_quota(FILE *out, const struct pt_stall *stall)
{
	const struct pt_cgroup_of *group = stall->held_by;

	if (!group) {
		fputs("held back from an idle CPU: the CPU quota of its cgroup is used up", out);
		return;
	}
	fprintf(out, "held back by the CPU quota of cgroup %s",
		group->path ? group->path : "(unnamed)");
	if (group->quota && group->period)
		fprintf(out, ", %s in %s", pt_format_ns(group->quota).s,
			pt_format_ns(group->period).s);
}

static void write_cpu(const struct pt_source *source, FILE *out, const struct pt_stall *stall)
{
	switch (stall->contender) {
	case PT_CONTENDER_QUOTA:
		write_quota(out, stall);
		return;
	case PT_CONTENDER_IDLE:
		fputs("waiting for a CPU though that was idle, and no quota held it back", out);
		return;
	case PT_CONTENDER_OWN:
		fputs("waiting for a CPU that its own threads had: ", out);
		break;
	default:
		fputs("waiting for a CPU that others had: ", out);
	}
	write_takers(source, out, stall);
}

static void write_children(FILE *out, const struct pt_stall *stall)
{
	const struct pt_model_task *child = stall->tally.children[0];

	if (!stall->tally.child_count)
		return;
	fprintf(out, " %s %" PRIu32, pt_task_name(child), child->tid);
	if (stall->tally.child_count > 1)
		fprintf(out, " and %" PRIu32 " more", stall->tally.child_count - 1);
}

static void write_kernel(const struct pt_source *source, FILE *out, const struct pt_stall *stall)
{
	const struct pt_stall_call *call = stall->call;

	if (!call) {
		fputs("working in the kernel, in page faults or many system calls", out);
		return;
	}
	fprintf(out, "working in the kernel, in %s", call_name(source, call->syscall));
	if (call->count > 1)
		fprintf(out, ", %s calls", pt_format_count(call->count).s);
}

static void write_verdict(const struct pt_source *source, FILE *out, const struct pt_stall *stall)
{
	switch (stall->verdict) {
	case PT_VERDICT_COMPUTING:
		fputs("computing, in user code", out);
		break;
	case PT_VERDICT_KERNEL:
		write_kernel(source, out, stall);
		break;
	case PT_VERDICT_CPU:
		write_cpu(source, out, stall);
		break;
	case PT_VERDICT_BLOCKED:
		write_blocked(source, out, stall);
		break;
	case PT_VERDICT_NESTED:
		fputs(stall->tally.child_count ? "running a loop of its own until a child was done:"
					       : "running another loop inside this one",
		      out);
		write_children(out, stall);
		break;
	case PT_VERDICT_FORK:
		fputs("forking: page tables are copied for", out);
		write_children(out, stall);
		break;
	default:
		fputs("not known, records are missing", out);
	}
}

char *pt_stall_summary(const struct pt_source *source, const struct pt_stall *stall)
{
	uint64_t length = stall->to - stall->from;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_verdict(source, out, stall);
	fprintf(out, " (%s of %s)", pt_format_ns(stall->verdict_ns).s, pt_format_ns(length).s);
	if (stall->end == PT_TURN_RUNNING)
		fputs(", still running when recording ended", out);
	if (stall->end == PT_TURN_EXITED)
		fputs(", until the task exited", out);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}
