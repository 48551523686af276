/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "workload.h"

static int crew_main(const struct options *opt)
{
	struct crew crew;
	uv_loop_t loop;
	json_t *out;
	int err = 0;

	name_task("wl-main");
	must(uv_loop_init(&loop), "loop");
	crew_open(&crew, opt, &loop);
	crew_assemble(&crew);
	uv_run(&loop, UV_RUN_DEFAULT);
	out = crew_json(&crew);
	if (!out || json_dumpf(out, stdout, JSON_INDENT(1)) || fputc('\n', stdout) == EOF ||
	    fflush(stdout)) {
		say("cannot write the result: %s", strerror(errno));
		err = -EIO;
	}
	json_decref(out);
	crew_close(&crew);
	must(uv_loop_close(&loop), "a loop that has handles left");
	return err;
}

int main(int argc, char **argv)
{
	struct options opt;
	int err;

	/* A peer that is gone is an error of the call, not of the program. */
	signal(SIGPIPE, SIG_IGN);
	err = options_parse(&opt, argc, argv);
	if (err)
		return 2;
	if (opt.member != NOT_A_MEMBER)
		return member_main(&opt);
	return crew_main(&opt) ? 1 : 0;
}
