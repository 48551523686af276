/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/describe.h"

#define DAMAGES_MAX 4096

void pt_container_damage(struct pt_container *container, uint64_t offset, uint64_t length,
			 const char *reason)
{
	size_t cap = container->damage_cap ? 2 * container->damage_cap : 16;
	struct pt_damage *damages;

	if (container->damage_count == DAMAGES_MAX)
		return;
	if (container->damage_count == container->damage_cap) {
		damages = realloc(container->damages, cap * sizeof(*damages));
		if (!damages)
			return;
		container->damages = damages;
		container->damage_cap = cap;
	}
	container->damages[container->damage_count++] =
		(struct pt_damage){.offset = offset, .length = length, .reason = reason};
}

static int add_entry(struct pt_container *container, const struct pt_block_entry *entry)
{
	size_t cap = container->entry_cap ? 2 * container->entry_cap : 64;
	struct pt_block_entry *entries;

	if (container->entry_count == container->entry_cap) {
		entries = realloc(container->entries, cap * sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		container->entries = entries;
		container->entry_cap = cap;
	}
	container->entries[container->entry_count++] = *entry;
	return 0;
}

int pt_container_add(struct pt_container *container, const struct pt_block_header *header,
		     uint64_t offset, uint32_t size)
{
	struct pt_block_entry entry = {
		.offset = offset,
		.first = header->first,
		.last = header->last,
		.size = size,
		.count = header->count,
		.kind = (uint16_t)header->kind,
	};

	if (header->kind >= PT_KIND_LIMIT || !container->layouts.kinds[header->kind].schema) {
		container->unknown_records += header->count;
		return 0;
	}
	container->records[header->kind] += header->count;
	container->bytes[header->kind] += size;
	if (container->kinds & PT_KIND_BIT(header->kind))
		return add_entry(container, &entry);
	if (header->last > container->ends_at)
		container->ends_at = header->last;
	return 0;
}

static int open_file(struct pt_container *container, const char *path, struct pt_error *err)
{
	struct stat st;

	/* Without O_NONBLOCK, opening a FIFO would wait for a writer. */
	container->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (container->fd < 0 || fstat(container->fd, &st) < 0)
		return pt_error_errno(err, -errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return pt_error_set(err, -EBADMSG, "%s: not a regular file", path);
	container->size = (uint64_t)st.st_size;
	container->loader = pt_loader_new(container->fd);
	return container->loader ? 0 : pt_error_errno(err, -ENOMEM, "%s", path);
}

/* The line before the JSON: signature, version, newline. Sets *json to what follows. */
static int parse_signature(const uint8_t *content, size_t len, size_t *json, struct pt_error *err)
{
	size_t at = strlen(PT_META_SIGNATURE);
	unsigned int version = 0;

	if (len < at || memcmp(content, PT_META_SIGNATURE, at) != 0)
		return pt_error_set(err, -EBADMSG, "a zstd file, but no trace of partrace");
	for (; at < len && content[at] >= '0' && content[at] <= '9' && version < 100000; at++)
		version = 10 * version + (content[at] - '0');
	if (at == len || content[at] != '\n' || !version)
		return pt_error_set(err, -EBADMSG, "the format version cannot be read");
	if (version > PT_FORMAT_VERSION)
		return pt_error_set(err, -EPROTO, "format version %u; this program reads up to %d",
				    version, PT_FORMAT_VERSION);
	*json = at + 1;
	return 0;
}

/*
 * Ids of kinds and positions of fields are for ever: what this program knows of them holds for every file, and further
 * fields of a later one are skipped.
 */
static void assume_layouts(struct pt_container *container)
{
	container->headless = true;
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++) {
		struct pt_layout *layout = &container->layouts.kinds[kind];

		if (!pt_schema_of(kind))
			continue;
		pt_layout_ours(layout, pt_schema_of(kind));
		layout->field_count = PT_FIELDS_MAX;
	}
}

static int read_meta(struct pt_container *container, uint64_t *next, struct pt_error *err)
{
	const uint8_t *content = NULL;
	const char *reason = NULL;
	size_t len = 0, json = 0;
	bool is_data;
	int ret = pt_loader_measure(container->loader, 0, container->size, next, &is_data, &reason);

	if (!ret && !is_data)
		return pt_error_set(err, -EBADMSG, "no trace: it begins with a skippable frame");
	if (!ret)
		ret = pt_loader_load(container->loader, 0, *next, PT_META_CONTENT, &content, &len,
				     &reason);
	if (ret == -EBADMSG) {
		pt_error_set(err, ret, "no trace, or not even its metadata: at offset 0: %s",
			     reason);
		assume_layouts(container);
		*next = 0;
		return 0;
	}
	if (ret < 0)
		return pt_error_errno(err, ret, "cannot read it");
	ret = parse_signature(content, len, &json, err);
	return ret ? ret
		   : pt_parse_meta((const char *)content + json, len - json, &container->meta,
				   &container->layouts, err);
}

int pt_container_parse_end(struct pt_container *container, const uint8_t *content, size_t len,
			   uint32_t *entries, const char **reason)
{
	size_t index;

	if (len < 8 || memcmp(content, PT_END_TAG, 4) != 0) {
		*reason = "a frame is not an end frame";
		return -EBADMSG;
	}
	*entries = (uint32_t)pt_load(content + 4, 4);
	index = (size_t)*entries * PT_END_ENTRY;
	if (index > len - 8) {
		*reason = "the index is longer than its frame";
		return -EBADMSG;
	}
	pt_end_clear(&container->end);
	if (container->headless)
		pt_meta_clear(&container->meta);
	if (pt_parse_end((const char *)content + 8 + index, len - 8 - index, &container->end,
			 container->headless ? &container->meta : NULL, NULL) < 0) {
		*reason = "the end frame is not readable";
		return -EBADMSG;
	}
	container->complete = true;
	return 0;
}

static bool has_blocks(const struct pt_container *container)
{
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++)
		if (container->records[kind])
			return true;
	return false;
}

static int open_container(struct pt_container *container, const char *path, struct pt_error *err)
{
	uint64_t first_block;
	int ret = open_file(container, path, err);

	if (ret < 0)
		return ret;
	ret = read_meta(container, &first_block, err);
	if (ret < 0)
		return pt_error_prefix(err, ret, "%s", path);
	ret = pt_container_read_index(container);
	if (!ret && container->headless)
		pt_container_damage(container, 0, 0, "the metadata cannot be read");
	if (ret == -EBADMSG)
		ret = pt_container_walk(container, first_block);
	if (!ret && container->headless && !has_blocks(container))
		return pt_error_prefix(err, -EBADMSG, "%s", path);
	return ret < 0 ? pt_error_errno(err, ret, "%s", path) : 0;
}

int pt_container_open(struct pt_container **out, const char *path, pt_kinds kinds,
		      struct pt_error *err)
{
	struct pt_container *container = calloc(1, sizeof(*container));
	int ret;

	*out = NULL;
	if (!container)
		return pt_error_errno(err, -ENOMEM, "%s", path);
	container->fd = -1;
	container->kinds = kinds ? kinds : ~(pt_kinds)0;
	ret = open_container(container, path, err);
	if (ret < 0) {
		pt_container_free(container);
		return ret;
	}
	*out = container;
	return 0;
}

void pt_container_free(struct pt_container *container)
{
	if (!container)
		return;
	pt_loader_free(container->loader);
	if (container->fd >= 0)
		close(container->fd);
	pt_meta_clear(&container->meta);
	pt_end_clear(&container->end);
	free(container->entries);
	free(container->damages);
	free(container);
}
