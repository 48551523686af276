/* SPDX-License-Identifier: BSD-2-Clause */
#include "view/turns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/loop.h"

struct pt_turns {
	FILE *out;
	const char *path;
	uint64_t summed; /* that are not told one by one */
};

static int on_turned(void *self, const struct pt_loop_turn *turn)
{
	struct pt_turns *turns = self;
	const struct pt_loop *loop = turn->loop;

	fprintf(turns->out,
		"{\"loop\": %" PRIu32 ", \"tid\": %" PRIu32 ", \"start_ns\": %" PRIu64
		", \"end_ns\": %" PRIu64 ", \"idle_ns\": %" PRIu64 "}\n",
		loop->index, loop->task->tid, turn->from, turn->to, turn->idle);
	return 0;
}

static int on_turned_many(void *self, const struct pt_loop *loop, uint64_t length, uint64_t count)
{
	struct pt_turns *turns = self;

	(void)loop;
	(void)length;
	turns->summed += count;
	return 0;
}

int pt_turns_open(struct pt_turns **out, const char *path, struct pt_model *model,
		  struct pt_error *err)
{
	struct pt_turns *turns = calloc(1, sizeof(*turns));
	int ret;

	if (!turns)
		return -ENOMEM;
	*out = turns;
	turns->path = path;
	turns->out = strcmp(path, "-") ? fopen(path, "we") : stdout;
	if (!turns->out) {
		ret = -errno;
		return pt_error_errno(err, ret, "%s", path);
	}
	return pt_model_observe(model, &(struct pt_observer){.self = turns,
							     .turned = on_turned,
							     .turned_many = on_turned_many});
}

static int close_file(struct pt_turns *turns)
{
	FILE *out = turns->out;
	bool failed;

	turns->out = NULL;
	if (!out)
		return 0;
	errno = 0;
	failed = ferror(out) || fflush(out);
	if (out != stdout)
		failed |= fclose(out) != 0;
	return !failed ? 0 : errno ? -errno : -EIO;
}

int pt_turns_close(struct pt_turns *turns, struct pt_error *err)
{
	int ret = close_file(turns);

	return ret && ret != -EPIPE ? pt_error_errno(err, ret, "%s", turns->path) : 0;
}

uint64_t pt_turns_summed(const struct pt_turns *turns)
{
	return turns->summed;
}

void pt_turns_free(struct pt_turns *turns)
{
	if (turns)
		close_file(turns);
	free(turns);
}
