/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/block.h"

#include <errno.h>
#include <stdlib.h>

#include "trace/names.h"
#include "trace/plan.h"

#define PLAN_BLOCKS                                                                                \
	64 /* a plan serves so many blocks, then what the program does may have changed */
#define GATHER_ROWS  256
#define CONTEXT_ROWS 256 /* rows below which a stream of its own costs more than it saves */

struct pt_encoder {
	struct pt_out out;
	struct pt_dict dict;
	struct pt_plan plans[PT_KINDS_MAX];
	uint32_t order[PT_BLOCK_ROWS]; /* coded position -> row */
	uint32_t group_begin[UINT16_MAX + 2];
	uint64_t scratch[PT_BLOCK_ROWS];
	struct pt_keyed keyed;
	struct pt_bytes names;		  /* scratch */
	uint64_t *columns[PT_FIELDS_MAX]; /* memory for values[] */
	uint64_t *values[PT_FIELDS_MAX];  /* of the block at hand, in coded order */
	bool varies[PT_FIELDS_MAX];	  /* not all values[] of the column are the same */
};

/* One block on its way. */
struct job {
	struct pt_encoder *encoder;
	const struct pt_block_input *input;
	struct pt_plan *plan;
	struct pt_columns columns;
	uint16_t group; /* PT_NO_FIELD: none */
	bool replan;
	size_t directory; /* offset of the next column's entry */
};

struct pt_encoder *pt_encoder_new(void)
{
	struct pt_encoder *encoder = calloc(1, sizeof(*encoder));

	if (!encoder)
		return NULL;
	encoder->out.parting = malloc(sizeof(*encoder->out.parting));
	if (!encoder->out.parting) {
		free(encoder);
		return NULL;
	}
	return encoder;
}

void pt_encoder_free(struct pt_encoder *encoder)
{
	if (!encoder)
		return;
	pt_bytes_free(&encoder->out.bytes);
	pt_bytes_free(&encoder->out.cuts);
	free(encoder->out.parting);
	pt_bytes_free(&encoder->names);
	for (size_t f = 0; f < PT_FIELDS_MAX; f++)
		free(encoder->columns[f]);
	free(encoder);
}

static const uint8_t *row_at(const struct job *job, uint32_t position)
{
	const struct pt_block_input *input = job->input;

	return input->rows + (size_t)job->encoder->order[position] * input->schema->row_size;
}

#define GATHER(type)                                                                               \
	do {                                                                                       \
		for (uint32_t i = begin; i < end; i++) {                                           \
			type value;                                                                \
			memcpy(&value, at + order[i] * row_size, sizeof(value));                   \
			values[i] = value;                                                         \
			differences |= value ^ values[0];                                          \
		}                                                                                  \
	} while (0)

/* Says whether they differ from the column's first value. */
static bool gather(const struct job *job, const struct pt_field *field, uint32_t begin,
		   uint32_t end, uint64_t *values)
{
	const uint8_t *at = job->input->rows + field->offset;
	const uint32_t *order = job->encoder->order;
	size_t row_size = job->input->schema->row_size;
	uint64_t differences = 0;

	switch (field->size) {
	case 1:
		GATHER(uint8_t);
		break;
	case 2:
		GATHER(uint16_t);
		break;
	case 4:
		GATHER(uint32_t);
		break;
	default:
		GATHER(uint64_t);
	}
	return differences;
}

/*
 * Rows of one CPU stand together: there, who leaves is who came before, and times are those of one
 * story instead of several told in turns.
 */
static void group_rows(struct job *job)
{
	const struct pt_field *field = pt_schema_field(job->input->schema, "cpu");
	struct pt_encoder *encoder = job->encoder;
	const uint32_t *order = job->input->order;
	uint32_t n = job->input->count;
	uint32_t *begin = encoder->group_begin;
	const uint64_t *cpus = encoder->scratch;
	uint32_t groups = 0;

	job->group = PT_NO_FIELD;
	for (uint32_t i = 0; i < n; i++)
		encoder->order[i] = order ? order[i] : i;
	if (!field || field->size != sizeof(uint16_t))
		return;
	job->group = (uint16_t)(field - job->input->schema->fields);
	gather(job, field, 0, n, encoder->scratch);
	for (uint32_t i = 0; i < n; i++)
		groups = cpus[i] >= groups ? (uint32_t)cpus[i] + 1 : groups;
	memset(begin, 0, (groups + 1) * sizeof(*begin));
	for (uint32_t i = 0; i < n; i++)
		begin[cpus[i] + 1]++;
	for (uint32_t g = 0; g < groups; g++)
		begin[g + 1] += begin[g];
	for (uint32_t i = 0; i < n; i++)
		encoder->order[begin[cpus[i]]++] = order ? order[i] : i;
}

static void order_add(struct pt_columns *columns, const struct pt_schema *schema,
		      const struct pt_field *field)
{
	uint16_t index;

	if (!field)
		return;
	index = (uint16_t)(field - schema->fields);
	for (uint32_t i = 0; i < columns->coded; i++)
		if (columns->field[i] == index)
			return;
	columns->field[columns->coded++] = index;
}

/* The group first, since it says where the others begin anew; a chain after what it chains to;
 * time, which any other may help to code, last. */
static void order_columns(struct job *job)
{
	const struct pt_schema *schema = job->input->schema;
	struct pt_columns *columns = &job->columns;

	columns->coded = 0;
	if (job->group != PT_NO_FIELD)
		order_add(columns, schema, &schema->fields[job->group]);
	for (size_t f = 0; f < schema->field_count; f++) {
		if (schema->fields[f].class == PT_CLASS_CHAIN) {
			order_add(columns, schema, pt_schema_field(schema, "next_tid"));
			order_add(columns, schema, &schema->fields[f]);
		}
	}
	for (size_t f = 0; f < schema->field_count; f++)
		if (schema->fields[f].class != PT_CLASS_TIME &&
		    schema->fields[f].class != PT_CLASS_NS)
			order_add(columns, schema, &schema->fields[f]);
	for (size_t f = schema->field_count; f > 0; f--)
		order_add(columns, schema, &schema->fields[f - 1]);
}

static int prepare_columns(struct job *job)
{
	const struct pt_schema *schema = job->input->schema;
	struct pt_encoder *encoder = job->encoder;

	for (size_t f = 0; f < schema->field_count; f++) {
		encoder->values[f] = NULL;
		encoder->varies[f] = false;
		if (schema->fields[f].class == PT_CLASS_NAME ||
		    schema->fields[f].class == PT_CLASS_TEXT)
			continue;
		if (!encoder->columns[f])
			encoder->columns[f] =
				calloc(PT_KEYED_MAX_LAG + PT_BLOCK_ROWS, sizeof(uint64_t));
		if (!encoder->columns[f])
			return -ENOMEM;
		encoder->values[f] = encoder->columns[f] + PT_KEYED_MAX_LAG;
	}
	job->columns.values = encoder->values;
	job->columns.count = job->input->count;
	return 0;
}

/* Some rows at a time, so that they are still at hand for the next column. */
static int gather_columns(struct job *job)
{
	const struct pt_schema *schema = job->input->schema;
	uint64_t **values = job->encoder->values;
	uint32_t n = job->input->count;
	int err = prepare_columns(job);

	for (uint32_t begin = 0; !err && begin < n; begin += GATHER_ROWS) {
		uint32_t end = n - begin < GATHER_ROWS ? n : begin + GATHER_ROWS;

		for (size_t f = 0; f < schema->field_count; f++)
			if (values[f])
				job->encoder->varies[f] |=
					gather(job, &schema->fields[f], begin, end, values[f]);
	}
	return err;
}

static enum pt_encoding encode_runs(struct job *job, const uint64_t *values, size_t size)
{
	struct pt_bytes *bytes = &job->encoder->out.bytes;
	uint32_t n = job->input->count;
	uint32_t begin = 0;

	for (uint32_t i = 1; i <= n; i++) {
		if (i < n && values[i] == values[begin])
			continue;
		pt_bytes_put(bytes, i - begin, 4);
		pt_bytes_put(bytes, values[begin], size);
		begin = i;
	}
	return PT_ENC_RUNS;
}

static enum pt_encoding encode_keyed(struct job *job, const struct pt_column_plan *plan,
				     const uint64_t *values, size_t size)
{
	struct pt_encoder *encoder = job->encoder;
	struct pt_out *out = &encoder->out;
	uint32_t n = job->input->count;
	uint32_t misses = pt_keyed_predict(&encoder->keyed, &job->columns, plan, values, n);
	enum pt_encoding nested;
	size_t at;

	pt_bytes_put(&out->bytes, plan->keys, 1);
	for (uint8_t k = 0; k < plan->keys; k++) {
		pt_bytes_put(&out->bytes, plan->key[k].field, 2);
		pt_bytes_put(&out->bytes, plan->key[k].lag, 1);
	}
	pt_out_cut(out);
	pt_bytes_append(&out->bytes, encoder->keyed.misses, (n + 7) / 8);
	pt_out_cut(out);
	if (misses) {
		at = out->bytes.len;
		pt_bytes_put(&out->bytes, 0, 1);
		nested = pt_plain_encode(out, &encoder->dict, encoder->keyed.missed, misses, size);
		if (!out->bytes.failed)
			out->bytes.data[at] = (uint8_t)nested;
	}
	return PT_ENC_KEYED;
}

static enum pt_encoding encode_int(struct job *job, uint16_t f)
{
	const struct pt_field *field = &job->input->schema->fields[f];
	const uint64_t *values = job->encoder->values[f];
	struct pt_column_plan *plan = &job->plan->columns[f];

	if (f == job->group)
		return encode_runs(job, values, field->size);
	if (job->replan)
		pt_plan_keyed(plan, &job->columns, f, field->size, &job->encoder->dict,
			      &job->encoder->keyed);
	if (plan->keys)
		return encode_keyed(job, plan, values, field->size);
	return pt_plain_encode(&job->encoder->out, &job->encoder->dict, values, job->input->count,
			       field->size);
}

/* The most frequent values of the key get streams of their own. */
static void choose_contexts(struct job *job, struct pt_column_plan *plan)
{
	const uint64_t *key = job->encoder->values[plan->key[0].field] - plan->key[0].lag;
	struct pt_log_contexts *contexts = &plan->contexts;
	struct pt_dict *dict = &job->encoder->dict;

	contexts->field = plan->key[0].field;
	contexts->lag = plan->key[0].lag;
	pt_dict_clear(dict);
	for (uint32_t i = 0; i < job->input->count; i++)
		pt_dict_index(dict, key[i]);
	while (contexts->count < PT_LOG_CONTEXTS) {
		uint32_t best = 0;

		for (uint32_t d = 1; d < dict->count; d++)
			if (dict->seen[d] > dict->seen[best])
				best = d;
		if (!dict->count || dict->seen[best] < CONTEXT_ROWS)
			break;
		dict->seen[best] = 0;
		contexts->values[contexts->count++] = dict->values[best];
	}
}

static void encode_log(struct job *job, uint16_t f, const uint64_t *values)
{
	struct pt_column_plan *plan = &job->plan->columns[f];

	if (job->replan) {
		memset(&plan->contexts, 0, sizeof(plan->contexts));
		pt_plan_contexts(plan, &job->columns, values, &job->encoder->dict);
		if (plan->keys)
			choose_contexts(job, plan);
	}
	pt_log_encode(&job->encoder->out, values, job->input->count, &plan->contexts,
		      plan->keys ? job->encoder->values[plan->key[0].field] - plan->key[0].lag
				 : NULL);
}

/* Each group starts from the block's first time. */
static enum pt_encoding encode_time(struct job *job, uint16_t f, uint64_t base)
{
	const uint64_t *times = job->encoder->values[f];
	const uint64_t *group = job->group == PT_NO_FIELD ? NULL : job->encoder->values[job->group];
	uint64_t *deltas = job->encoder->scratch;
	uint64_t last = base, bits = 0;
	unsigned int shift;

	for (uint32_t i = 0; i < job->input->count; i++) {
		if (i && group && group[i] != group[i - 1])
			last = base;
		deltas[i] = times[i] - last;
		bits |= deltas[i];
		last = times[i];
	}
	shift = bits ? (unsigned int)__builtin_ctzll(bits) : 0;
	if (shift)
		pt_bytes_put(&job->encoder->out.bytes, shift, 1);
	for (uint32_t i = 0; shift && i < job->input->count; i++)
		deltas[i] >>= shift;
	pt_bytes_put(&job->encoder->out.bytes, base, 8);
	encode_log(job, f, deltas);
	return shift ? PT_ENC_SHIFTED : PT_ENC_DELTA;
}

/* Durations: mostly all different, seldom (a field that is rarely set) a few values. */
static enum pt_encoding encode_ns(struct job *job, uint16_t f, size_t size)
{
	struct pt_encoder *encoder = job->encoder;
	const uint64_t *values = encoder->values[f];

	if (job->input->count < CONTEXT_ROWS ||
	    pt_dict_fill(&encoder->dict, values, job->input->count))
		return pt_plain_encode(&encoder->out, &encoder->dict, values, job->input->count,
				       size);
	encode_log(job, f, values);
	return PT_ENC_LOG;
}

static enum pt_encoding encode_name(struct job *job, const struct pt_field *field)
{
	struct pt_bytes *names = &job->encoder->names;

	names->len = 0;
	for (uint32_t i = 0; i < job->input->count; i++)
		pt_bytes_append(names, row_at(job, i) + field->offset, PT_COMM_LEN);
	if (names->failed) {
		job->encoder->out.bytes.failed = true;
		return PT_ENC_CONST;
	}
	return pt_names_encode(&job->encoder->out, names->data, job->input->count);
}

static enum pt_encoding encode_text(struct job *job, const struct pt_field *field)
{
	struct pt_bytes *bytes = &job->encoder->out.bytes;

	for (uint32_t i = 0; i < job->input->count; i++)
		pt_bytes_put_varint(bytes, pt_load(row_at(job, i) + field->offset, field->size));
	for (uint32_t i = 0; i < job->input->count; i++)
		pt_bytes_append(bytes,
				job->input->texts + job->input->text_at[job->encoder->order[i]],
				pt_load(row_at(job, i) + field->offset, field->size));
	return PT_ENC_TEXT;
}

static enum pt_encoding encode_column(struct job *job, uint16_t f, uint64_t first)
{
	const struct pt_field *field = &job->input->schema->fields[f];

	if (job->encoder->values[f] && !job->encoder->varies[f] && field->class != PT_CLASS_TIME) {
		pt_bytes_put(&job->encoder->out.bytes, job->encoder->values[f][0], field->size);
		return PT_ENC_CONST;
	}
	switch (field->class) {
	case PT_CLASS_TIME:
		return encode_time(job, f, first);
	case PT_CLASS_NS:
		return encode_ns(job, f, field->size);
	case PT_CLASS_NAME:
		return encode_name(job, field);
	case PT_CLASS_TEXT:
		return encode_text(job, field);
	default:
		return encode_int(job, f);
	}
}

static uint64_t time_of(const struct pt_block_input *input, uint32_t i)
{
	uint32_t row = input->order ? input->order[i] : i;

	return pt_load(input->rows + (size_t)row * input->schema->row_size, 8);
}

/* The header, and room for the directory. */
static void put_header(struct job *job)
{
	const struct pt_block_input *input = job->input;
	struct pt_bytes *bytes = &job->encoder->out.bytes;
	uint8_t *directory;

	bytes->len = 0;
	job->encoder->out.cuts.len = 0;
	pt_bytes_append(bytes, PT_BLOCK_TAG, 4);
	pt_bytes_put(bytes, input->schema->kind, 4);
	pt_bytes_put(bytes, input->interval, 4);
	pt_bytes_put(bytes, input->count, 4);
	pt_bytes_put(bytes, input->flags, 4);
	pt_bytes_put(bytes, job->group, 2);
	pt_bytes_put(bytes, input->schema->field_count, 2);
	pt_bytes_put(bytes, time_of(input, 0), 8);
	pt_bytes_put(bytes, time_of(input, input->count - 1), 8);
	job->directory = bytes->len;
	directory = pt_bytes_extend(bytes, PT_BLOCK_DIRECTORY * input->schema->field_count);
	if (directory)
		memset(directory, 0, PT_BLOCK_DIRECTORY * input->schema->field_count);
}

static void put_columns(struct job *job)
{
	struct pt_columns *columns = &job->columns;
	struct pt_bytes *bytes = &job->encoder->out.bytes;
	uint32_t total = columns->coded;

	for (columns->coded = 0; columns->coded < total; columns->coded++) {
		uint16_t f = columns->field[columns->coded];
		size_t begin = bytes->len;
		enum pt_encoding encoding;

		pt_out_cut(&job->encoder->out);
		encoding = encode_column(job, f, time_of(job->input, 0));
		if (bytes->failed)
			return;
		pt_store(bytes->data + job->directory, f, 2);
		pt_store(bytes->data + job->directory + 2, (uint64_t)encoding, 2);
		pt_store(bytes->data + job->directory + 4, bytes->len - begin, 4);
		job->directory += PT_BLOCK_DIRECTORY;
	}
}

int pt_encoder_encode(struct pt_encoder *encoder, const struct pt_block_input *input,
		      const struct pt_bytes **content, const uint32_t **cuts, size_t *cut_count)
{
	struct pt_out *out = &encoder->out;
	struct job job = {
		.encoder = encoder,
		.input = input,
		.plan = &encoder->plans[input->schema->kind],
	};

	job.replan = job.plan->blocks++ % PLAN_BLOCKS == 0 || job.plan->rows * 4 < input->count;
	if (job.replan)
		job.plan->rows = input->count;
	group_rows(&job);
	if (gather_columns(&job) < 0)
		return -ENOMEM;
	order_columns(&job);
	put_header(&job);
	put_columns(&job);
	if (out->bytes.failed || out->cuts.failed)
		return -ENOMEM;
	*content = &out->bytes;
	*cuts = (const uint32_t *)out->cuts.data;
	*cut_count = out->cuts.len / sizeof(uint32_t);
	return 0;
}
