/* SPDX-License-Identifier: BSD-2-Clause */
/* Per listening socket: who served it, how much, and what that cost them. */
#include <string.h>

#include "analysis/balance.h"
#include "analysis/ipc.h"
#include "analysis/loops.h"
#include "view/section.h"

struct load {
	uint64_t cpu_ns, sent, received;
	const struct pt_loops_of *loop; /* the one that it ran longest; NULL: none */
};

static void add_cpu(const struct pt_source *source, const struct pt_process *process,
		    struct load *load)
{
	size_t i, n = pt_model_task_count(source->model);

	for (i = 0; i < n; i++) {
		const struct pt_model_task *task = pt_model_task(source->model, i);
		const struct pt_states_of *of;

		if (task->process != process || !task->target)
			continue;
		of = pt_states_get(pt_analyses_states(source->analyses), task);
		load->cpu_ns +=
			of->part[PT_PART_USER] + of->part[PT_PART_KERNEL] + of->part[PT_PART_CPU];
	}
}

static void find_loop(const struct pt_source *source, const struct pt_process *process,
		      struct load *load)
{
	size_t i, n = pt_model_loop_count(source->model);

	for (i = 0; i < n; i++) {
		const struct pt_loop *loop = pt_model_loop(source->model, i);
		const struct pt_loops_of *of =
			pt_loops_get(pt_analyses_loops(source->analyses), loop);

		if (loop->task->process != process || loop->nested || loop->shared || !of->worth)
			continue;
		if (!load->loop || of->turns > load->loop->turns)
			load->loop = of;
	}
}

/* Is this a connection that came through the listening socket? Its own side has the port, or the name. */
static bool came_through(const struct pt_channel *channel, unsigned int side,
			 const struct pt_port *port, const struct pt_channel *listener)
{
	if (port->port)
		return channel->kind == PT_CHANNEL_TCP && channel->side[side].port == port->port;
	return listener && channel != listener && channel->kind == PT_CHANNEL_UNIX &&
	       listener->name && channel->name && !strcmp(channel->name, listener->name);
}

static void add_bytes(const struct pt_source *source, const struct pt_process *process,
		      const struct pt_port *port, struct load *load)
{
	const struct pt_ipc *ipc = pt_analyses_ipc(source->analyses);
	unsigned int side;
	const struct pt_channel *listener = pt_channel_find(&ipc->channels, port->end, &side);
	size_t i;

	for (i = 0; i < ipc->flow_count; i++) {
		const struct pt_flow *flow = ipc->flows[i];
		const struct pt_channel *channel = ipc->channels.list[flow->channel];

		if (flow->from && flow->from->process == process &&
		    came_through(channel, !flow->side, port, listener))
			load->sent += flow->bytes;
		if (flow->to && flow->to->process == process &&
		    came_through(channel, flow->side, port, listener))
			load->received += flow->bytes;
	}
}

static const char *comm_of(const struct pt_process *process)
{
	return process->leader ? pt_task_name(process->leader) : "?";
}

static json_t *worker_json(const struct pt_source *source, const struct pt_port *port,
			   const struct pt_worker *worker)
{
	struct load load = {0};
	const struct pt_loops_of *loop;
	json_t *json = json_object();
	int ret = pt_json_put(json, "pid", pt_json_int(worker->process->pid));

	add_cpu(source, worker->process, &load);
	find_loop(source, worker->process, &load);
	add_bytes(source, worker->process, port, &load);
	loop = load.loop && load.loop->wall_ns ? load.loop : NULL;
	ret |= pt_json_put(json, "comm", pt_json_text(comm_of(worker->process)));
	ret |= pt_json_put(json, "accepted", pt_json_int(worker->accepted));
	ret |= pt_json_put(json, "handed_over", pt_json_int(worker->handed_over));
	ret |= pt_json_put(json, "handed_out", pt_json_int(worker->handed_out));
	ret |= pt_json_put(json, "handed_out_bytes", pt_json_int(worker->handed_bytes));
	ret |= pt_json_put(json, "listening_sockets_received", pt_json_int(worker->sockets));
	ret |= pt_json_put(json, "sent_bytes", pt_json_int(load.sent));
	ret |= pt_json_put(json, "received_bytes", pt_json_int(load.received));
	ret |= pt_json_put(json, "cpu_ns", pt_json_int(load.cpu_ns));
	ret |= pt_json_put(json, "utilization",
			   loop ? json_real((double)loop->busy_ns / (double)loop->wall_ns)
				: json_null());
	ret |= pt_json_put(json, "delay_p99_ns",
			   loop ? pt_json_int(pt_loops_delay(loop, 0.99)) : json_null());
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

/* How the connections of a port came to those who serve them. */
static const char *mode_of(const struct pt_port *port)
{
	size_t i, acceptors = 0, handed = 0;

	for (i = 0; i < port->count; i++) {
		acceptors += port->workers[i].accepted > 0;
		handed += port->workers[i].handed_over > 0 || port->workers[i].handed_out > 0;
	}
	if (handed)
		return "handed-over";
	return acceptors > 1 ? "shared" : "single";
}

static json_t *port_json(const struct pt_source *source, const struct pt_port *port)
{
	const struct pt_channels *channels = &pt_analyses_ipc(source->analyses)->channels;
	unsigned int side;
	const struct pt_channel *channel = pt_channel_find(channels, port->end, &side);
	json_t *json = json_object(), *workers = json_array();
	size_t i;
	int ret = pt_json_put(json, "port", port->port ? pt_json_int(port->port) : json_null());

	if (channel && channel->name)
		ret |= pt_json_put(json, "name", pt_json_text(channel->name));
	ret |= pt_json_put(json, "mode", pt_json_text(mode_of(port)));
	for (i = 0; !ret && i < port->count; i++)
		ret = json_array_append_new(workers, worker_json(source, port, &port->workers[i]));
	ret |= pt_json_put(json, "workers", workers);
	if (!ret)
		return json;
	json_decref(json);
	return NULL;
}

json_t *pt_section_balance(const struct pt_source *source)
{
	const struct pt_balance *balance = pt_analyses_balance(source->analyses);
	json_t *list = json_array();
	size_t i;
	int ret = list ? 0 : -1;

	for (i = 0; !ret && i < balance->count; i++)
		ret = json_array_append_new(list, port_json(source, &balance->ports[i]));
	if (!ret)
		return list;
	json_decref(list);
	return NULL;
}
