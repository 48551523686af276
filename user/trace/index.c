/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways to find the blocks of a file. */
#include <errno.h>
#include <stdlib.h>

#include "trace/container.h"

#define MAGIC_CHUNK 65536u

/* The seek table, read and checked. */
struct seek {
	uint8_t *table;
	uint32_t frames;
	size_t entry; /* bytes of an entry */
	uint64_t end; /* offset at which the frames end */
};

static int read_seek_table(struct pt_container *container, struct seek *seek)
{
	uint8_t footer[PT_SEEK_FOOTER];
	uint8_t header[8];
	const char *reason;
	uint64_t len, sum = 0;

	if (container->size < sizeof(footer) + sizeof(header) ||
	    pt_loader_read(container->loader, container->size - sizeof(footer), footer,
			   sizeof(footer), &reason) < 0 ||
	    pt_load(footer + 5, 4) != PT_SEEK_MAGIC || footer[4] & 0x7c)
		return -EBADMSG;
	seek->frames = (uint32_t)pt_load(footer, 4);
	seek->entry = footer[4] & PT_SEEK_CHECKSUMS ? 12 : 8;
	len = (uint64_t)seek->frames * seek->entry;
	if (seek->frames < 2 || len > container->size - sizeof(footer) - sizeof(header))
		return -EBADMSG;
	seek->end = container->size - sizeof(footer) - len - sizeof(header);
	if (pt_loader_read(container->loader, seek->end, header, sizeof(header), &reason) < 0 ||
	    pt_load(header, 4) != PT_SEEK_FRAME_MAGIC ||
	    pt_load(header + 4, 4) != len + sizeof(footer))
		return -EBADMSG;
	seek->table = malloc(len);
	if (!seek->table)
		return -ENOMEM;
	if (pt_loader_read(container->loader, seek->end + sizeof(header), seek->table, len,
			   &reason) < 0)
		return -EBADMSG;
	for (uint32_t f = 0; f < seek->frames; f++)
		sum += pt_load(seek->table + f * seek->entry, 4);
	return sum == seek->end ? 0 : -EBADMSG;
}

static uint32_t frame_size(const struct seek *seek, uint32_t frame)
{
	return (uint32_t)pt_load(seek->table + frame * seek->entry, 4);
}

static void parse_entry(const uint8_t *at, struct pt_block_header *header)
{
	header->kind = (uint32_t)pt_load(at, 4);
	header->interval = (uint32_t)pt_load(at + 4, 4);
	header->count = (uint32_t)pt_load(at + 8, 4);
	header->flags = (uint32_t)pt_load(at + 12, 4);
	header->first = pt_load(at + 16, 8);
	header->last = pt_load(at + 24, 8);
}

/* All entries before any is believed. */
static bool entries_are_valid(const uint8_t *entries, uint32_t count)
{
	struct pt_block_header header;

	for (uint32_t e = 0; e < count; e++) {
		parse_entry(entries + (size_t)e * PT_END_ENTRY, &header);
		if (!header.count || header.count > PT_BLOCK_ROWS || header.first > header.last)
			return false;
	}
	return true;
}

static int add_entries(struct pt_container *container, const struct seek *seek,
		       const uint8_t *entries, uint32_t count)
{
	uint64_t offset = frame_size(seek, 0);
	struct pt_block_header header;
	int err = 0;

	for (uint32_t e = 0; e < count && !err; e++) {
		parse_entry(entries + (size_t)e * PT_END_ENTRY, &header);
		err = pt_container_add(container, &header, offset, frame_size(seek, e + 1));
		offset += frame_size(seek, e + 1);
	}
	return err;
}

static int read_end(struct pt_container *container, const struct seek *seek)
{
	uint32_t last = frame_size(seek, seek->frames - 1);
	size_t max = (size_t)seek->frames * PT_END_ENTRY + PT_END_JSON;
	const uint8_t *content;
	const char *reason;
	uint32_t count;
	size_t len;
	int err = pt_loader_load(container->loader, seek->end - last, last, max, &content, &len,
				 &reason);

	if (err < 0)
		return err;
	err = pt_container_parse_end(container, content, len, &count, &reason);
	if (err < 0)
		return err;
	if (count != seek->frames - 2 || !entries_are_valid(content + 8, count))
		return -EBADMSG;
	return add_entries(container, seek, content + 8, count);
}

int pt_container_read_index(struct pt_container *container)
{
	struct seek seek = {0};
	int err = read_seek_table(container, &seek);

	if (!err)
		err = read_end(container, &seek);
	free(seek.table);
	return err;
}

/* Offset of the next zstd magic at or behind `offset`; `end` if there is none. */
static uint64_t find_magic(struct pt_container *container, uint64_t offset, uint64_t end)
{
	static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	uint8_t chunk[MAGIC_CHUNK];
	const char *reason;

	while (offset + sizeof(magic) <= end) {
		size_t n = end - offset < sizeof(chunk) ? end - offset : sizeof(chunk);
		const uint8_t *hit;

		if (pt_loader_read(container->loader, offset, chunk, n, &reason) < 0)
			return end;
		hit = memmem(chunk, n, magic, sizeof(magic));
		if (hit)
			return offset + (uint64_t)(hit - chunk);
		offset += n - (sizeof(magic) - 1);
	}
	return end;
}

static int walk_end_frame(struct pt_container *container, uint64_t offset, uint64_t size)
{
	size_t max = (size_t)(container->size / 16) * PT_END_ENTRY + PT_END_JSON;
	const uint8_t *content;
	const char *reason = NULL;
	uint32_t count;
	size_t len;
	int err = pt_loader_load(container->loader, offset, size, max, &content, &len, &reason);

	if (!err)
		err = pt_container_parse_end(container, content, len, &count, &reason);
	if (err == -EBADMSG)
		pt_container_damage(container, offset, size, reason);
	return err == -EBADMSG ? 0 : err;
}

static int walk_frame(struct pt_container *container, uint64_t offset, uint64_t size)
{
	uint8_t start[PT_BLOCK_HEADER];
	size_t n = pt_loader_peek(container->loader, start, sizeof(start));
	struct pt_block_header header;
	const char *reason;

	if (n >= 4 && !memcmp(start, PT_END_TAG, 4))
		return walk_end_frame(container, offset, size);
	if (pt_block_header_read(&header, start, n, &reason) < 0) {
		pt_container_damage(container, offset, size, reason);
		return 0;
	}
	return pt_container_add(container, &header, offset, (uint32_t)size);
}

int pt_container_walk(struct pt_container *container, uint64_t offset)
{
	uint64_t budget = 16 * container->size + PT_FRAME_MAX;
	const char *reason;
	uint64_t size, next;
	bool is_data;
	int err;

	while (offset < container->size) {
		err = pt_loader_measure(container->loader, offset, container->size, &size, &is_data,
					&reason);
		if (!err && is_data)
			err = walk_frame(container, offset, size);
		if (!err) {
			offset += size;
			continue;
		}
		if (err != -EBADMSG)
			return err;
		/* Each false start may cost a look at much of the file; a file made of them must
		 * not cost its square. */
		next = pt_loader_work(container->loader) > budget
			       ? container->size
			       : find_magic(container, offset + 1, container->size);
		pt_container_damage(container, offset, next - offset, reason);
		offset = next;
	}
	return 0;
}
