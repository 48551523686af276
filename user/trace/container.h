/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace file as a list of blocks: from its index if it has one, else by walking from frame to
 * frame. */
#ifndef PT_TRACE_CONTAINER_H
#define PT_TRACE_CONTAINER_H

#include "trace/block.h"
#include "trace/load.h"
#include "trace/meta.h"
#include "trace/reader.h"

struct pt_block_entry {
	uint64_t offset;
	uint64_t first; /* times */
	uint64_t last;
	uint32_t size; /* of the frame */
	uint32_t count;
	uint16_t kind;
	bool bad; /* listed among the damages */
};

struct pt_container {
	int fd;
	uint64_t size;
	struct pt_loader *loader;
	struct pt_meta meta;
	bool headless; /* the metadata frame is damaged: meta is what the end says of it, or empty */
	struct pt_layouts layouts;
	struct pt_end end;
	bool complete;			/* end is valid */
	pt_kinds kinds;			/* wanted */
	struct pt_block_entry *entries; /* of wanted kinds, as they stand in the file */
	size_t entry_count;
	size_t entry_cap;
	struct pt_damage *damages;
	size_t damage_count;
	size_t damage_cap;
	uint64_t records[PT_KIND_LIMIT];
	uint64_t bytes[PT_KIND_LIMIT];
	uint64_t unknown_records;
	uint64_t ends_at; /* last time of an unwanted kind */
};

/* kinds: as in pt_reader_options. */
int pt_container_open(struct pt_container **out, const char *path, pt_kinds kinds,
		      struct pt_error *err);

/* reason must be a constant. A full list, or no memory for it, drops the damage. */
void pt_container_damage(struct pt_container *container, uint64_t offset, uint64_t length,
			 const char *reason);

/* Notes a block; one of an unwanted kind is only counted. 0 or -ENOMEM. */
int pt_container_add(struct pt_container *container, const struct pt_block_header *header,
		     uint64_t offset, uint32_t size);

/* From the index: 0, -ENOMEM, or -EBADMSG if it is missing or wrong, and then nothing has been
 * added. */
int pt_container_read_index(struct pt_container *container);

/* From frame to frame, from `offset` on. 0 or -ENOMEM. */
int pt_container_walk(struct pt_container *container, uint64_t offset);

/* Takes what an end frame says. *index_len is the length of the entries. -EBADMSG with *reason if
 * it is none. */
int pt_container_parse_end(struct pt_container *container, const uint8_t *content, size_t len,
			   uint32_t *entries, const char **reason);

void pt_container_free(struct pt_container *container);

#endif
