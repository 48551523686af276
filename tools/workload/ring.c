/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base.h"

#define PATIENCE_S 20

/* Not FUTEX_PRIVATE: the ring may lie in a mapping of two processes. */
static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/* Sleeps until word is no longer old. The other side may have died: nobody waits for ever. */
static void wait_for(_Atomic uint32_t *word, uint32_t old, _Atomic uint32_t *sleeps,
		     struct ring_use *use)
{
	const struct timespec timeout = {.tv_sec = PATIENCE_S};

	while (atomic_load(word) == old) {
		atomic_store(sleeps, 1);
		if (atomic_load(word) != old)
			break;
		use->waits++;
		if (futex(word, FUTEX_WAIT, old, &timeout) < 0 && errno == ETIMEDOUT)
			die("shared memory: the other side does not go on");
	}
	atomic_store(sleeps, 0);
}

static void wake(_Atomic uint32_t *word, _Atomic uint32_t *sleeps, struct ring_use *use)
{
	if (!atomic_exchange(sleeps, 0))
		return;
	use->wakes++;
	futex(word, FUTEX_WAKE, 1, NULL);
}

size_t ring_bytes(size_t slot_size)
{
	return sizeof(struct ring) + RING_SLOTS * slot_size;
}

void ring_init(struct ring *ring, size_t slot_size)
{
	ring->slot_size = slot_size;
}

unsigned char *ring_slot(struct ring *ring, struct ring_use *use)
{
	uint32_t head = atomic_load(&ring->head);

	wait_for(&ring->tail, head - RING_SLOTS, &ring->writer_sleeps, use);
	return ring->slots + head % RING_SLOTS * ring->slot_size;
}

void ring_push(struct ring *ring, struct ring_use *use)
{
	atomic_fetch_add(&ring->head, 1);
	use->messages++;
	use->bytes += ring->slot_size;
	wake(&ring->head, &ring->reader_sleeps, use);
}

const unsigned char *ring_peek(struct ring *ring, struct ring_use *use)
{
	uint32_t tail = atomic_load(&ring->tail);

	wait_for(&ring->head, tail, &ring->reader_sleeps, use);
	return ring->slots + tail % RING_SLOTS * ring->slot_size;
}

void ring_pop(struct ring *ring, struct ring_use *use)
{
	atomic_fetch_add(&ring->tail, 1);
	use->messages++;
	use->bytes += ring->slot_size;
	wake(&ring->tail, &ring->writer_sleeps, use);
}
