/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory over time: who grew or shrank when, and what the machine had to do for it. */
#include <inttypes.h>
#include <stdlib.h>

#include "view/text_part.h"

#define SHOWN_CHANGES 12

/* Beside a large change nobody asks for the small ones. */
#define CHANGE_PART 64

/* A kind of memory is named if it makes up this part of the change. */
#define KIND_PART 10

/* The machine is worth a line from here on. */
#define WORTH_A_LINE_BYTES (1 << 20)

static int64_t signed_at(const json_t *json, const char *key)
{
	return json_integer_value(pt_text_at(json, key));
}

static struct pt_figure size_at(const json_t *json, const char *key)
{
	return pt_format_bytes((uint64_t)llabs(signed_at(json, key)));
}

/* "anonymous", or "290 MiB anonymous, 20.0 MiB of files". */
static void name_kinds(const json_t *change, char *out, size_t size)
{
	static const struct {
		const char *key, *name;
	} kinds[] = {{"anon_bytes", "anonymous"},
		     {"file_bytes", "files"},
		     {"shmem_bytes", "shared memory"}};
	int64_t whole = signed_at(change, "bytes");
	size_t named = 0, used = 0, i;

	for (i = 0; i < PT_ARRAY_SIZE(kinds); i++)
		named += llabs(signed_at(change, kinds[i].key)) > llabs(whole) / KIND_PART;
	for (i = 0; i < PT_ARRAY_SIZE(kinds) && used < size; i++) {
		int64_t part = signed_at(change, kinds[i].key);

		if (llabs(part) <= llabs(whole) / KIND_PART)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s%s%s%s", used ? ", " : "",
					 (part < 0) != (whole < 0) ? (part < 0 ? "-" : "+") : "",
					 named > 1 ? size_at(change, kinds[i].key).s : "",
					 named > 1 ? " " : "", kinds[i].name);
	}
}

static int write_change(const struct pt_text *text, const json_t *change)
{
	int64_t bytes = signed_at(change, "bytes"), swap = signed_at(change, "swap_bytes");
	uint64_t tid = pt_text_int(change, "tid"), pid = pt_text_int(change, "pid");
	char kinds[160] = "", who[48] = "", swapped[96] = "";

	name_kinds(change, kinds, sizeof(kinds));
	if (tid && tid != pid)
		snprintf(who, sizeof(who), ", by its task %" PRIu64, tid);
	if (llabs(swap) >= WORTH_A_LINE_BYTES)
		snprintf(swapped, sizeof(swapped), "; %s %s",
			 pt_format_bytes((uint64_t)llabs(swap)).s,
			 swap > 0    ? "went to swap"
			 : bytes > 0 ? "came from swap"
				     : "of swap was freed");
	return pt_text_line(text, "  %s %" PRIu64 " %s %s, to %s, between %s and %s: %s%s%s",
			    pt_text_string(change, "comm"), pid,
			    bytes < 0 ? "shrank by" : "grew by", size_at(change, "bytes").s,
			    size_at(change, "to_bytes").s,
			    pt_format_ns(pt_text_int(change, "from_ns")).s,
			    pt_format_ns(pt_text_int(change, "to_ns")).s, kinds, who, swapped);
}

static bool is_pressed(const json_t *host)
{
	return signed_at(host, "swapped_out_bytes") + signed_at(host, "swapped_in_bytes") +
			       signed_at(host, "reclaimed_bytes") >=
		       WORTH_A_LINE_BYTES ||
	       signed_at(host, "direct_reclaims") || signed_at(host, "oom_kills");
}

static int write_host(const struct pt_text *text, const json_t *host)
{
	int64_t cached = signed_at(host, "cached_bytes");
	int ret;

	if (!is_pressed(host))
		return 0;
	ret = pt_text_line(
		text,
		"  the machine took %s away from files and processes, swapped %s out and "
		"%s in; %s was available at least",
		size_at(host, "reclaimed_bytes").s, size_at(host, "swapped_out_bytes").s,
		size_at(host, "swapped_in_bytes").s, size_at(host, "available_min_bytes").s);
	if (!ret)
		ret = pt_text_line(text,
				   "    page cache %s%s; %s of files were read again soon after "
				   "they were dropped",
				   cached < 0 ? "-" : "+", size_at(host, "cached_bytes").s,
				   size_at(host, "refaulted_bytes").s);
	if (!ret && signed_at(host, "direct_reclaims"))
		ret = pt_text_line(text, "    %" PRIu64 " allocations had to wait for that",
				   pt_text_int(host, "direct_reclaims"));
	if (!ret && signed_at(host, "oom_kills"))
		ret = pt_text_line(text, "    the kernel killed %" PRIu64 " for want of memory",
				   pt_text_int(host, "oom_kills"));
	return ret;
}

int pt_text_growth(const struct pt_text *text)
{
	const json_t *memory = pt_text_at(text->document, "memory");
	const json_t *growth = pt_text_at(memory, "growth"), *host = pt_text_at(memory, "host");
	int64_t least = llabs(signed_at(json_array_get(growth, 0), "bytes")) / CHANGE_PART;
	size_t count = json_array_size(growth), i;
	int ret = 0;

	if (count || is_pressed(host))
		pt_text_heading(text, "Memory over time, the largest changes first");
	for (i = 0; !ret && i < count && i < SHOWN_CHANGES; i++) {
		const json_t *change = json_array_get(growth, i);

		if (llabs(signed_at(change, "bytes")) < least)
			break;
		ret = write_change(text, change);
	}
	if (!ret && count > i)
		ret = pt_text_line(text, "  and %zu smaller ones", count - i);
	return ret ? ret : write_host(text, host);
}
