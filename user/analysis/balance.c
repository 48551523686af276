/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis/balance.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/keymap.h"

/* A crafted file may name any number of sockets; and a client's own port is none that is served. */
#define PORT_LIMIT 1024

#define OUR_KINDS                                                                                  \
	(PT_KIND_BIT(PT_KIND_endpoint) | PT_KIND_BIT(PT_KIND_pass) | PT_KIND_BIT(PT_KIND_accept))

struct balance {
	struct pt_balance result; /* first: it is what pt_analyses_balance() gives */
	struct pt_model *model;
	struct pt_keymap listeners; /* ends that listen, or are bound to do so */
};

extern const struct pt_analysis_class pt_balance_class;

/* 0 also if there are too many: then *out is NULL. */
static int find_port(struct pt_balance *balance, uint16_t number, uint64_t end,
		     struct pt_port **out)
{
	struct pt_port *ports;
	size_t i;

	for (i = 0; i < balance->count; i++) {
		*out = &balance->ports[i];
		if (number ? (*out)->port == number : (*out)->end == end)
			return 0;
	}
	*out = NULL;
	if (balance->count == PORT_LIMIT)
		return 0;
	ports = pt_array_grow(balance->ports, balance->count, &balance->room, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	balance->ports = ports;
	*out = &ports[balance->count++];
	**out = (struct pt_port){.port = number, .end = end};
	return 0;
}

static struct pt_worker *find_worker(struct pt_port *port, const struct pt_process *process)
{
	struct pt_worker *workers;
	size_t i;

	for (i = 0; i < port->count; i++) {
		if (port->workers[i].process == process)
			return &port->workers[i];
	}
	workers = pt_array_grow(port->workers, port->count, &port->room, sizeof(*workers));
	if (!workers)
		return NULL;
	port->workers = workers;
	workers[port->count] = (struct pt_worker){.process = process};
	return &workers[port->count++];
}

/* 0 with *out NULL if nobody is to be charged. */
static int worker_of(struct balance *balance, uint32_t tid, uint16_t number, uint64_t end,
		     struct pt_worker **out)
{
	const struct pt_model_task *task = pt_model_find(balance->model, tid);
	struct pt_port *port = NULL;
	int ret = 0;

	*out = NULL;
	if (task && task->process->pid)
		ret = find_port(&balance->result, number, end, &port);
	if (ret || !port)
		return ret;
	*out = find_worker(port, task->process);
	return *out ? 0 : -ENOMEM;
}

static int on_accept(struct balance *balance, const struct pt_accept *row)
{
	struct pt_worker *worker;
	int ret = worker_of(balance, row->tid, row->port, row->end, &worker);

	if (worker)
		worker->accepted++;
	return ret;
}

static int on_pass(struct balance *balance, const struct pt_pass *row)
{
	struct pt_worker *worker;
	int ret;

	if (row->kind != PT_CHANNEL_TCP || !row->port || row->flags & PT_PASS_PEEKED)
		return 0;
	ret = worker_of(balance, row->tid, row->port, row->object, &worker);
	if (!worker)
		return ret;
	if (pt_keymap_get(&balance->listeners, row->object)) {
		worker->sockets += !(row->flags & PT_TRANSFER_SENT);
	} else if (row->flags & PT_TRANSFER_SENT) {
		worker->handed_out += row->count;
		worker->handed_bytes += row->bytes;
	} else {
		worker->handed_over += row->count;
	}
	return 0;
}

/* Node's primary passes on a socket that has a port, and leaves it to the workers to listen. */
static int on_endpoint(struct balance *balance, const struct pt_endpoint *row)
{
	bool bound = row->kind == PT_CHANNEL_TCP && row->local_port && !row->peer_port;

	if (!bound && !(row->flags & PT_ENDPOINT_LISTENS))
		return 0;
	return pt_keymap_put(&balance->listeners, row->end, balance);
}

static int on_record(void *self, const struct pt_record *record)
{
	struct balance *balance = self;

	switch (record->kind) {
	case PT_KIND_accept:
		return on_accept(balance, record->row);
	case PT_KIND_pass:
		return on_pass(balance, record->row);
	default:
		return on_endpoint(balance, record->row);
	}
}

static int start(void **self, struct pt_model *model)
{
	struct balance *balance = calloc(1, sizeof(*balance));
	struct pt_observer observer = {.self = balance, .record = on_record, .kinds = OUR_KINDS};

	*self = balance;
	if (!balance)
		return -ENOMEM;
	balance->model = model;
	return pt_model_observe(model, &observer);
}

static void release(void *self)
{
	struct balance *balance = self;
	size_t i;

	for (i = 0; i < balance->result.count; i++)
		free(balance->result.ports[i].workers);
	free(balance->result.ports);
	pt_keymap_clear(&balance->listeners);
	free(balance);
}

const struct pt_analysis_class pt_balance_class = {
	.name = "balance",
	.kinds = OUR_KINDS,
	.start = start,
	.free = release,
};
