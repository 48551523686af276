/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/peers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/array.h"
#include "base/parse.h"
#include "capture/peers_inet.h"
#include "capture/peers_proc.h"
#include "capture/peers_talk.h"

#define PENDING_LIMIT 4096	/* ends of one look; further ones are not looked up */
#define HOLDER_LIMIT  4096	/* records of one look */
#define LOOK_NS	      100000000 /* at most, for one look */
#define REST	      100	/* times as long as the last look took is there none */

struct pt_peers {
	uint64_t *pending; /* ends */
	size_t count, room;
	bool has_fifos; /* some of these are FIFOs */
	struct pt_inet_peers inet;
	struct pt_talk_peers talks;
	uint64_t next; /* CLOCK_MONOTONIC ns: not before */
};

/* A look under way. */
struct look {
	struct pt_peers *peers;
	pt_probes_sink sink;
	void *context;
	uint64_t now;
	size_t found;
};

int pt_peers_new(struct pt_peers **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static int add_pending(struct pt_peers *peers, uint64_t end)
{
	uint64_t *grown;

	if (!end || peers->count == PENDING_LIMIT)
		return 0;
	grown = pt_array_grow(peers->pending, peers->count, &peers->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	peers->pending = grown;
	grown[peers->count++] = end;
	return 0;
}

int pt_peers_note(struct pt_peers *peers, const struct pt_record *record)
{
	const struct pt_endpoint *row = record->row;
	int ret = pt_talks_note(&peers->talks, record);

	if (ret)
		return ret;
	if (record->kind == PT_KIND_endpoint && row->kind == PT_CHANNEL_TCP &&
	    row->flags & PT_ENDPOINT_LOOPBACK)
		pt_inet_note(&peers->inet, row);
	/* Nobody else can have what was made just now; if it is passed on, that is on record. */
	if (record->kind != PT_KIND_endpoint || row->flags & PT_ENDPOINT_CREATED ||
	    (row->kind != PT_CHANNEL_PIPE && row->kind != PT_CHANNEL_FIFO &&
	     row->kind != PT_CHANNEL_UNIX))
		return 0;
	peers->has_fifos |= row->kind == PT_CHANNEL_FIFO;
	ret = add_pending(peers, row->end);
	return ret ? ret : add_pending(peers, row->peer);
}

static int compare_ends(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The FIFO that is open there, 0: it is something else. The link leads to the open file itself. */
static uint64_t fifo_at(int folder, const char *name)
{
	uint64_t inode;
	uint32_t device;

	return pt_file_of_type(folder, name, S_IFIFO, &inode, &device)
		       ? PT_ENDPOINT_OF_FILE(PT_CLASS_FIFO, device, inode)
		       : 0;
}

/* The end that a link below /proc/PID/fd stands for, 0: none that we look for. */
static uint64_t end_of_link(const struct pt_peers *peers, int folder, const char *name,
			    const char *link)
{
	uint64_t number, end = 0;

	if (pt_parse_literal(&link, "pipe:[") && pt_parse_number(&link, 10, &number))
		end = PT_ENDPOINT_OF(PT_CLASS_PIPE, number);
	else if (pt_parse_literal(&link, "socket:[") && pt_parse_number(&link, 10, &number))
		end = PT_ENDPOINT_OF(PT_CLASS_SOCKET, number);
	else if (link[0] == '/' && peers->has_fifos)
		end = fifo_at(folder, name);
	return end && bsearch(&end, peers->pending, peers->count, sizeof(end), compare_ends) ? end
											     : 0;
}

static void read_comm(const char *pid, struct pt_comm *comm)
{
	char path[64], text[PT_COMM_LEN + 1];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text));
		close(fd);
	}
	memset(comm, 0, sizeof(*comm));
	if (n > 1)
		memcpy(comm->s, text, (size_t)n - 1 < PT_COMM_LEN ? (size_t)n - 1 : PT_COMM_LEN);
}

static int tell(struct look *look, const char *pid, int folder, const char *name, uint64_t end)
{
	struct pt_holder row = {
		.time = look->now, .end = end, .pid = (uint32_t)strtoul(pid, NULL, 10)};
	struct pt_record record = {.kind = PT_KIND_holder, .row = &row};
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	row.flags = (st.st_mode & S_IRUSR ? PT_HOLDER_READS : 0) |
		    (st.st_mode & S_IWUSR ? PT_HOLDER_WRITES : 0);
	read_comm(pid, &row.comm);
	look->found++;
	return look->sink(look->context, &record);
}

/* A process that is gone meanwhile, or whose descriptors we may not see, holds nothing as far as we know. */
static int look_at(struct look *look, const char *pid)
{
	char path[64], link[64];
	struct dirent *entry;
	int ret = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	folder = opendir(path);
	if (!folder)
		return 0;
	while (!ret && look->found < HOLDER_LIMIT && (entry = readdir(folder))) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
		uint64_t end;

		if (n <= 0)
			continue;
		link[n] = '\0';
		end = end_of_link(look->peers, dirfd(folder), entry->d_name, link);
		if (end)
			ret = tell(look, pid, dirfd(folder), entry->d_name, end);
	}
	closedir(folder);
	return ret;
}

/* Tells which socket is at the other side; who has it open is told a moment later. */
static int tell_opposite(void *context, uint64_t opposite, uint64_t end)
{
	struct look *look = context;
	struct pt_opposite row = {.time = look->now - 1, .end = end, .opposite = opposite};
	int ret = look->sink(look->context,
			     &(struct pt_record){.kind = PT_KIND_opposite, .row = &row});

	return ret ? ret : add_pending(look->peers, opposite);
}

/* Of all processes but ourselves. */
static int look_at_all(struct look *look)
{
	unsigned long own = (unsigned long)getpid();
	struct dirent *entry;
	DIR *folder = opendir("/proc");
	int ret = 0;

	if (!folder)
		return 0;
	while (!ret && (entry = readdir(folder)) &&
	       pt_clock_read(CLOCK_MONOTONIC) - look->now < LOOK_NS) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    strtoul(entry->d_name, NULL, 10) != own)
			ret = look_at(look, entry->d_name);
	}
	closedir(folder);
	return ret;
}

int pt_peers_look(struct pt_peers *peers, bool last, pt_probes_sink sink, void *context)
{
	struct look look = {.peers = peers,
			    .sink = sink,
			    .context = context,
			    .now = pt_clock_read(CLOCK_MONOTONIC)};
	int ret;

	if (!peers->count && !peers->inet.count && !peers->talks.count &&
	    peers->talks.network_count)
		return 0;
	if (!last && look.now < peers->next)
		return 0;
	ret = pt_talks_look(&peers->talks, look.now + LOOK_NS / 2, sink, context, tell_opposite,
			    &look);
	if (!ret)
		ret = pt_inet_look(&peers->inet, look.now + LOOK_NS / 2, tell_opposite, &look);
	if (!ret && peers->count) {
		qsort(peers->pending, peers->count, sizeof(*peers->pending), compare_ends);
		ret = look_at_all(&look);
	}
	peers->count = 0;
	peers->has_fifos = false;
	peers->next =
		pt_clock_read(CLOCK_MONOTONIC) + (pt_clock_read(CLOCK_MONOTONIC) - look.now) * REST;
	return ret;
}

void pt_peers_free(struct pt_peers *peers)
{
	if (!peers)
		return;
	free(peers->pending);
	pt_talks_free(&peers->talks);
	free(peers);
}
