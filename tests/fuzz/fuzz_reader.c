/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the whole reader. The first byte of the input says how the rest becomes a file: 0: as it
 * stands; else it is cut into pieces, each of which becomes a valid frame, so that checksums do not
 * keep the fuzzer out; with 2, a seek table follows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/bytes.h"
#include "trace/format.h"
#include "trace/frame.h"
#include "trace/reader.h"

#define PIECES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_seek_table(struct pt_bytes *file, const struct pt_bytes *seek)
{
	pt_bytes_put(file, PT_SEEK_FRAME_MAGIC, 4);
	pt_bytes_put(file, seek->len + PT_SEEK_FOOTER, 4);
	pt_bytes_append(file, seek->data, seek->len);
	pt_bytes_put(file, seek->len / 8, 4);
	pt_bytes_put(file, 0, 1);
	pt_bytes_put(file, PT_SEEK_MAGIC, 4);
}

/* Pieces are a length of 3 bytes and as many bytes, or as there are. */
static void pack_pieces(struct pt_bytes *file, const uint8_t *data, size_t size, bool table)
{
	struct pt_packer *packer = pt_packer_new();
	struct pt_bytes seek = {0};

	for (int piece = 0; piece < PIECES_MAX && size > 3; piece++) {
		size_t len = pt_load(data, 3), begin = file->len;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (pt_packer_pack(packer, data, len, NULL, 0, file) < 0)
			abort();
		pt_bytes_put(&seek, file->len - begin, 4);
		pt_bytes_put(&seek, len, 4);
		data += len;
		size -= len;
	}
	if (table)
		put_seek_table(file, &seek);
	pt_bytes_free(&seek);
	pt_packer_free(packer);
}

/* Every byte of every record is looked at, so that the sanitizers see it. */
static uint64_t read_all(const char *path)
{
	struct pt_reader_options options = {.threads = 1};
	struct pt_reader_summary summary;
	struct pt_reader *reader;
	struct pt_record record;
	struct pt_error err;
	uint64_t sum = 0, last = 0;

	if (pt_reader_open(&reader, path, &options, &err) < 0)
		return 0;
	while (pt_reader_next(reader, &record, &err) > 0) {
		if (pt_record_time(&record) < last)
			abort();
		last = pt_record_time(&record);
		for (uint32_t i = 0; i < record.text_len; i++)
			sum += (uint8_t)record.text[i];
	}
	pt_reader_summary(reader, &summary);
	pt_reader_free(reader);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pt_bytes file = {0};
	char path[32];
	int fd;

	if (!size)
		return 0;
	if (data[0])
		pack_pieces(&file, data + 1, size - 1, data[0] == 2);
	else
		pt_bytes_append(&file, data + 1, size - 1);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, file.data, file.len) != (ssize_t)file.len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_all(path);
	close(fd);
	pt_bytes_free(&file);
	return 0;
}
