/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes into a trace comes out of it: every kind, values of every shape, every way to be out of
 * order. */
#include "trace_util.h"

#define ROWS 3000

struct stored {
	uint64_t row[32];
	char text[64];
	uint32_t text_len;
};

enum shape { RANDOM, EXTREME, FEW, SMALL, SHAPES };

static uint64_t draw_value(enum shape shape, uint64_t *seed)
{
	uint64_t r = test_random(seed);

	switch (shape) {
	case RANDOM:
		return r;
	case EXTREME:
		return r % 3 ? 0 - r % 2 : 1ull << r % 64;
	case FEW:
		return r % 3 * 1000;
	default:
		return r % 300;
	}
}

static void fill_row(struct stored *stored, const struct pt_schema *schema, enum shape shape,
		     uint64_t time, uint64_t *seed)
{
	memset(stored, 0, sizeof(*stored));
	for (size_t f = 1; f < schema->field_count; f++) {
		const struct pt_field *field = &schema->fields[f];
		uint8_t *at = (uint8_t *)stored->row + field->offset;

		if (field->class == PT_CLASS_TEXT) {
			stored->text_len = (uint32_t)(test_random(seed) % sizeof(stored->text));
			for (uint32_t i = 0; i < stored->text_len; i++)
				stored->text[i] = (char)test_random(seed);
			pt_store(at, stored->text_len, field->size);
			continue;
		}
		for (size_t b = 0; b < field->size; b += 8)
			pt_store(at + b, draw_value(shape, seed),
				 field->size < 8 ? field->size : 8);
	}
	stored->row[0] = time;
}

static void write_rows(const char *path, const struct pt_schema *schema, const struct stored *rows,
		       size_t n, size_t per_interval)
{
	struct pt_writer *writer = test_writer(path);

	for (size_t i = 0; i < n; i++) {
		struct stored copy = rows[i];
		struct pt_record record = {.kind = schema->kind,
					   .row = copy.row,
					   .text = copy.text,
					   .text_len = copy.text_len};

		copy.row[0] += TEST_START;
		assert_int_equal(pt_writer_add(writer, &record), 0);
		if (i % per_interval == per_interval - 1)
			assert_int_equal(pt_writer_cut(writer, copy.row[0], NULL), 0);
	}
	test_finish(writer);
}

static void compare_rows(const char *path, const struct pt_schema *schema,
			 const struct stored *rows, size_t n)
{
	struct pt_reader_options options = {.threads = 1, .kinds = PT_KIND_BIT(schema->kind)};
	struct pt_reader *reader;
	struct pt_record record;

	assert_int_equal(pt_reader_open(&reader, path, &options, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pt_reader_next(reader, &record, NULL), 1);
		assert_int_equal(record.kind, schema->kind);
		assert_memory_equal(record.row, rows[i].row, schema->row_size);
		assert_int_equal(record.text_len, rows[i].text_len);
		assert_memory_equal(record.text ? record.text : "", rows[i].text, rows[i].text_len);
	}
	assert_int_equal(pt_reader_next(reader, &record, NULL), 0);
	pt_reader_free(reader);
}

static void round_trip(const struct pt_schema *schema, enum shape shape, size_t n,
		       size_t per_interval)
{
	struct stored *rows = calloc(n, sizeof(*rows));
	uint64_t seed = 88172645463325252ull + schema->kind;
	uint64_t time = 0;

	for (size_t i = 0; i < n; i++)
		fill_row(&rows[i], schema, shape, time += 1 + test_random(&seed) % 100000, &seed);
	write_rows(test_path("trip"), schema, rows, n, per_interval);
	compare_rows(test_path("trip"), schema, rows, n);
	unlink(test_path("trip"));
	unlink(test_path("trip.old"));
	free(rows);
}

static void every_kind_and_shape(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < PT_KIND_LIMIT; kind++) {
		for (enum shape shape = 0; pt_schema_of(kind) && shape < SHAPES; shape++) {
			round_trip(pt_schema_of(kind), shape, ROWS, 1000);
			round_trip(pt_schema_of(kind), shape, 1, 1);
			round_trip(pt_schema_of(kind), shape, 70, 7);
		}
	}
}

static void more_than_a_block(void **state)
{
	(void)state;
	round_trip(pt_schema_of(PT_KIND_switch), SMALL, 100000, 1000000);
	round_trip(pt_schema_of(PT_KIND_task), FEW, 50000, 1000000);
}

/* Records that come late, early or in disorder are all there, and in order. */
static void out_of_order(void **state)
{
	struct pt_writer *writer = test_writer(test_path("disorder"));
	struct pt_reader_summary summary;
	uint64_t seed = 4711;

	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		test_add_switch(writer,
				i * 1000 - test_random(&seed) % (i % 50 ? 5000 : i * 1000 + 1), 7);
		if (i % 1000 == 999)
			assert_int_equal(pt_writer_cut(writer, TEST_START + i * 1000 - 4000, NULL),
					 0);
	}
	test_finish(writer);
	assert_int_equal(test_count(test_path("disorder"), &summary), 20000);
	assert_int_equal(summary.damage_count, 0);
}

static void times_before_the_start_are_zero(void **state)
{
	struct pt_writer *writer = test_writer(test_path("early"));
	struct pt_switch row = {.time = 5};
	struct pt_record record = {.kind = PT_KIND_switch, .row = &row};
	struct pt_reader_summary summary;

	(void)state;
	assert_int_equal(pt_writer_add(writer, &record), 0);
	test_finish(writer);
	assert_int_equal(test_count(test_path("early"), &summary), 1);
	assert_int_equal(summary.ends_at, 0);
}

static void ties_follow_the_order_of_kinds(void **state)
{
	static const uint32_t kinds[] = {PT_KIND_exit, PT_KIND_switch, PT_KIND_occupant,
					 PT_KIND_wakeup, PT_KIND_fork};
	struct pt_writer *writer = test_writer(test_path("ties"));
	struct pt_reader *reader;
	struct pt_record record;
	uint64_t row[32] = {TEST_START + 5};

	(void)state;
	for (size_t i = 0; i < PT_ARRAY_SIZE(kinds); i++) {
		record = (struct pt_record){.kind = kinds[i], .row = row};
		assert_int_equal(pt_writer_add(writer, &record), 0);
	}
	test_finish(writer);
	assert_int_equal(pt_reader_open(&reader, test_path("ties"), NULL, NULL), 0);
	assert_int_equal((pt_reader_next(reader, &record, NULL), record.kind), PT_KIND_fork);
	assert_int_equal((pt_reader_next(reader, &record, NULL), record.kind), PT_KIND_wakeup);
	assert_int_equal((pt_reader_next(reader, &record, NULL), record.kind), PT_KIND_occupant);
	assert_int_equal((pt_reader_next(reader, &record, NULL), record.kind), PT_KIND_switch);
	assert_int_equal((pt_reader_next(reader, &record, NULL), record.kind), PT_KIND_exit);
	pt_reader_free(reader);
}

static void metadata(void **state)
{
	char *command[] = {"node", "a b", NULL};
	struct pt_meta meta = {.version = "1",
			       .host = "box",
			       .kernel = "6",
			       .arch = "x",
			       .cpus = 3,
			       .start_mono = 1,
			       .start_wall = 1700000000000000000ull,
			       .start_boot = 2,
			       .stall_ns = 9,
			       .recorder_pid = 12,
			       .sees_io_uring = true,
			       .target = "all",
			       .command = command};
	struct pt_writer_options options = {
		.path = test_path("meta"), .uid = (uid_t)-1, .gid = (gid_t)-1};
	const struct pt_meta *got;
	struct pt_writer *writer;
	struct pt_reader *reader;

	(void)state;
	assert_int_equal(pt_writer_open(&writer, &options, &meta, NULL), 0);
	test_finish(writer);
	assert_int_equal(pt_reader_open(&reader, test_path("meta"), NULL, NULL), 0);
	got = pt_reader_meta(reader);
	assert_string_equal(got->host, "box");
	assert_string_equal(got->command[1], "a b");
	assert_null(got->command[2]);
	assert_int_equal(got->start_wall, meta.start_wall);
	assert_int_equal(got->cpus, 3);
	assert_true(got->sees_io_uring);
	assert_int_equal(pt_reader_end(reader)->command_status, 256);
	assert_int_equal(pt_reader_end(reader)->duration_ns, 77);
	pt_reader_free(reader);
}

static void impossible_records_are_refused(void **state)
{
	struct pt_writer *writer = test_writer(test_path("refused"));
	uint64_t row[32] = {0};
	struct pt_record record = {.kind = PT_KIND_LIMIT, .row = row};

	(void)state;
	assert_int_equal(pt_writer_add(writer, &record), -EINVAL);
	record.kind = 0;
	assert_int_equal(pt_writer_add(writer, &record), -EINVAL);
	record.kind = PT_KIND_command;
	record.text_len = PT_TEXT_MAX + 1;
	assert_int_equal(pt_writer_add(writer, &record), -EINVAL);
	pt_writer_abandon(writer);
	pt_writer_free(writer);
	assert_int_equal(access(test_path("refused.partial"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_and_shape),
		cmocka_unit_test(more_than_a_block),
		cmocka_unit_test(out_of_order),
		cmocka_unit_test(times_before_the_start_are_zero),
		cmocka_unit_test(ties_follow_the_order_of_kinds),
		cmocka_unit_test(metadata),
		cmocka_unit_test(impossible_records_are_refused),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
