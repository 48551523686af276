/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COUNT messages of SIZE bytes to each worker. In a burst, batches are acknowledged, so that no
 * queue grows without bound; in ping-pong each message comes back before the next one leaves.
 * Shared memory goes through two rings per worker, and blocks both loops meanwhile: that is
 * what it costs, and it is reported as their stalls.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "ring.h"
#include "workload.h"

#define BATCH	    64
#define SHARE_CHUNK 1000 /* messages through shared memory in one turn of the main loop */

enum {
	MSG_DATA = MSG_KIND, /* value: number of the message */
	MSG_ANSWER, /* ping-pong: the payload comes back; burst: value is a sum of hashes */
	MSG_SHARED, /* take COUNT messages from the ring */
	MSG_TAKEN,  /* value: the sum of their hashes */
};

struct exchange {
	uint64_t sent;
	struct ring_use down, up;
};

struct message {
	struct exchange *exchanges;
	unsigned char *payload;
	uint32_t checksum, finished;
	uint32_t turn; /* shared: whose chunk is next */
	uv_timer_t next_chunk;
};

/* A member's side. */
struct hearer {
	uint32_t batch_hash;
	struct ring_use down, up;
};

static const char *const modes[] = {"burst", "ping-pong", NULL};

static void on_next_chunk(uv_timer_t *timer);

static bool is_ping_pong(const struct options *opt)
{
	return options_mode_is(opt, "ping-pong");
}

static struct ring *ring_of(void *shared, const struct options *opt, uint32_t worker, bool up)
{
	size_t step = (ring_bytes(opt->size) + 63) & ~(size_t)63;

	return (struct ring *)((char *)shared + (2 * worker + up) * step);
}

static int check(const struct options *opt)
{
	if (opt->model == MODEL_THREAD && options_via_is(opt, "pipe")) {
		say("threads have a queue, not pipes");
		return -EINVAL;
	}
	if (opt->model == MODEL_CLUSTER && options_via_is(opt, "pipe")) {
		say("a cluster hands connections over, which pipes cannot");
		return -EINVAL;
	}
	if (opt->size > 64 << 20) {
		say("a message has at most 64 MiB");
		return -EINVAL;
	}
	return 0;
}

static void prepare(struct crew *crew)
{
	const struct options *opt = crew->opt;
	struct message *message = xcalloc(1, sizeof(*message));

	crew->state = message;
	message->exchanges = xcalloc(opt->workers, sizeof(*message->exchanges));
	message->payload = xcalloc(1, opt->size);
	must(uv_timer_init(crew->seat.loop, &message->next_chunk), "timer");
	message->next_chunk.data = crew;
	if (!options_via_is(opt, "shared"))
		return;
	crew_share(crew, 2 * (ring_bytes(opt->size) + 64) * opt->workers);
	for (uint32_t i = 0; i < 2 * opt->workers; i++)
		ring_init(ring_of(crew->shared, opt, i / 2, i % 2), opt->size);
}

static void fill(const struct options *opt, uint32_t worker, uint64_t number, void *payload)
{
	work_fill(opt->seed + worker * 1000003u + (uint32_t)number, payload, opt->size);
}

static void send_next(struct worker *worker)
{
	struct crew *crew = worker->crew;
	const struct options *opt = crew->opt;
	struct message *message = crew->state;
	struct exchange *exchange = &message->exchanges[worker->index];
	uint64_t count = is_ping_pong(opt) ? 1 : BATCH;

	while (count-- && exchange->sent < opt->count) {
		fill(opt, worker->index, exchange->sent, message->payload);
		crew_send(worker, MSG_DATA, exchange->sent++, message->payload, opt->size);
	}
}

static void begin(struct crew *crew)
{
	const struct options *opt = crew->opt;
	struct message *message = crew->state;

	message->checksum = message->finished = message->turn = 0;
	for (uint32_t i = 0; i < opt->workers; i++) {
		message->exchanges[i].sent = 0;
		if (options_via_is(opt, "shared"))
			crew_send(&crew->workers[i], MSG_SHARED, 0, NULL, 0);
		else
			send_next(&crew->workers[i]);
	}
	if (options_via_is(opt, "shared"))
		uv_timer_start(&message->next_chunk, on_next_chunk, 1, 0);
}

static void worker_finished(struct crew *crew)
{
	struct message *message = crew->state;

	crew->units += crew->opt->count;
	if (++message->finished < crew->opt->workers)
		return;
	if (!crew_round_done(crew, message->checksum)) {
		begin(crew);
		return;
	}
	uv_close((uv_handle_t *)&message->next_chunk, NULL);
	crew_stop(crew);
}

static void share_chunk(struct crew *crew, uint32_t worker)
{
	const struct options *opt = crew->opt;
	struct message *message = crew->state;
	struct exchange *exchange = &message->exchanges[worker];
	struct ring *down = ring_of(crew->shared, opt, worker, false);
	struct ring *up = ring_of(crew->shared, opt, worker, true);

	for (int i = 0; i < SHARE_CHUNK && exchange->sent < opt->count; i++) {
		fill(opt, worker, exchange->sent++, ring_slot(down, &exchange->down));
		ring_push(down, &exchange->down);
		if (!is_ping_pong(opt))
			continue;
		message->checksum += work_hash(ring_peek(up, &exchange->up), opt->size);
		ring_pop(up, &exchange->up);
	}
}

static void on_next_chunk(uv_timer_t *timer)
{
	struct crew *crew = timer->data;
	struct message *message = crew->state;
	uint64_t start_ns = uv_hrtime();

	share_chunk(crew, message->turn);
	seat_stalled(&crew->seat, start_ns, "shared memory");
	message->turn = (message->turn + 1) % crew->opt->workers;
	if (message->exchanges[message->turn].sent < crew->opt->count)
		uv_timer_start(timer, on_next_chunk, 1, 0);
}

static void receive(struct worker *worker, const struct msg *msg, int fd)
{
	struct crew *crew = worker->crew;
	const struct options *opt = crew->opt;
	struct message *message = crew->state;
	struct exchange *exchange = &message->exchanges[worker->index];

	(void)fd;
	if (msg->type == MSG_TAKEN) {
		if (!is_ping_pong(opt))
			message->checksum += (uint32_t)msg->value;
		worker_finished(crew);
		return;
	}
	if (is_ping_pong(opt))
		message->checksum += work_hash(msg->data, msg->size);
	else
		message->checksum += (uint32_t)msg->value;
	if (exchange->sent == opt->count)
		worker_finished(crew);
	else
		send_next(worker);
}

static void take_shared(struct member *member)
{
	const struct options *opt = member->opt;
	struct hearer *hearer = member->state;
	struct ring *down = ring_of(member->shared, opt, member->index, false);
	struct ring *up = ring_of(member->shared, opt, member->index, true);
	uint64_t start_ns = uv_hrtime();
	uint32_t sum = 0;

	for (uint64_t i = 0; i < opt->count; i++) {
		const unsigned char *payload = ring_peek(down, &hearer->down);

		if (is_ping_pong(opt)) {
			memcpy(ring_slot(up, &hearer->up), payload, opt->size);
			ring_push(up, &hearer->up);
		} else {
			sum += work_hash(payload, opt->size);
		}
		ring_pop(down, &hearer->down);
	}
	seat_stalled(&member->seat, start_ns, "shared memory");
	member_send(member, MSG_TAKEN, sum, NULL, 0);
}

static void hear(struct member *member, const struct msg *msg, int fd)
{
	const struct options *opt = member->opt;
	struct hearer *hearer = member->state;

	(void)fd;
	if (msg->type == MSG_SHARED) {
		take_shared(member);
		return;
	}
	if (is_ping_pong(opt)) {
		member_send(member, MSG_ANSWER, msg->value, msg->data, msg->size);
		return;
	}
	hearer->batch_hash += work_hash(msg->data, msg->size);
	if ((msg->value + 1) % BATCH && msg->value + 1 < opt->count)
		return;
	member_send(member, MSG_ANSWER, hearer->batch_hash, NULL, 0);
	hearer->batch_hash = 0;
}

static void join(struct member *member)
{
	member->state = xcalloc(1, sizeof(struct hearer));
}

static json_t *use_json(const struct ring_use *use)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "messages", (json_int_t)use->messages, "bytes",
			 (json_int_t)use->bytes, "futex_waits", (json_int_t)use->waits,
			 "futex_wakes", (json_int_t)use->wakes);
}

static void leave(struct member *member)
{
	struct hearer *hearer = member->state;

	if (options_via_is(member->opt, "shared"))
		json_object_set_new(member->report, "shared",
				    json_pack("{s:o, s:o}", "received", use_json(&hearer->down),
					      "sent", use_json(&hearer->up)));
	free(hearer);
}

static void finish(struct crew *crew)
{
	struct message *message = crew->state;
	json_t *list = json_array();

	for (uint32_t i = 0; i < crew->opt->workers; i++)
		json_array_append_new(list,
				      json_pack("{s:i, s:o, s:o}", "worker", (int)i, "sent",
						use_json(&message->exchanges[i].down), "received",
						use_json(&message->exchanges[i].up)));
	if (options_via_is(crew->opt, "shared"))
		json_object_set_new(crew->result, "shared", list);
	else
		json_decref(list);
	json_object_set_new(crew->result, "payload_bytes",
			    json_integer(crew->units * crew->opt->size));
}

static void release(struct crew *crew)
{
	struct message *message = crew->state;

	free(message->exchanges);
	free(message->payload);
	free(message);
}

const struct kind kind_message = {
	.name = "message",
	.doc = "COUNT messages of SIZE bytes to each worker, in bursts or there and back",
	.modes = modes,
	.workers = 2,
	.count = 20000,
	.size = 256,
	.vias = true,
	.check = check,
	.prepare = prepare,
	.start = begin,
	.receive = receive,
	.join = join,
	.hear = hear,
	.leave = leave,
	.finish = finish,
	.release = release,
};
