/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring by its bare system calls: as much as the test programs need. */
#ifndef E2E_RING_H
#define E2E_RING_H

#include <linux/io_uring.h>

#include "truth.h"

struct ring {
	int fd;
	struct io_uring_params params;
	char *rings;
	struct io_uring_sqe *entries;
	unsigned int queued; /* that the kernel was not told of */
};

static inline uint32_t *ring_word(const struct ring *ring, uint32_t offset)
{
	return (uint32_t *)(ring->rings + offset);
}

/* 0 or errno. */
static inline int ring_open(struct ring *ring, unsigned int entries, unsigned int flags)
{
	size_t size;

	*ring = (struct ring){.params = {.flags = flags, .sq_thread_idle = 20}};
	ring->fd = (int)syscall(SYS_io_uring_setup, entries, &ring->params);
	if (ring->fd < 0)
		return errno;
	if (!(ring->params.features & IORING_FEAT_SINGLE_MMAP))
		return ENOSYS;
	size = ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
	if (size < ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t))
		size = ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t);
	ring->rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			   IORING_OFF_SQ_RING);
	ring->entries =
		mmap(NULL, ring->params.sq_entries * sizeof(struct io_uring_sqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	return ring->rings == MAP_FAILED || ring->entries == MAP_FAILED ? errno : 0;
}

/* Hands one request to the ring; the kernel learns of it by ring_enter(). */
static inline void ring_queue(struct ring *ring, const struct io_uring_sqe *entry)
{
	uint32_t *tail = ring_word(ring, ring->params.sq_off.tail);
	uint32_t at = *tail & *ring_word(ring, ring->params.sq_off.ring_mask);

	ring->entries[at] = *entry;
	ring_word(ring, ring->params.sq_off.array)[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	ring->queued++;
}

static inline void ring_enter(struct ring *ring, unsigned int wait)
{
	unsigned int flags = wait ? IORING_ENTER_GETEVENTS : 0;
	long n;

	if (ring->params.flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(ring_word(ring, ring->params.sq_off.flags), __ATOMIC_ACQUIRE) &
		    IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	do
		n = syscall(SYS_io_uring_enter, ring->fd, ring->queued, wait, flags, NULL, 8);
	while (n < 0 && errno == EINTR);
	must(n == (long)ring->queued);
	ring->queued = 0;
}

/* Takes a completion, if there is one. */
static inline bool ring_take(struct ring *ring, struct io_uring_cqe *done)
{
	uint32_t *head = ring_word(ring, ring->params.cq_off.head);
	uint32_t tail =
		__atomic_load_n(ring_word(ring, ring->params.cq_off.tail), __ATOMIC_ACQUIRE);
	struct io_uring_cqe *cqes = (void *)(ring->rings + ring->params.cq_off.cqes);

	if (*head == tail)
		return false;
	*done = cqes[*head & *ring_word(ring, ring->params.cq_off.ring_mask)];
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return true;
}

static inline struct io_uring_cqe ring_wait(struct ring *ring)
{
	struct io_uring_cqe done;

	while (!ring_take(ring, &done))
		ring_enter(ring, 1);
	return done;
}

#endif
