/* SPDX-License-Identifier: BSD-2-Clause */
#include "base.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_BASIS 2166136261u
#define FNV_PRIME 16777619u

static void vsay(const char *format, va_list args)
{
	char text[512];

	/* One write per line: several processes share this stderr. */
	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "partrace-workload: %s\n", text);
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsay(format, args);
	va_end(args);
	exit(1);
}

int must(int status, const char *what)
{
	if (status < 0)
		die("%s: %s", what, strerror(-status));
	return status;
}

void *xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		die("%s", strerror(ENOMEM));
	return memory;
}

void *xrealloc(void *old, size_t size)
{
	void *memory = realloc(old, size);

	if (!memory)
		die("%s", strerror(ENOMEM));
	return memory;
}

uint64_t own_memory(void)
{
	FILE *in = fopen("/proc/self/status", "re");
	unsigned long long kib = 0;
	char line[256];

	while (in && fgets(line, sizeof(line), in) && sscanf(line, "RssAnon: %llu", &kib) != 1)
		;
	if (in)
		fclose(in);
	return kib << 10;
}

void name_task(const char *format, ...)
{
	char name[16];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	pthread_setname_np(pthread_self(), name);
}

/* Neighbouring seeds must not give neighbouring streams, and xorshift must not start at 0. */
static uint32_t stream_start(uint32_t seed)
{
	uint32_t x = seed * 2654435769u;

	x ^= x >> 16;
	x *= 2246822507u;
	x ^= x >> 13;
	return x ? x : 1;
}

static inline uint32_t stream_next(uint32_t x)
{
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Only 32-bit operations, which JavaScript does at the same speed and with the same result. */
uint32_t work_compute(uint32_t seed, uint64_t bytes)
{
	uint32_t x = stream_start(seed);
	uint32_t hash = FNV_BASIS;

	for (uint64_t i = 0; i < bytes / 4; i++) {
		x = stream_next(x);
		hash = (hash ^ x) * FNV_PRIME;
	}
	return hash;
}

void work_fill(uint32_t seed, void *data, size_t size)
{
	unsigned char *bytes = data;
	uint32_t x = stream_start(seed);

	for (size_t i = 0; i < size; i++) {
		x = stream_next(x);
		bytes[i] = 'a' + (x & 15);
	}
}

uint32_t work_hash(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint32_t hash = FNV_BASIS;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	return hash;
}
