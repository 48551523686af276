/* SPDX-License-Identifier: BSD-2-Clause */
/* Who talks to whom: what is slow or backed up first, then a matrix if it is small, or the heaviest flows. */
#include <inttypes.h>
#include <string.h>

#include "view/text_part.h"

#define SHOWN_PAIRS    16
#define SHOWN_TROUBLE  8
#define SHOWN_SEGMENTS 8
#define SHOWN_RINGS    4
#define SHOWN_PASSED   8
#define SHOWN_MAPPERS  4

struct name {
	char s[96];
};

static struct name name_of(const json_t *who)
{
	uint64_t pid = pt_text_int(who, "pid"), tid = pt_text_int(who, "tid");
	const char *comm = pt_text_string(who, "comm"), *place = pt_text_string(who, "address");
	struct name name;

	if (!pid && comm[0]) /* a task of which no more is known */
		snprintf(name.s, sizeof(name.s), "%s", comm);
	else if (!pid && !json_is_true(pt_text_at(who, "outside")))
		snprintf(name.s, sizeof(name.s), "(not read)");
	else if (!pid)
		snprintf(name.s, sizeof(name.s), "%s", place[0] ? place : "(outside)");
	else if (tid && tid != pid)
		snprintf(name.s, sizeof(name.s), "%s %" PRIu64 "/%" PRIu64, comm, pid, tid);
	else
		snprintf(name.s, sizeof(name.s), "%s %" PRIu64, comm[0] ? comm : "?", pid);
	return name;
}

/* Where and when a loop was held up for it, if one was. */
static int write_held_up(const struct pt_text *text, const json_t *trouble)
{
	const json_t *stalls = pt_text_at(trouble, "stalls");
	uint64_t count = pt_text_int(stalls, "count");

	if (!count)
		return 0;
	return pt_text_line(text,
			    "    its loop stalled for that: %s time%s, %s in all, worst %s at %s",
			    pt_format_count(count).s, count > 1 ? "s" : "",
			    pt_format_ns(pt_text_int(stalls, "ns")).s,
			    pt_format_ns(pt_text_int(stalls, "worst_ns")).s,
			    pt_format_ns(pt_text_int(stalls, "worst_start_ns")).s);
}

static int write_blocked(const struct pt_text *text, const json_t *trouble, bool writer)
{
	uint64_t longest = pt_text_int(trouble, "longest_ns");
	int ret;

	if (!longest)
		longest = pt_text_int(trouble, "stalls.worst_ns");
	ret = pt_text_line(text,
			   "  %s was blocked for %s %s the %s %s that %s did not %s (%s in all)%s",
			   name_of(pt_text_at(trouble, "who")).s, pt_format_ns(longest).s,
			   writer ? "writing to" : "reading from", pt_text_string(trouble, "kind"),
			   pt_text_string(trouble, "name"), name_of(pt_text_at(trouble, "other")).s,
			   writer ? "read" : "write to", pt_format_ns(pt_text_int(trouble, "ns")).s,
			   json_is_true(pt_text_at(trouble, "at_the_end")) ? ", and still is" : "");
	return ret ? ret : write_held_up(text, trouble);
}

static int write_slow(const struct pt_text *text, const json_t *trouble)
{
	return pt_text_line(text, "  %s read late what %s wrote to the %s %s: p99 %s, at most %s",
			    name_of(pt_text_at(trouble, "other")).s,
			    name_of(pt_text_at(trouble, "who")).s, pt_text_string(trouble, "kind"),
			    pt_text_string(trouble, "name"),
			    pt_format_ns(pt_text_int(trouble, "latency_ns.p99")).s,
			    pt_format_ns(pt_text_int(trouble, "latency_ns.max")).s);
}

static int write_trouble(const struct pt_text *text, const json_t *trouble)
{
	const char *what = pt_text_string(trouble, "what");
	const char *kind = pt_text_string(trouble, "kind"), *name = pt_text_string(trouble, "name");

	if (!strcmp(what, "writer-blocked"))
		return write_blocked(text, trouble, true);
	if (!strcmp(what, "reader-blocked"))
		return write_blocked(text, trouble, false);
	if (!strcmp(what, "slow"))
		return write_slow(text, trouble);
	if (!strcmp(what, "unread"))
		return pt_text_line(text, "  %s lay unread in the %s %s at the end, for %s",
				    pt_format_bytes(pt_text_int(trouble, "bytes")).s, kind, name,
				    pt_format_ns(pt_text_int(trouble, "ns")).s);
	return pt_text_line(text, "  the %s %s was full %s times for a writer that did not wait",
			    kind, name, pt_format_count(pt_text_int(trouble, "would_block")).s);
}

static int write_troubles(const struct pt_text *text)
{
	const json_t *list = pt_text_at(text->document, "ipc.trouble");
	size_t i, count = json_array_size(list);
	int ret = 0;

	for (i = 0; !ret && i < count && i < SHOWN_TROUBLE; i++)
		ret = write_trouble(text, json_array_get(list, i));
	if (!ret && count > i)
		ret = pt_text_line(text, "  and %zu more that were slow or backed up", count - i);
	return ret;
}

static int write_matrix_row(const struct pt_text *text, const json_t *row)
{
	const json_t *sums = pt_text_at(row, "bytes_to");
	char line[256] = "";
	size_t i, at = 0;

	for (i = 0; i < json_array_size(sums) && at < sizeof(line); i++) {
		json_int_t bytes = json_integer_value(json_array_get(sums, i));

		at += (size_t)snprintf(line + at, sizeof(line) - at, " %10s",
				       bytes ? pt_format_bytes((uint64_t)bytes).s : "-");
	}
	return pt_text_line(text, "  %16s %8" PRIu64 "%s", pt_text_string(row, "comm"),
			    pt_text_int(row, "pid"), line);
}

/* Bytes from each process (row) to each (column); there is none if they are many. */
static int write_matrix(const struct pt_text *text)
{
	const json_t *rows = pt_text_at(text->document, "ipc.matrix");
	char line[256] = "";
	size_t count = json_array_size(rows), i, at = 0;
	int ret;

	if (count < 2)
		return 0;
	for (i = 0; i < count && at < sizeof(line); i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, " %10" PRIu64,
				       pt_text_int(json_array_get(rows, i), "pid"));
	ret = pt_text_line(text, "  %16s %8s%s", "bytes from", "to", line);
	for (i = 0; !ret && i < count; i++)
		ret = write_matrix_row(text, json_array_get(rows, i));
	return ret;
}

/* Through what: one channel has a name, of several there is a count. */
static struct name through(const json_t *pair)
{
	const char *kind = pt_text_string(pair, "kind");
	uint64_t channels = pt_text_int(pair, "channels");
	struct name name;

	if (channels > 1)
		snprintf(name.s, sizeof(name.s), "%s, %s of them", kind,
			 pt_format_count(channels).s);
	else
		snprintf(name.s, sizeof(name.s), "%s %s", kind, pt_text_string(pair, "name"));
	return name;
}

static int write_pair(const struct pt_text *text, const json_t *pair)
{
	const json_t *latency = pt_text_at(pair, "latency_ns");
	bool timed = json_is_object(latency);
	uint64_t bytes = pt_text_int(pair, "bytes");

	return pt_text_line(text, "%10s %10s %9s %9s %9s%s %s -> %s  %s",
			    bytes ? pt_format_bytes(bytes).s : "-",
			    pt_format_count(pt_text_int(pair, "messages")).s,
			    timed ? pt_format_ns(pt_text_int(latency, "p50")).s : "-",
			    timed ? pt_format_ns(pt_text_int(latency, "p99")).s : "-",
			    timed ? pt_format_ns(pt_text_int(latency, "max")).s : "-",
			    json_is_true(pt_text_at(pair, "uncertain")) ? "?" : " ",
			    name_of(pt_text_at(pair, "from")).s, name_of(pt_text_at(pair, "to")).s,
			    through(pair).s);
}

static int write_model(const struct pt_text *text, const char *words, const json_t *sum)
{
	uint64_t messages = pt_text_int(sum, "messages"), wakeups = pt_text_int(sum, "wakeups");
	uint64_t futexes = pt_text_int(sum, "futex_wakeups");
	char of_them[64] = "", beside[80] = "";

	if (!messages && !futexes)
		return 0;
	if (wakeups)
		snprintf(of_them, sizeof(of_them), ", %s of them wake-ups through eventfds",
			 pt_format_count(wakeups).s);
	if (futexes)
		snprintf(beside, sizeof(beside), "; %s wake-ups through futexes",
			 pt_format_count(futexes).s);
	return pt_text_line(text, "  between %s: %s messages, %s%s%s", words,
			    pt_format_count(messages).s,
			    pt_format_bytes(pt_text_int(sum, "bytes")).s, of_them, beside);
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

	for (i = 0; !ret && i < PT_ARRAY_SIZE(models); i++)
		ret = write_model(text, models[i].words,
				  json_object_get(pt_text_at(text->document, "ipc.models"),
						  models[i].key));
	return ret;
}

static int write_segment(const struct pt_text *text, const json_t *channel)
{
	const json_t *list = pt_text_at(channel, "mapped_by");
	size_t count = json_array_size(list), i;
	char who[160] = "";
	int at = 0;

	for (i = 0; i < count && i < SHOWN_MAPPERS; i++) {
		const json_t *process = json_array_get(list, i);

		at += snprintf(who + at, sizeof(who) - (size_t)at, "%s%.15s %" PRIu64,
			       i ? ", " : "", pt_text_string(process, "comm"),
			       pt_text_int(process, "pid"));
	}
	if (count > i)
		snprintf(who + at, sizeof(who) - (size_t)at, " and %zu more", count - i);
	return pt_text_line(text, "  %s of shared memory, %s, are mapped by %s",
			    pt_format_bytes(pt_text_int(channel, "mapped_bytes")).s,
			    pt_text_string(channel, "name"), who);
}

/* What is written there is not seen, so it has no place among the flows. */
static int write_segments(const struct pt_text *text)
{
	const json_t *channels = pt_text_at(text->document, "ipc.channels");
	size_t i, shown = 0;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(channels) && shown < SHOWN_SEGMENTS; i++) {
		const json_t *channel = json_array_get(channels, i);

		if (strcmp(pt_text_string(channel, "kind"), "shared-memory") != 0)
			continue;
		ret = write_segment(text, channel);
		shown++;
	}
	return ret;
}

static int write_ring(const struct pt_text *text, const json_t *user)
{
	uint64_t told = pt_text_int(user, "transfers"),
		 untold = pt_text_int(user, "not_attributed");
	struct name name = name_of(user);

	if (!json_is_true(json_object_get(user, "seen")))
		return pt_text_line(text, "  %s uses io_uring: what it moves that way is not seen",
				    name.s);
	if (!untold)
		return pt_text_line(text, "  %s uses io_uring: %s transfers went that way", name.s,
				    pt_format_count(told).s);
	return pt_text_line(text,
			    "  %s uses io_uring: %s transfers went that way, and of %s requests "
			    "it is not known what they moved",
			    name.s, pt_format_count(told).s, pt_format_count(untold).s);
}

/* "2 unix, 1 pipe" */
static struct name kinds_of(const json_t *passed)
{
	struct name name = {""};
	const char *kind;
	json_t *count;
	size_t at = 0;

	json_object_foreach ((json_t *)passed, kind, count) {
		if (at >= sizeof(name.s))
			break;
		at += (size_t)snprintf(name.s + at, sizeof(name.s) - at, "%s%s %s", at ? ", " : "",
				       pt_format_count((uint64_t)json_integer_value(count)).s,
				       kind);
	}
	return name;
}

/* Where descriptors went along, what they stood for. */
static int write_passed(const struct pt_text *text)
{
	const json_t *channels = pt_text_at(text->document, "ipc.channels");
	size_t i, shown = 0;
	int ret = 0;

	for (i = 0; !ret && i < json_array_size(channels) && shown < SHOWN_PASSED; i++) {
		const json_t *channel = json_array_get(channels, i);
		const json_t *passed = json_object_get(channel, "passed");

		if (!json_object_size(passed))
			continue;
		ret = pt_text_line(text, "  descriptors went through the %s %s: %s",
				   pt_text_string(channel, "kind"), pt_text_string(channel, "name"),
				   kinds_of(passed).s);
		shown++;
	}
	return ret;
}

static int write_rings(const struct pt_text *text)
{
	const json_t *list = pt_text_at(text->document, "ipc.io_uring");
	size_t count = json_array_size(list), i;
	int ret = 0;

	for (i = 0; !ret && i < count && i < SHOWN_RINGS; i++)
		ret = write_ring(text, json_array_get(list, i));
	if (!ret && count > i)
		ret = pt_text_line(text, "  and so do %zu more", count - i);
	return ret;
}

static int write_compat(const struct pt_text *text)
{
	const json_t *list = pt_text_at(text->document, "ipc.compat");
	size_t count = json_array_size(list), i;
	int ret = 0;

	for (i = 0; !ret && i < count && i < SHOWN_RINGS; i++)
		ret = pt_text_line(text,
				   "  %s makes 32-bit system calls: what these move is not seen",
				   name_of(json_array_get(list, i)).s);
	if (!ret && count > i)
		ret = pt_text_line(text, "  and so do %zu more", count - i);
	return ret;
}

int pt_text_ipc(const struct pt_text *text)
{
	const json_t *pairs = pt_text_at(text->document, "ipc.pairs");
	size_t count = json_array_size(pairs), i;
	uint64_t lost = pt_text_int(text->document, "ipc.lost_records");
	int ret;

	if (!count && !json_array_size(pt_text_at(text->document, "ipc.channels")) &&
	    !json_array_size(pt_text_at(text->document, "ipc.io_uring")) &&
	    !json_array_size(pt_text_at(text->document, "ipc.compat")))
		return 0;
	pt_text_heading(text, "Who talks to whom");
	ret = write_rings(text);
	if (!ret)
		ret = write_compat(text);
	if (!ret)
		ret = write_troubles(text);
	if (!ret)
		ret = write_models(text);
	if (!ret)
		ret = write_matrix(text);
	if (!ret)
		ret = pt_text_line(text, "%10s %10s %9s %9s %9s  %s", "bytes", "messages", "p50",
				   "p99", "max", "flow: how long a message lay there");
	for (i = 0; !ret && i < count && i < SHOWN_PAIRS; i++)
		ret = write_pair(text, json_array_get(pairs, i));
	if (!ret && count > i)
		ret = pt_text_line(text, "  and %zu smaller ones", count - i);
	if (!ret)
		ret = write_passed(text);
	if (!ret)
		ret = write_segments(text);
	if (!ret && lost)
		ret = pt_text_line(text, "  %s records of channels were lost: figures are too low",
				   pt_format_count(lost).s);
	return ret;
}
