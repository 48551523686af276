/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * COUNT operations per worker through the thread pool of its loop, a few at a time: reads of
 * SIZE bytes from a file, and lookups. One pool serves all loops of a process, so threads share
 * one and processes do not. starve: jobs that compute fill the pool first, and a lookup has to
 * wait for them although no loop is busy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "workload.h"

#define IN_FLIGHT    8
#define LOOKUP_EVERY 16
#define FILE_BLOCKS  64 /* of SIZE bytes each */
#define STARVE_JOBS  12 /* three times the pool */

enum {
	MSG_GO = MSG_KIND,
	MSG_DONE, /* value: sum of the hashes of all that was read */
};

struct io;

struct slot {
	struct io *io;
	uint64_t started_ns;
	char *buffer;
	uv_fs_t fs;
	uv_getaddrinfo_t lookup;
	uv_work_t job;
	uint32_t number, hash;
};

struct io {
	struct member *member;
	int file;
	uint64_t next, finished;
	uint64_t reads, read_bytes, lookups, jobs, read_max_ns, lookup_max_ns;
	uint32_t checksum;
	struct slot slots[IN_FLIGHT];
};

struct gather {
	uint32_t checksum, finished;
};

static const char *const modes[] = {"mixed", "read", "lookup", "starve", NULL};

static void next_operation(struct slot *slot);

static bool is_starve(const struct member *member)
{
	return options_mode_is(member->opt, "starve");
}

static uint64_t operations(const struct member *member)
{
	return is_starve(member) ? STARVE_JOBS + 1 : member->opt->count;
}

static bool is_lookup(const struct member *member, uint64_t number)
{
	const struct options *opt = member->opt;

	if (is_starve(member))
		return number == STARVE_JOBS;
	return options_mode_is(opt, "lookup") ||
	       (options_mode_is(opt, "mixed") && number % LOOKUP_EVERY == 0);
}

static void done(struct slot *slot, uint32_t hash, uint64_t *max_ns)
{
	struct io *io = slot->io;
	uint64_t took_ns = uv_hrtime() - slot->started_ns;

	if (took_ns > *max_ns)
		*max_ns = took_ns;
	io->checksum += hash;
	if (++io->finished == operations(io->member))
		member_send(io->member, MSG_DONE, io->checksum, NULL, 0);
	else
		next_operation(slot);
}

static void on_read(uv_fs_t *fs)
{
	struct slot *slot = fs->data;
	struct io *io = slot->io;
	size_t size = must(fs->result, "read");

	uv_fs_req_cleanup(fs);
	io->reads++;
	io->read_bytes += size;
	done(slot, work_hash(slot->buffer, size), &io->read_max_ns);
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
	struct slot *slot = lookup->data;

	uv_freeaddrinfo(found);
	if (status)
		die("lookup: %s", uv_strerror(status));
	slot->io->lookups++;
	done(slot, 1, &slot->io->lookup_max_ns);
}

static void do_job(uv_work_t *job)
{
	struct slot *slot = job->data;
	const struct options *opt = slot->io->member->opt;

	slot->hash = work_compute(opt->seed + slot->number, opt->work);
}

static void on_job(uv_work_t *job, int status)
{
	struct slot *slot = job->data;
	uint64_t unused = 0;

	must(status, "job");
	slot->io->jobs++;
	done(slot, slot->hash, &unused);
}

static void start_read(struct slot *slot)
{
	struct io *io = slot->io;
	const struct options *opt = io->member->opt;
	uv_buf_t buffer = uv_buf_init(slot->buffer, opt->size);
	uint64_t block = work_compute(opt->seed + slot->number, 4) % FILE_BLOCKS;

	must(uv_fs_read(&io->member->loop, &slot->fs, io->file, &buffer, 1, block * opt->size,
			on_read),
	     "read");
}

/* "localhost" is looked up in files; no question leaves this machine. */
static void start_lookup(struct slot *slot)
{
	static const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

	must(uv_getaddrinfo(&slot->io->member->loop, &slot->lookup, on_lookup, "localhost", NULL,
			    &hints),
	     "lookup");
}

static void next_operation(struct slot *slot)
{
	struct io *io = slot->io;

	if (io->next == operations(io->member))
		return;
	slot->number = io->next++;
	slot->started_ns = uv_hrtime();
	if (is_lookup(io->member, slot->number))
		start_lookup(slot);
	else if (is_starve(io->member))
		must(uv_queue_work(&io->member->loop, &slot->job, do_job, on_job), "job");
	else
		start_read(slot);
}

/* Without a name from the start where the file system can; otherwise for an instant. */
static int open_unnamed(void)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!folder || !*folder)
		folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/partrace-XXXXXX", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		die("file in %s: %s", folder, strerror(errno));
	unlink(path);
	return fd;
}

static void make_file(struct io *io)
{
	const struct options *opt = io->member->opt;
	uint64_t start_ns = uv_hrtime();

	io->file = open_unnamed();
	for (uint32_t i = 0; i < FILE_BLOCKS; i++) {
		work_fill(opt->seed + i, io->slots[0].buffer, opt->size);
		for (size_t written = 0; written < opt->size;) {
			ssize_t n =
				write(io->file, io->slots[0].buffer + written, opt->size - written);

			if (n < 0)
				die("write: %s", strerror(errno));
			written += n;
		}
	}
	seat_stalled(&io->member->seat, start_ns, "write file");
}

static void join(struct member *member)
{
	struct io *io = xcalloc(1, sizeof(*io));

	member->state = io;
	io->member = member;
	io->file = -1;
	for (int i = 0; i < IN_FLIGHT; i++) {
		struct slot *slot = &io->slots[i];

		slot->io = io;
		slot->buffer = xcalloc(1, member->opt->size);
		slot->fs.data = slot->lookup.data = slot->job.data = slot;
	}
}

static void hear(struct member *member, const struct msg *msg, int fd)
{
	struct io *io = member->state;

	(void)msg;
	(void)fd;
	if (io->file < 0)
		make_file(io);
	io->next = io->finished = io->checksum = 0;
	for (int i = 0; i < IN_FLIGHT; i++)
		next_operation(&io->slots[i]);
}

static void leave(struct member *member)
{
	struct io *io = member->state;

	json_object_set_new(member->report, "io",
			    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "reads",
				      (json_int_t)io->reads, "read_bytes",
				      (json_int_t)io->read_bytes, "lookups",
				      (json_int_t)io->lookups, "jobs", (json_int_t)io->jobs,
				      "read_max_ns", (json_int_t)io->read_max_ns, "lookup_max_ns",
				      (json_int_t)io->lookup_max_ns));
	close(io->file);
	for (int i = 0; i < IN_FLIGHT; i++)
		free(io->slots[i].buffer);
	free(io);
}

static int check(const struct options *opt)
{
	if (opt->size > 16 << 20) {
		say("a read has at most 16 MiB");
		return -EINVAL;
	}
	return 0;
}

static void start(struct crew *crew)
{
	struct gather *gather = crew->state;

	if (!gather)
		gather = crew->state = xcalloc(1, sizeof(*gather));
	gather->checksum = gather->finished = 0;
	for (uint32_t i = 0; i < crew->opt->workers; i++)
		crew_send(&crew->workers[i], MSG_GO, 0, NULL, 0);
}

static void receive(struct worker *worker, const struct msg *msg, int fd)
{
	struct crew *crew = worker->crew;
	struct gather *gather = crew->state;

	(void)fd;
	gather->checksum += (uint32_t)msg->value;
	crew->units += options_mode_is(crew->opt, "starve") ? STARVE_JOBS + 1 : crew->opt->count;
	if (++gather->finished < crew->opt->workers)
		return;
	if (crew_round_done(crew, gather->checksum))
		crew_stop(crew);
	else
		start(crew);
}

static void release(struct crew *crew)
{
	free(crew->state);
}

const struct kind kind_io = {
	.name = "io",
	.doc = "COUNT reads of SIZE bytes and lookups per worker, through the loop's thread pool",
	.modes = modes,
	.workers = 2,
	.count = 20000,
	.size = 4096,
	.work = 64 << 20,
	.check = check,
	.start = start,
	.receive = receive,
	.join = join,
	.hear = hear,
	.leave = leave,
	.release = release,
};
