/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of the page: what was recorded, and whether it can be believed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/text_part.h"

/* So many intervals of loss and damages are listed. */
#define SHOWN 5

static int write_subject(const struct pt_text *text, const json_t *trace)
{
	const json_t *words = pt_text_at(trace, "command");
	char *command;
	int ret;

	if (!json_array_size(words))
		return pt_text_line(text, "%s: %s, %s", pt_text_string(trace, "file"),
				    pt_text_string(trace, "target"),
				    pt_format_ns(pt_text_int(trace, "duration_ns")).s);
	command = pt_text_command(words);
	if (!command)
		return -ENOMEM;
	ret = pt_text_line(text, "%s: %s, %s", pt_text_string(trace, "file"), command,
			   pt_format_ns(pt_text_int(trace, "duration_ns")).s);
	free(command);
	return ret;
}

static int write_where(const struct pt_text *text, const json_t *trace)
{
	const char *start = pt_text_string(trace, "start_time");
	int ret = pt_text_line(text, "  %.10s %.8s UTC on %s (Linux %s, %s, %" PRIu64 " CPUs)",
			       start, strlen(start) > 11 ? start + 11 : "",
			       pt_text_string(trace, "host"), pt_text_string(trace, "kernel"),
			       pt_text_string(trace, "arch"), pt_text_int(trace, "cpus"));

	if (ret)
		return ret;
	return pt_text_line(text, "  %s records in %s",
			    pt_format_count(pt_text_int(trace, "records_total")).s,
			    pt_format_bytes(pt_text_int(trace, "file_bytes")).s);
}

static int write_end(const struct pt_text *text, const json_t *trace)
{
	if (!json_is_true(pt_text_at(trace, "complete")))
		return pt_text_line(text,
				    "  INCOMPLETE: ends abruptly at %s, the recorder did not "
				    "finish the file",
				    pt_format_ns(pt_text_int(trace, "ends_at_ns")).s);
	return pt_text_line(text, "  complete; ended by: %s", pt_text_string(trace, "ended_by"));
}

static int write_damages(const struct pt_text *text, const json_t *damages)
{
	size_t i, n = json_array_size(damages);
	int ret = 0;

	for (i = 0; !ret && i < n && i < SHOWN; i++) {
		const json_t *one = json_array_get(damages, i);

		ret = pt_text_line(text, "  DAMAGED at byte %" PRIu64 ": %s",
				   pt_text_int(one, "offset"), pt_text_string(one, "reason"));
	}
	if (!ret && n > SHOWN)
		ret = pt_text_line(text, "  DAMAGED at %zu more places", n - SHOWN);
	return ret;
}

static int write_losses(const struct pt_text *text, const json_t *trace)
{
	json_t *lost = (json_t *)pt_text_at(trace, "lost"), *n;
	const json_t *intervals = pt_text_at(trace, "lost_intervals");
	size_t i, count = json_array_size(intervals);
	const char *kind;
	int ret = 0;

	if (!count)
		return pt_text_line(text, "  no records were lost");
	json_object_foreach (lost, kind, n) {
		ret = ret ? ret
			  : pt_text_line(text, "  LOST: %s %s records",
					 pt_format_count((uint64_t)json_integer_value(n)).s, kind);
	}
	for (i = 0; !ret && i < count && i < SHOWN; i++) {
		const json_t *one = json_array_get(intervals, i);

		ret = pt_text_line(text, "    %s of kind %s between %s and %s",
				   pt_format_count(pt_text_int(one, "count")).s,
				   pt_text_string(one, "kind"),
				   pt_format_ns(pt_text_int(one, "from_ns")).s,
				   pt_format_ns(pt_text_int(one, "to_ns")).s);
	}
	if (!ret && count > SHOWN)
		ret = pt_text_line(text, "    and in %zu more intervals", count - SHOWN);
	return ret;
}

static int write_counters(const struct pt_text *text, const json_t *trace)
{
	uint64_t checked = pt_text_int(trace, "counters.checked");
	uint64_t contradictions = pt_text_int(trace, "counters.contradictions");
	int ret;

	if (checked)
		ret = pt_text_line(text,
				   "  switch counts agree with the kernel's for %s of %s tasks",
				   pt_format_count(pt_text_int(trace, "counters.agree")).s,
				   pt_format_count(checked).s);
	else
		ret = pt_text_line(text, "  switch counts could not be compared with the kernel's");
	if (!ret && contradictions)
		ret = pt_text_line(text,
				   "  %s times a task was found elsewhere than it had been left: "
				   "the time between is unknown",
				   pt_format_count(contradictions).s);
	return ret;
}

static int write_cost(const struct pt_text *text, const json_t *trace)
{
	const json_t *recorder = pt_text_at(trace, "recorder");

	if (!json_is_integer(pt_text_at(recorder, "cpu_ns")))
		return pt_text_line(text, "  cost of recording: not known, since it broke off");
	return pt_text_line(text, "  cost of recording: %s CPU time, %s memory; probes: %s",
			    pt_format_ns(pt_text_int(recorder, "cpu_ns")).s,
			    pt_format_bytes(pt_text_int(recorder, "max_rss_bytes")).s,
			    json_is_integer(pt_text_at(recorder, "bpf_ns"))
				    ? pt_format_ns(pt_text_int(recorder, "bpf_ns")).s
				    : "not measured");
}

int pt_text_trace(const struct pt_text *text)
{
	static int (*const lines[])(const struct pt_text *text, const json_t *trace) = {
		write_subject, write_where, write_end, write_losses, write_counters, write_cost,
	};
	const json_t *trace = pt_text_at(text->document, "trace");
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < PT_ARRAY_SIZE(lines); i++)
		ret = lines[i](text, trace);
	return ret ? ret : write_damages(text, pt_text_at(trace, "damages"));
}
