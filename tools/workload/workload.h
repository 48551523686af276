/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three ways of running code in parallel, as small programs whose every byte, message and
 * stall is known. A crew is the main loop and its workers; a member is a worker seen from the
 * inside; a kind says what they do. Whether a worker is a thread or a process is known to crew.c
 * and to the link alone: kinds talk to the link and run in all models.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "link.h"
#include "seat.h"

#define MAX_WORKERS  256
#define HEARTBEAT_MS 10
#define NOT_A_MEMBER UINT32_MAX

/* What a member process finds open. */
#define MEMBER_LINK_FD	     3
#define MEMBER_LINK_WRITE_FD 4
#define MEMBER_SHARED_FD     5

enum model { MODEL_THREAD, MODEL_PROCESS, MODEL_CLUSTER };

struct kind;
struct crew;
struct worker;
struct member;

struct options {
	enum model model;
	const struct kind *kind;
	const char *mode;
	const char *via; /* what messages travel through: message, pipe, shared */
	uint32_t workers;
	uint32_t connections;
	uint32_t seed;
	uint32_t member;      /* the index of the worker that this process is, or NOT_A_MEMBER */
	uint64_t shared_size; /* of the block that a member process finds */
	uint64_t count;
	uint64_t size;
	uint64_t work; /* bytes of computation per request or unit */
	double seconds;
};

/* Messages from 0 to MSG_KIND belong to the crew, the rest to each kind. */
enum {
	MSG_HELLO,	/* member: I run. value: tid << 32 | pid */
	MSG_CONNECTION, /* crew: an accepted connection to greet on, with its fd */
	MSG_STOP,	/* crew: report and end */
	MSG_REPORT,	/* member: JSON of what I did, the last message */
	MSG_KIND,
};

/* What a workload does. A new kind is one file with one of these, and its line in options.c. */
struct kind {
	const char *name;
	const char *doc;
	const char *const *modes; /* NULL-terminated, the default first */
	const char *cluster_mode; /* the default of a cluster, where it is another */
	bool vias;		  /* --via means something */
	bool serves;		  /* its workers have a port without being greeted */
	uint32_t workers;
	uint64_t count, size, work;
	double seconds;
	bool hidden;	  /* started by another kind, not by the user */
	uint32_t helpers; /* further members, always processes, numbered after the workers */

	/* On the main loop. check: 0, or prints why the options do not fit and returns -EINVAL. */
	int (*check)(const struct options *opt);
	void (*prepare)(struct crew *crew); /* before the workers are created */
	void (*start)(struct crew *crew);   /* once all members said hello */
	void (*receive)(struct worker *worker, const struct msg *msg, int fd);
	bool (*lost)(struct worker *worker); /* died unasked; true: that was expected */
	void (*finish)(struct crew *crew);   /* all have ended: complete crew->result */
	void (*release)(struct crew *crew);  /* the loop is over: free crew->state */

	/* On each member's own loop. */
	void (*join)(struct member *member);
	void (*hear)(struct member *member, const struct msg *msg, int fd);
	void (*leave)(struct member *member); /* complete member->report, close own handles */
	void (*part)(struct member *member);  /* the loop is over: free what handles needed */
};

/* A member as the crew sees it. */
struct worker {
	struct crew *crew;
	struct member *member; /* threads only */
	struct link *link;
	uint32_t index;
	bool is_process;
	bool hello, reported, link_closed, exited;
	pid_t pid, tid;
	uint64_t created_ns, startup_ns;
	int64_t exit_code;
	int exit_signal;
	uint64_t report_bytes;
	uint64_t down_inodes[2], up_inodes[2]; /* processes: the writing end, and the reading one */
	uint64_t handed_over;
	json_t *report;
	uv_process_t process;
	uv_thread_t thread;
	void *state;
};

struct crew {
	const struct options *opt;
	const struct options *member_opt; /* what the members are told, mostly the same */
	struct seat seat;
	struct worker *workers;
	uint32_t members; /* workers and helpers */
	uint32_t present; /* have said hello */
	uint32_t ended;
	uint32_t greetings; /* cluster: connections handed over and not answered yet */
	bool stopping;
	void *shared;
	size_t shared_size;
	int shared_fd;
	uint64_t before_bytes; /* memory before the first worker */
	uint64_t rounds, units;
	uint32_t checksum;
	json_t *result; /* what the kind has to add */
	json_t *ports;
	uv_timer_t heartbeat;
	uint64_t beats, last_beat_ns, late_max_ns;
	void (*done)(struct crew *crew); /* all members have ended */
	void *owner;
	void *state;
};

struct member {
	const struct options *opt;
	uint32_t index;
	struct seat seat;
	uv_loop_t loop;
	struct link *link;
	void *shared;
	size_t shared_size;
	int link_fd, link_write_fd; /* -1 for a thread */
	bool stopped;
	uint64_t greeted;
	json_t *report;
	void *state;
};

extern const struct kind kind_cpu, kind_message, kind_http, kind_io, kind_memory, kind_crash,
	kind_crash_scene, kind_crash_worker;

/* crew.c */
void crew_open(struct crew *crew, const struct options *opt, uv_loop_t *loop);
void crew_share(struct crew *crew, size_t size);
void crew_assemble(struct crew *crew);
void crew_send(struct worker *worker, uint32_t type, uint64_t value, const void *data, size_t size);
bool crew_round_done(struct crew *crew, uint32_t checksum);
void crew_stop(struct crew *crew);
bool crew_is_helper(const struct worker *worker);

/* crew_json.c */
json_t *crew_json(struct crew *crew);
void crew_close(struct crew *crew);

/* cluster.c */
int cluster_listen(uint16_t *port);
void cluster_greet(struct crew *crew, void (*greeted)(struct crew *crew));
void cluster_answer(struct member *member, int fd);

/* member.c */
struct member *member_new(const struct options *opt, uint32_t index);
void member_run(struct member *member); /* frees the member */
int member_main(const struct options *opt);
void member_send(struct member *member, uint32_t type, uint64_t value, const void *data,
		 size_t size);

/* options.c */
int options_parse(struct options *opt, int argc, char **argv);
/* For the exec of a member; to be freed by options_argv_free. */
char **options_argv(const struct options *opt, uint32_t member, uint64_t shared_size);
void options_argv_free(char **argv);
const char *options_model(enum model model);
bool options_mode_is(const struct options *opt, const char *mode);
bool options_via_is(const struct options *opt, const char *via);
json_t *options_json(const struct options *opt);
const struct kind *kind_find(const char *name);
extern const struct kind *const kinds[];

#endif
