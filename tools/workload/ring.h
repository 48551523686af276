/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages in shared memory: one writer, one reader, and a futex only where somebody sleeps. */
#ifndef WORKLOAD_RING_H
#define WORKLOAD_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SLOTS 64

struct ring {
	_Atomic uint32_t head, tail; /* written by the writer, read by the reader */
	_Atomic uint32_t reader_sleeps, writer_sleeps;
	uint64_t slot_size;
	_Alignas(64) unsigned char slots[];
};

struct ring_use {
	uint64_t messages, bytes, waits, wakes;
};

size_t ring_bytes(size_t slot_size);
void ring_init(struct ring *ring, size_t slot_size);
/* Blocks while the ring is full; the slot is passed on by ring_push. */
unsigned char *ring_slot(struct ring *ring, struct ring_use *use);
void ring_push(struct ring *ring, struct ring_use *use);
/* Blocks while the ring is empty; the message is the reader's until ring_pop. */
const unsigned char *ring_peek(struct ring *ring, struct ring_use *use);
void ring_pop(struct ring *ring, struct ring_use *use);

#endif
