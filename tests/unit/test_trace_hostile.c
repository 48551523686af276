/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are damaged, lie, or come from the future. */
#include "trace_util.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <zstd.h>

#include "trace/block.h"
#include "trace/describe.h"
#include "trace/frame.h"

#define RECORDS 4000

struct file {
	uint8_t *data;
	size_t len;
};

static struct file load(const char *path)
{
	struct file file;
	struct stat st;
	int fd = open(path, O_RDONLY);

	assert_int_equal(fstat(fd, &st), 0);
	file.len = (size_t)st.st_size;
	file.data = malloc(file.len);
	assert_int_equal(read(fd, file.data, file.len), file.len);
	close(fd);
	return file;
}

static void store(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static struct file sample(void)
{
	struct pt_writer *writer = test_writer(test_path("sample"));
	uint64_t seed = 42;

	for (uint64_t i = 0; i < RECORDS; i++) {
		test_add_switch(writer, i * 1000 + test_random(&seed) % 900,
				(uint32_t)(test_random(&seed) % 7));
		if (i % 400 == 399)
			assert_int_equal(pt_writer_cut(writer, TEST_START + i * 1000 + 999, NULL),
					 0);
	}
	test_finish(writer);
	return load(test_path("sample"));
}

/* Whatever the end is cut off, what stands whole before it is read. */
static void truncated_anywhere(void **state)
{
	struct file file = sample();
	struct pt_reader_summary summary;
	long last = 0;

	(void)state;
	for (size_t len = 0; len < file.len; len += 1 + len % 13) {
		long n;

		store(test_path("cut"), file.data, len);
		n = test_count(test_path("cut"), &summary);
		if (n < 0) {
			assert_int_equal(last, 0);
			continue;
		}
		assert_true(n >= last);
		assert_int_equal(n % 400, 0);
		last = n;
	}
	assert_int_equal(last, RECORDS);
	free(file.data);
}

/* A flipped bit costs the frame it is in, and no other, and is told. */
static void flipped_bits(void **state)
{
	struct file file = sample();
	struct pt_reader_summary summary;
	uint64_t seed = 99;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		size_t at = test_random(&seed) % file.len;
		uint8_t bit = (uint8_t)(1u << test_random(&seed) % 8);
		long n;

		file.data[at] ^= bit;
		store(test_path("flip"), file.data, file.len);
		n = test_count(test_path("flip"), &summary);
		file.data[at] ^= bit;
		assert_true(n >= RECORDS - 800);
		assert_true(n == RECORDS || summary.damage_count > 0);
	}
	free(file.data);
}

static void noise(void **state)
{
	struct file file = sample();
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 300; i++) {
		size_t from = test_random(&seed) % file.len;
		size_t n = test_random(&seed) % (file.len - from);
		struct file copy = {.data = malloc(file.len), .len = file.len};

		memcpy(copy.data, file.data, file.len);
		for (size_t b = from; b < from + n; b++)
			copy.data[b] = (uint8_t)test_random(&seed);
		store(test_path("noise"), copy.data, copy.len);
		test_count(test_path("noise"), NULL);
		free(copy.data);
	}
	free(file.data);
}

static void not_a_trace(void **state)
{
	struct pt_error err;
	struct pt_reader *reader;

	(void)state;
	store(test_path("text"), "PERFILE2 and more", 17);
	assert_int_equal(pt_reader_open(&reader, test_path("text"), NULL, &err), -EBADMSG);
	store(test_path("empty"), "", 0);
	assert_int_equal(pt_reader_open(&reader, test_path("empty"), NULL, &err), -EBADMSG);
	assert_int_equal(pt_reader_open(&reader, test_path("none"), NULL, &err), -ENOENT);
	assert_int_equal(pt_reader_open(&reader, test_folder, NULL, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "not a regular file"));
}

static void append_frame(struct pt_bytes *out, const void *content, size_t len)
{
	struct pt_packer *packer = pt_packer_new();

	assert_int_equal(pt_packer_pack(packer, content, len, NULL, 0, out), 0);
	pt_packer_free(packer);
}

static void append_text(struct pt_bytes *out, const char *text)
{
	append_frame(out, text, strlen(text));
}

static void newer_format_is_refused(void **state)
{
	struct pt_bytes file = {0};
	struct pt_reader *reader;
	struct pt_error err;

	(void)state;
	append_text(&file, "partrace trace 3\n{}");
	store(test_path("newer"), file.data, file.len);
	assert_int_equal(pt_reader_open(&reader, test_path("newer"), NULL, &err), -EPROTO);
	assert_non_null(strstr(err.text, "format version 3"));
	pt_bytes_free(&file);
}

/* A block frame of 64 MiB of zeros, and one that claims terabytes. */
static void write_bomb(const char *path)
{
	static const uint8_t terabytes[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,
					    0,	  0,	1,    0,    0,	  1, 0, 0};
	struct pt_meta meta = {0};
	struct pt_bytes file = {0};
	char *json = pt_describe_meta(&meta);
	uint8_t *zeros = calloc(1, 64u << 20);
	char *text;

	assert_true(asprintf(&text, "partrace trace 2\n%s", json) > 0);
	append_text(&file, text);
	memcpy(zeros, PT_BLOCK_TAG, 4);
	zeros[4] = 1;
	zeros[12] = 1;
	append_frame(&file, zeros, 64u << 20);
	pt_bytes_append(&file, terabytes, sizeof(terabytes));
	store(path, file.data, file.len);
	pt_bytes_free(&file);
	free(zeros);
	free(text);
	free(json);
}

/* In a child, whose peak begins with what is in use now. */
static int read_bomb(const char *path)
{
	struct pt_reader_summary summary;
	struct rusage before, after;
	long n;

	getrusage(RUSAGE_SELF, &before);
	n = test_count(path, &summary);
	getrusage(RUSAGE_SELF, &after);
	if (n != 0 || summary.damage_count != 2)
		return 1;
	return after.ru_maxrss - before.ru_maxrss > 32 << 10 ? 2 : 0;
}

static void claims_cost_nothing(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	write_bomb(test_path("bomb"));
	child = fork();
	if (!child)
		_exit(read_bomb(test_path("bomb")));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* A switch as a later version may write it: a field less, a field more, coded as nobody knows yet.
 */
struct future {
	uint64_t time;
	uint32_t next_tid;
	uint32_t colour;
};

static const struct pt_field future_fields[] = {
	{"time", "", PT_CLASS_TIME, offsetof(struct future, time), 8, false},
	{"colour", "", PT_CLASS_ID, offsetof(struct future, colour), 4, false},
	{"next_tid", "", PT_CLASS_ID, offsetof(struct future, next_tid), 4, false},
};

static void append_block(struct pt_bytes *out, const struct pt_schema *schema, uint64_t time,
			 unsigned int encoding)
{
	struct pt_encoder *encoder = pt_encoder_new();
	struct future rows[2] = {{time, 7, 1}, {time + 1, 8, 2}};
	struct pt_block_input input = {.schema = schema, .rows = (const uint8_t *)rows, .count = 2};
	const struct pt_bytes *content;
	const uint32_t *cuts;
	size_t cut_count;

	assert_int_equal(pt_encoder_encode(encoder, &input, &content, &cuts, &cut_count), 0);
	for (size_t c = 0; encoding && c < schema->field_count; c++) {
		uint8_t *entry = content->data + PT_BLOCK_HEADER + c * PT_BLOCK_DIRECTORY;

		if (pt_load(entry, 2) == 1)
			pt_store(entry + 2, encoding, 2);
	}
	append_frame(out, content->data, content->len);
	pt_encoder_free(encoder);
}

static void file_from_the_future(void **state)
{
	static const char meta[] =
		"partrace trace 2\n{\"era\": 3, \"host\": \"later\", \"schema\": ["
		"{\"kind\": 1, \"name\": \"switch\", \"fields\": [{\"name\": \"time\", \"type\": "
		"\"u64\", \"class\": \"time\"},"
		"{\"name\": \"colour\", \"type\": \"u32\", \"class\": \"hue\"},"
		"{\"name\": \"next_tid\", \"type\": \"u32\", \"class\": \"id\"}]},"
		"{\"kind\": 2, \"name\": \"sleepup\", \"fields\": [{\"name\": \"x\", \"type\": "
		"\"f99\", \"class\": \"y\"}]},"
		"{\"kind\": 63, \"name\": \"dream\", \"fields\": []}]}";
	struct pt_schema schema = {.kind = 1,
				   .row_size = sizeof(struct future),
				   .fields = future_fields,
				   .field_count = 3};
	struct pt_bytes file = {0};
	struct pt_reader_summary summary;
	struct pt_reader *reader;
	struct pt_record record;

	(void)state;
	append_text(&file, meta);
	append_block(&file, &schema, 10, 0);
	append_block(&file, &schema, 20, 99);
	schema.kind = 63;
	append_block(&file, &schema, 30, 0);
	schema.kind = 2;
	append_block(&file, &schema, 40, 0);
	store(test_path("future"), file.data, file.len);
	assert_int_equal(pt_reader_open(&reader, test_path("future"), NULL, NULL), 0);
	assert_string_equal(pt_reader_meta(reader)->host, "later");
	for (uint64_t i = 0; i < 4; i++) {
		const struct pt_switch *row;

		assert_int_equal(pt_reader_next(reader, &record, NULL), 1);
		row = record.row;
		assert_int_equal(row->time, 10 + i / 2 * 10 + i % 2);
		assert_int_equal(row->next_tid, 7 + i % 2);
		assert_int_equal(row->prev_tid, 0);
	}
	assert_int_equal(pt_reader_next(reader, &record, NULL), 0);
	pt_reader_summary(reader, &summary);
	assert_int_equal(summary.unknown_records, 4);
	assert_int_equal(summary.damage_count, 0);
	pt_reader_free(reader);
	pt_bytes_free(&file);
}

/* Opens the file, reads it to the end, and returns how many records there are. */
static long read_headless(const char *path, char *host, size_t size, bool complete)
{
	struct pt_reader_summary summary;
	struct pt_reader *reader;
	struct pt_record record;
	struct pt_error err;
	long n = 0;

	if (pt_reader_open(&reader, path, NULL, &err) < 0)
		fail_msg("%s", err.text);
	while (pt_reader_next(reader, &record, NULL) == 1)
		n++;
	pt_reader_summary(reader, &summary);
	assert_true(summary.damage_count > 0);
	assert_int_equal(summary.damages[0].offset, 0);
	assert_int_equal(summary.complete, complete);
	snprintf(host, size, "%s",
		 pt_reader_meta(reader)->host ? pt_reader_meta(reader)->host : "");
	pt_reader_free(reader);
	return n;
}

/* What stands in the first frame stands at the end, too, or is known anyway. */
static void metadata_lost(void **state)
{
	struct file file = sample();
	size_t frame = ZSTD_findFrameCompressedSize(file.data, file.len);
	uint64_t seed = 5;
	char host[16];

	(void)state;
	for (size_t at = 0; at < frame; at++)
		file.data[at] = (uint8_t)test_random(&seed);
	store(test_path("headless"), file.data, file.len);
	assert_int_equal(read_headless(test_path("headless"), host, sizeof(host), true), RECORDS);
	assert_string_equal(host, "h?");
	store(test_path("headless"), file.data, file.len * 3 / 4);
	assert_true(read_headless(test_path("headless"), host, sizeof(host), false) >= RECORDS / 2);
	assert_string_equal(host, "");
	store(test_path("headless"), file.data, frame);
	assert_int_equal(test_count(test_path("headless"), NULL), -1);
	free(file.data);
}

/* Magic numbers without frames: each is a false start, and the search must not cost the square of
 * the file. */
static void false_starts(void **state)
{
	struct file file = sample();
	struct pt_reader_summary summary;
	size_t len = file.len + (1u << 20);
	uint8_t *data = malloc(len);

	(void)state;
	memcpy(data, file.data, file.len);
	for (size_t at = file.len; at + 4 <= len; at += 4)
		pt_store(data + at, PT_ZSTD_MAGIC, 4);
	store(test_path("starts"), data, len);
	assert_int_equal(test_count(test_path("starts"), &summary), RECORDS);
	assert_true(summary.complete);
	free(data);
	free(file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated_anywhere),
		cmocka_unit_test(flipped_bits),
		cmocka_unit_test(noise),
		cmocka_unit_test(not_a_trace),
		cmocka_unit_test(newer_format_is_refused),
		cmocka_unit_test(claims_cost_nothing),
		cmocka_unit_test(file_from_the_future),
		cmocka_unit_test(false_starts),
		cmocka_unit_test(metadata_lost),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
