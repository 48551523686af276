/* SPDX-License-Identifier: BSD-2-Clause */
/* Who served a listening socket, and how much of it. */
#include <inttypes.h>

#include "view/text_part.h"

#define SHOWN_WORKERS 32

static struct pt_figure utilization_of(const json_t *worker)
{
	const json_t *value = pt_text_at(worker, "utilization");
	struct pt_figure none = {"-"};

	return json_is_real(value)
		       ? pt_format_percent((uint64_t)(json_real_value(value) * 1e6), 1000000)
		       : none;
}

static int write_worker(const struct pt_text *text, const json_t *worker)
{
	return pt_text_line(text, "  %10s %11s %10s %10s %10s %8s %10s  %s %" PRIu64,
			    pt_format_count(pt_text_int(worker, "accepted")).s,
			    pt_format_count(pt_text_int(worker, "handed_over")).s,
			    pt_format_bytes(pt_text_int(worker, "received_bytes")).s,
			    pt_format_bytes(pt_text_int(worker, "sent_bytes")).s,
			    pt_format_ns(pt_text_int(worker, "cpu_ns")).s, utilization_of(worker).s,
			    pt_format_ns(pt_text_int(worker, "delay_p99_ns")).s,
			    pt_text_string(worker, "comm"), pt_text_int(worker, "pid"));
}

static int write_hand_overs(const struct pt_text *text, const json_t *worker)
{
	uint64_t out = pt_text_int(worker, "handed_out");

	if (!out)
		return 0;
	return pt_text_line(text, "  %s %" PRIu64 " handed out %s connections, %s with each",
			    pt_text_string(worker, "comm"), pt_text_int(worker, "pid"),
			    pt_format_count(out).s,
			    pt_format_bytes(pt_text_int(worker, "handed_out_bytes") / out).s);
}

static int write_port(const struct pt_text *text, const json_t *port)
{
	const json_t *workers = pt_text_at(port, "workers");
	size_t i;
	int ret = pt_text_line(text, "%s %s%.0" PRIu64 ": %s",
			       json_is_integer(pt_text_at(port, "port")) ? "Port" : "Socket",
			       pt_text_string(port, "name"), pt_text_int(port, "port"),
			       pt_text_string(port, "mode"));

	if (!ret)
		ret = pt_text_line(text, "  %10s %11s %10s %10s %10s %8s %10s  %s", "accepted",
				   "handed over", "received", "sent", "CPU", "busy %", "delay p99",
				   "by");
	for (i = 0; !ret && i < json_array_size(workers) && i < SHOWN_WORKERS; i++)
		ret = write_worker(text, json_array_get(workers, i));
	for (i = 0; !ret && i < json_array_size(workers); i++)
		ret = write_hand_overs(text, json_array_get(workers, i));
	return ret;
}

int pt_text_balance(const struct pt_text *text)
{
	const json_t *ports = pt_text_at(text->document, "balance");
	size_t i;
	int ret = 0;

	if (!json_array_size(ports))
		return 0;
	pt_text_heading(text, "Who served which socket");
	for (i = 0; !ret && i < json_array_size(ports); i++)
		ret = write_port(text, json_array_get(ports, i));
	return ret;
}
