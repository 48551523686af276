/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define THREADS_MAX 16
#define SPARE_MAX   16 /* slots kept for reuse */

struct worker {
	struct pt_pool *pool;
	struct pt_loader *loader;
	struct pt_decoder *decoder;
	pthread_t thread;
	bool started;
};

struct pt_pool {
	const struct pt_container *container;
	struct worker workers[THREADS_MAX]; /* the first is the caller */
	unsigned int threads;
	size_t ahead; /* blocks that may be decoded before they are asked for */

	pthread_mutex_t lock;  /* all below */
	pthread_cond_t wanted; /* a block may be decoded */
	pthread_cond_t done;   /* a block is decoded */
	size_t next;	       /* entry to decode */
	size_t taken;	       /* entries taken by the merge */
	struct pt_slot **ring; /* entry i at i % ahead */
	struct pt_slot *spare;
	size_t spares;
	bool stop;
};

static struct pt_slot *get_slot(struct pt_pool *pool)
{
	struct pt_slot *slot = pool->spare;

	if (!slot)
		return calloc(1, sizeof(*slot));
	pool->spare = slot->next;
	pool->spares--;
	slot->done = false;
	return slot;
}

static void free_slot(struct pt_slot *slot)
{
	if (slot)
		pt_block_free(&slot->block);
	free(slot);
}

static void decode(struct worker *worker, const struct pt_block_entry *entry, struct pt_slot *slot)
{
	const struct pt_layout *layout = &worker->pool->container->layouts.kinds[entry->kind];
	const struct pt_block_header *header = &slot->block.header;
	const uint8_t *content;
	size_t len;

	slot->err = pt_loader_load(worker->loader, entry->offset, entry->size, PT_BLOCK_CONTENT,
				   &content, &len, &slot->reason);
	if (!slot->err)
		slot->err = pt_decoder_decode(worker->decoder, layout, content, len, &slot->block,
					      &slot->reason);
	if (!slot->err && (header->kind != entry->kind || header->count != entry->count ||
			   header->first != entry->first || header->last != entry->last)) {
		slot->err = -EBADMSG;
		slot->reason = "a block is not what the index says";
	}
}

/* Decodes the next entry, with the lock held on entry and return. -ENOMEM: there is no slot for it.
 */
static int decode_next(struct pt_pool *pool, struct worker *worker)
{
	size_t index = pool->next;
	struct pt_slot *slot = get_slot(pool);

	if (!slot)
		return -ENOMEM;
	pool->ring[index % pool->ahead] = slot;
	pool->next++;
	pthread_mutex_unlock(&pool->lock);
	decode(worker, &pool->container->entries[index], slot);
	pthread_mutex_lock(&pool->lock);
	slot->done = true;
	pthread_cond_broadcast(&pool->done);
	return 0;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct pt_pool *pool = worker->pool;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stop && pool->next < pool->container->entry_count) {
		if (pool->next - pool->taken >= pool->ahead)
			pthread_cond_wait(&pool->wanted, &pool->lock);
		else if (decode_next(pool, worker) < 0)
			break;
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int start_worker(struct pt_pool *pool, struct worker *worker)
{
	sigset_t all, old;

	worker->pool = pool;
	worker->loader = pt_loader_new(pool->container->fd);
	worker->decoder = pt_decoder_new();
	if (!worker->loader || !worker->decoder)
		return -ENOMEM;
	if (worker == pool->workers)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	/* Fewer threads than hoped for are no error. */
	worker->started = !pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return 0;
}

int pt_pool_new(struct pt_pool **out, const struct pt_container *container, unsigned int threads)
{
	struct pt_pool *pool = calloc(1, sizeof(*pool));
	int err = 0;

	*out = NULL;
	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->wanted, NULL);
	pthread_cond_init(&pool->done, NULL);
	pool->container = container;
	pool->threads = threads > THREADS_MAX ? THREADS_MAX : threads;
	pool->ahead = 2 * pool->threads;
	pool->ring = calloc(pool->ahead, sizeof(*pool->ring));
	if (!pool->ring)
		err = -ENOMEM;
	for (unsigned int t = 0; t < pool->threads && !err; t++)
		err = start_worker(pool, &pool->workers[t]);
	if (err < 0) {
		pt_pool_free(pool);
		return err;
	}
	*out = pool;
	return 0;
}

int pt_pool_take(struct pt_pool *pool, size_t index, struct pt_slot **slot)
{
	struct pt_slot **at = &pool->ring[index % pool->ahead];
	int err = 0;

	pthread_mutex_lock(&pool->lock);
	if (pool->next == index)
		err = decode_next(pool, &pool->workers[0]);
	while (!err && !(*at)->done)
		pthread_cond_wait(&pool->done, &pool->lock);
	if (!err) {
		*slot = *at;
		*at = NULL;
		pool->taken = index + 1;
		pthread_cond_broadcast(&pool->wanted);
	}
	pthread_mutex_unlock(&pool->lock);
	return err;
}

void pt_pool_give(struct pt_pool *pool, struct pt_slot *slot)
{
	pthread_mutex_lock(&pool->lock);
	if (pool->spares < SPARE_MAX) {
		slot->next = pool->spare;
		pool->spare = slot;
		pool->spares++;
		slot = NULL;
	}
	pthread_mutex_unlock(&pool->lock);
	free_slot(slot);
}

static void stop_workers(struct pt_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->wanted);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int t = 0; t < pool->threads; t++) {
		if (pool->workers[t].started)
			pthread_join(pool->workers[t].thread, NULL);
		pt_loader_free(pool->workers[t].loader);
		pt_decoder_free(pool->workers[t].decoder);
	}
}

void pt_pool_free(struct pt_pool *pool)
{
	if (!pool)
		return;
	stop_workers(pool);
	for (size_t i = 0; pool->ring && i < pool->ahead; i++)
		free_slot(pool->ring[i]);
	while (pool->spare) {
		struct pt_slot *slot = pool->spare;

		pool->spare = slot->next;
		free_slot(slot);
	}
	free(pool->ring);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->wanted);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
