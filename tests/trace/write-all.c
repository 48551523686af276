/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a trace with records of every kind and values of every shape, the same on each run: for
 * comparing readers. */
#include <stdio.h>
#include <string.h>

#include "trace/bytes.h"
#include "trace/schema.h"
#include "trace/writer.h"

#define ROWS  200 /* of each kind */
#define START 5000000000ull

static uint64_t seed = 88172645463325252ull;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Each field of each kind gets a shape of its own, so that every encoding occurs. */
static uint64_t value(uint32_t kind, size_t field, uint32_t row)
{
	switch ((kind + field) % 6) {
	case 0:
		return draw(4);
	case 1:
		return 1000 + draw(500);
	case 2:
		return 281;
	case 3:
		return draw(~0ull) >> draw(64);
	case 4:
		return row % 7 * 1111111;
	default:
		return 0 - draw(3);
	}
}

static int add_row(struct pt_writer *writer, const struct pt_schema *schema, uint32_t i,
		   uint64_t time)
{
	static const char text[] = "node\0--flag=\xc3\xa4 b\\c\0";
	/* As the recorder does: the times of switches have a grain. */
	uint64_t row[32] = {START + (schema->kind == PT_KIND_switch ? time & ~15ull : time)};
	struct pt_record record = {.kind = schema->kind, .row = row};

	for (size_t f = 1; f < schema->field_count; f++) {
		const struct pt_field *field = &schema->fields[f];
		uint8_t *at = (uint8_t *)row + field->offset;

		if (field->class == PT_CLASS_TEXT) {
			record.text = text;
			record.text_len = (uint32_t)draw(sizeof(text));
		} else if (field->class == PT_CLASS_NAME) {
			snprintf((char *)at, PT_COMM_LEN, "task %llu",
				 (unsigned long long)draw(schema->kind == 6 ? 300 : 9));
		} else if (!strcmp(field->name, "cpu")) {
			pt_store(at, draw(3), field->size);
		} else {
			pt_store(at, value(schema->kind, f, i), field->size);
		}
	}
	return pt_writer_add(writer, &record);
}

int main(int argc, char **argv)
{
	char *command[] = {"node", "app.js", NULL};
	struct pt_meta meta = {.version = "0.1.0",
			       .host = "box",
			       .kernel = "6.18",
			       .arch = "x86_64",
			       .cpus = 3,
			       .start_mono = START,
			       .start_wall = 1763676000000000000ull,
			       .stall_ns = 10000000,
			       .target = "command",
			       .command = command};
	struct pt_end end = {.duration_ns = 1000000000, .ended_by = "exit", .command_status = 0};
	struct pt_writer_options options = {.path = argv[1], .uid = (uid_t)-1, .gid = (gid_t)-1};
	struct pt_writer *writer;
	struct pt_error err = {0};
	uint64_t time = 0;
	int ret;

	if (argc != 2)
		return 2;
	ret = pt_writer_open(&writer, &options, &meta, &err);
	for (uint32_t i = 0; !ret && i < ROWS; i++) {
		for (uint32_t kind = 0; !ret && kind < PT_KIND_LIMIT; kind++)
			if (pt_schema_of(kind))
				ret = add_row(writer, pt_schema_of(kind), i,
					      time += draw(3) ? draw(90000) : 0);
		/* What lies behind the cut stays; what is older than the cut before is late. */
		if (!ret && i % 100 == 99)
			ret = pt_writer_cut(writer, START + time - 200000, &err);
		if (!ret && i % 50 == 49)
			ret = add_row(writer, pt_schema_of(PT_KIND_wakeup), i, time / 3);
	}
	if (!ret)
		ret = pt_writer_finish(writer, &end, &err);
	if (ret)
		fprintf(stderr, "%d %s\n", ret, err.text);
	return ret != 0;
}
