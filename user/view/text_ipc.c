/* SPDX-License-Identifier: BSD-2-Clause */
/* Who talks to whom: what is slow or backed up first, then a matrix if it is small, or the heaviest flows. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/text_part.h"

#define SHOWN_FLOWS   16
#define SHOWN_TROUBLE 8
#define MATRIX_MAX    8

/* Waiting of less than this is what a channel is for. */
#define WORTH_A_LINE_NS 10000000

/* A process, as the matrix has it: pid 0 stands for all outside. */
struct party {
	uint64_t pid;
	const char *comm;
};

struct name {
	char s[96];
};

static struct name name_of(const json_t *who)
{
	uint64_t pid = pt_text_int(who, "pid"), tid = pt_text_int(who, "tid");
	const char *comm = pt_text_string(who, "comm"), *place = pt_text_string(who, "address");
	struct name name;

	if (!pid && place[0])
		snprintf(name.s, sizeof(name.s), "%s", place);
	else if (!pid)
		snprintf(name.s, sizeof(name.s), "%s",
			 json_is_true(pt_text_at(who, "outside")) ? "(outside)" : "(not read)");
	else if (tid && tid != pid)
		snprintf(name.s, sizeof(name.s), "%s %" PRIu64 "/%" PRIu64, comm, pid, tid);
	else
		snprintf(name.s, sizeof(name.s), "%s %" PRIu64, comm[0] ? comm : "?", pid);
	return name;
}

static const json_t *find_channel(const json_t *channels, uint64_t id)
{
	size_t i;

	for (i = 0; i < json_array_size(channels); i++) {
		if (pt_text_int(json_array_get(channels, i), "id") == id)
			return json_array_get(channels, i);
	}
	return NULL;
}

/* Who should have read, or written: the other side of the heaviest flow of that channel. */
static struct name other_party(const json_t *flows, uint64_t channel, const char *side)
{
	struct name none = {"nobody in the recording"};
	size_t i;

	for (i = 0; i < json_array_size(flows); i++) {
		const json_t *flow = json_array_get(flows, i);

		if (pt_text_int(flow, "channel") == channel)
			return name_of(pt_text_at(flow, side));
	}
	return none;
}

static int write_blocked(const struct pt_text *text, const json_t *flows, const json_t *channel,
			 const json_t *end)
{
	const json_t *longest = pt_text_at(end, "sent.longest_blocked");
	uint64_t id = pt_text_int(channel, "id");

	return pt_text_line(
		text,
		"  %s was blocked for %s writing to the %s %s that %s did not read (%s in all)",
		name_of(longest).s, pt_format_ns(pt_text_int(longest, "ns")).s,
		pt_text_string(channel, "kind"), pt_text_string(channel, "name"),
		other_party(flows, id, "to").s,
		pt_format_ns(pt_text_int(end, "sent.blocked_ns")).s);
}

static int write_unread(const struct pt_text *text, const json_t *channel)
{
	return pt_text_line(text, "  %s in %s %s were still unread at the end",
			    pt_format_bytes(pt_text_int(channel, "unread_bytes")).s,
			    pt_text_string(channel, "kind"), pt_text_string(channel, "name"));
}

static int write_trouble(const struct pt_text *text, const json_t *channels, const json_t *flows)
{
	size_t i, j, shown = 0;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(channels) && shown < SHOWN_TROUBLE; i++) {
		const json_t *channel = json_array_get(channels, i);
		const json_t *ends = pt_text_at(channel, "ends");

		for (j = 0; !ret && j < json_array_size(ends); j++) {
			const json_t *end = json_array_get(ends, j);

			if (pt_text_int(end, "sent.longest_blocked.ns") < WORTH_A_LINE_NS)
				continue;
			ret = write_blocked(text, flows, channel, end);
			shown++;
		}
		if (!ret && pt_text_int(channel, "unread_bytes") > 0 &&
		    strcmp(pt_text_string(channel, "kind"), "eventfd") != 0) {
			ret = write_unread(text, channel);
			shown++;
		}
	}
	return ret;
}

static size_t party_of(struct party *parties, size_t *count, const json_t *who)
{
	uint64_t pid = pt_text_int(who, "pid");
	size_t i;

	for (i = 0; i < *count && parties[i].pid != pid; i++)
		;
	if (i == *count && i < MATRIX_MAX)
		parties[(*count)++] =
			(struct party){pid, pid ? pt_text_string(who, "comm") : "outside"};
	return i;
}

static int write_matrix_row(const struct pt_text *text, const struct party *party,
			    const uint64_t *sums, size_t count)
{
	char line[MATRIX_MAX * 12 + 1] = "";
	size_t i, at = 0;

	for (i = 0; i < count; i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %10s",
				       sums[i] ? pt_format_bytes(sums[i]).s : "-");
	return pt_text_line(text, "  %16s %8" PRIu64 "%s", party->comm, party->pid, line);
}

/* Bytes from each process (row) to each (column). Nothing if there are too many. */
static int write_matrix(const struct pt_text *text, const json_t *flows)
{
	struct party parties[MATRIX_MAX];
	uint64_t sums[MATRIX_MAX][MATRIX_MAX] = {{0}};
	char line[MATRIX_MAX * 12 + 1] = "";
	size_t count = 0, i, at = 0;
	int ret;

	for (i = 0; i < json_array_size(flows); i++) {
		const json_t *flow = json_array_get(flows, i);
		size_t from = party_of(parties, &count, pt_text_at(flow, "from"));
		size_t to = party_of(parties, &count, pt_text_at(flow, "to"));

		if (from >= MATRIX_MAX || to >= MATRIX_MAX)
			return 0;
		sums[from][to] += pt_text_int(flow, "bytes");
	}
	if (count < 2)
		return 0;
	for (i = 0; i < count; i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %10" PRIu64, parties[i].pid);
	ret = pt_text_line(text, "  %16s %8s%s", "bytes from", "to", line);
	for (i = 0; !ret && i < count; i++)
		ret = write_matrix_row(text, &parties[i], sums[i], count);
	return ret;
}

static int write_flow(const struct pt_text *text, const json_t *channels, const json_t *flow)
{
	const json_t *channel = find_channel(channels, pt_text_int(flow, "channel"));
	const json_t *latency = pt_text_at(flow, "latency_ns");
	bool timed = json_is_object(latency);

	return pt_text_line(text, "%10s %10s %9s %9s %9s%s %s -> %s  %s %s",
			    pt_format_bytes(pt_text_int(flow, "bytes")).s,
			    pt_format_count(pt_text_int(flow, "messages")).s,
			    timed ? pt_format_ns(pt_text_int(latency, "p50")).s : "-",
			    timed ? pt_format_ns(pt_text_int(latency, "p99")).s : "-",
			    timed ? pt_format_ns(pt_text_int(latency, "max")).s : "-",
			    json_is_true(pt_text_at(flow, "uncertain")) ? "?" : " ",
			    name_of(pt_text_at(flow, "from")).s, name_of(pt_text_at(flow, "to")).s,
			    pt_text_string(channel, "kind"), pt_text_string(channel, "name"));
}

/* One line for each way of running in parallel that something was seen of. */
static int write_models(const struct pt_text *text)
{
	static const struct {
		const char *key, *words;
	} models[] = {{"thread", "threads of one process"},
		      {"process", "processes"},
		      {"cluster", "processes of a cluster"}};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < PT_ARRAY_SIZE(models); i++) {
		const json_t *sum =
			json_object_get(pt_text_at(text->document, "ipc.models"), models[i].key);

		if (pt_text_int(sum, "messages"))
			ret = pt_text_line(text,
					   "  between %s: %s messages, %s; %s of them wake-ups",
					   models[i].words,
					   pt_format_count(pt_text_int(sum, "messages")).s,
					   pt_format_bytes(pt_text_int(sum, "bytes")).s,
					   pt_format_count(pt_text_int(sum, "wakeups")).s);
	}
	return ret;
}

int pt_text_ipc(const struct pt_text *text)
{
	const json_t *channels = pt_text_at(text->document, "ipc.channels");
	const json_t *flows = pt_text_at(text->document, "ipc.flows");
	size_t count = json_array_size(flows), i;
	int ret;

	if (!count)
		return 0;
	pt_text_heading(text, "Who talks to whom (calls on io_uring are not seen)");
	ret = write_trouble(text, channels, flows);
	if (!ret)
		ret = write_models(text);
	if (!ret)
		ret = write_matrix(text, flows);
	if (!ret)
		ret = pt_text_line(text, "%10s %10s %9s %9s %9s  %s", "bytes", "messages", "p50",
				   "p99", "max", "flow: how long a message lay there");
	for (i = 0; !ret && i < count && i < SHOWN_FLOWS; i++)
		ret = write_flow(text, channels, json_array_get(flows, i));
	if (!ret && count > i)
		ret = pt_text_line(text, "  and %zu smaller ones", count - i);
	if (!ret && pt_text_int(text->document, "ipc.lost_records"))
		ret = pt_text_line(
			text, "  %s records of channels were lost: figures are too low",
			pt_format_count(pt_text_int(text->document, "ipc.lost_records")).s);
	return ret;
}
