/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/names.h"

#include "bpf/records.h"

#define SLOTS 1024

struct name_dict {
	uint32_t count;
	const uint8_t *names[PT_DICT_MAX];
	uint16_t slots[SLOTS]; /* index + 1, 0: free */
};

static int name_index(struct name_dict *dict, const uint8_t *name)
{
	uint64_t h =
		pt_load(name, 8) * 0x9e3779b97f4a7c15u ^ pt_load(name + 8, 8) * 0xc2b2ae3d27d4eb4fu;
	uint32_t slot = (uint32_t)(h >> 54);
	uint32_t index;

	while ((index = dict->slots[slot])) {
		if (!memcmp(dict->names[index - 1], name, PT_COMM_LEN))
			return (int)index - 1;
		slot = (slot + 1) % SLOTS;
	}
	if (dict->count == PT_DICT_MAX)
		return -1;
	dict->names[dict->count] = name;
	dict->slots[slot] = (uint16_t)(dict->count + 1);
	return (int)dict->count++;
}

static enum pt_encoding encode_planes(struct pt_out *out, const uint8_t *names, uint32_t n)
{
	uint8_t *plane;

	pt_bytes_put(&out->bytes, PT_COMM_LEN, 1);
	for (size_t c = 0; c < PT_COMM_LEN; c++) {
		plane = pt_bytes_extend(&out->bytes, n);
		for (uint32_t i = 0; plane && i < n; i++)
			plane[i] = names[(size_t)i * PT_COMM_LEN + c];
		pt_out_cut(out);
	}
	return PT_ENC_PLANES;
}

enum pt_encoding pt_names_encode(struct pt_out *out, const uint8_t *names, uint32_t n)
{
	struct name_dict dict = {0};
	uint8_t *indices;

	for (uint32_t i = 0; i < n; i++)
		if (name_index(&dict, names + (size_t)i * PT_COMM_LEN) < 0)
			return encode_planes(out, names, n);
	if (dict.count == 1) {
		pt_bytes_append(&out->bytes, names, PT_COMM_LEN);
		return PT_ENC_CONST;
	}
	pt_bytes_put(&out->bytes, dict.count, 2);
	for (uint32_t i = 0; i < dict.count; i++)
		pt_bytes_append(&out->bytes, dict.names[i], PT_COMM_LEN);
	pt_out_cut(out);
	indices = pt_bytes_extend(&out->bytes, n);
	for (uint32_t i = 0; indices && i < n; i++)
		indices[i] = (uint8_t)name_index(&dict, names + (size_t)i * PT_COMM_LEN);
	pt_out_cut(out);
	return PT_ENC_DICT;
}
