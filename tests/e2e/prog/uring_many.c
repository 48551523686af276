/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uring_many [attach]: requests that complete many times, silently, or where there is no room for that. One line for each end,
 * as ipcall does; at last what=ring with how many completions were of transfers, and how many cannot be attributed. With
 * `attach` all requests are under way when it says "ready" and waits for a line of input.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ring.h"
#include "sides.h"

#define GROUP	7
#define BUFFERS 16
#define SIZE	2048

/* Newer than the oldest headers that this is built with. */
#define OP_SEND_ZC	  47
#define OP_READ_MULTISHOT 49

enum name { PROVIDE = 1, ACCEPT, STREAM, MESSAGES, PIPE, ONCE };

static struct ring ring;
static char buffers[BUFFERS][SIZE], buffer[SIZE];
static long told, untold;

static void provide(void *at, unsigned int count, unsigned int first)
{
	struct io_uring_sqe entry = {.opcode = IORING_OP_PROVIDE_BUFFERS,
				     .fd = (int)count,
				     .addr = (uintptr_t)at,
				     .len = SIZE,
				     .off = first,
				     .buf_group = GROUP,
				     .user_data = PROVIDE};

	ring_queue(&ring, &entry);
	ring_enter(&ring, 0);
}

/* The next completion of that name; those of PROVIDE are passed over, and the buffer of this one is given back. */
static int next(enum name name)
{
	struct io_uring_cqe done;

	do
		done = ring_wait(&ring);
	while (done.user_data == PROVIDE);
	must(done.user_data == name);
	if (done.flags & IORING_CQE_F_BUFFER) {
		unsigned int number = done.flags >> IORING_CQE_BUFFER_SHIFT;

		provide(buffers[number], 1, number);
	}
	return done.res;
}

static void start(enum name name, uint8_t opcode, int fd, uint16_t how,
		  const struct msghdr *message)
{
	struct io_uring_sqe entry = {.opcode = opcode,
				     .fd = fd,
				     .ioprio = how,
				     .addr = (uintptr_t)message,
				     .len = message ? 1 : 0,
				     .user_data = name};

	if (opcode != IORING_OP_ACCEPT) {
		entry.flags = IOSQE_BUFFER_SELECT;
		entry.buf_group = GROUP;
	}
	if (opcode == OP_READ_MULTISHOT)
		entry.off = (uint64_t)-1;
	ring_queue(&ring, &entry);
	ring_enter(&ring, 0);
}

static struct side stream[2], messages[2], piped;
static int listener, stream_fds[2], message_fds[2], pipe_fds[2];
static struct sockaddr_in address = {.sin_family = AF_INET};
static struct msghdr header = {.msg_namelen = 40, .msg_controllen = 24};
static bool reads_pipe;

static void start_all(void)
{
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	must(!bind(listener, (void *)&address, length) && !listen(listener, 8));
	must(!getsockname(listener, (void *)&address, &length));
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, stream_fds));
	must(!socketpair(AF_UNIX, SOCK_DGRAM, 0, message_fds));
	must(!pipe(pipe_fds));
	provide(buffers, BUFFERS, 0);
	start(ACCEPT, IORING_OP_ACCEPT, listener, IORING_ACCEPT_MULTISHOT, NULL);
	start(STREAM, IORING_OP_RECV, stream_fds[1], IORING_RECV_MULTISHOT, NULL);
	start(MESSAGES, IORING_OP_RECVMSG, message_fds[1], IORING_RECV_MULTISHOT, &header);
	reads_pipe = true;
	start(PIPE, OP_READ_MULTISHOT, pipe_fds[0], 0, NULL);
	for (struct io_uring_cqe done; ring_take(&ring, &done);) {
		must(done.user_data == PROVIDE || done.user_data == PIPE);
		if (done.user_data == PIPE)
			reads_pipe = false;
	}
}

static void accept_many(void)
{
	for (int i = 0; i < 4; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), server;
		struct side a = {0}, b = {0};

		must(!connect(client, (void *)&address, sizeof(address)));
		server = next(ACCEPT);
		must(server >= 0);
		note(&a, send(client, buffer, 100 + (size_t)i, 0), true);
		note(&b, recv(server, buffer, SIZE, 0), false);
		tell("client", inode_of(client), &a);
		tell("server", inode_of(server), &b);
		close(client);
		close(server);
		told++;
	}
	truth("what=port port=%d pid=%d\n", ntohs(address.sin_port), getpid());
}

static void receive_many(void)
{
	for (int i = 1; i <= 50; i++) {
		note(&stream[0], write(stream_fds[0], buffer, (size_t)i), true);
		note(&stream[1], next(STREAM), false);
		note(&messages[0], send(message_fds[0], buffer, 3 * (size_t)i, 0), true);
		note(&messages[1],
		     next(MESSAGES) - (int)sizeof(struct io_uring_recvmsg_out) - 40 - 24, false);
		told += 2;
		note(&piped, write(pipe_fds[1], buffer, 7 * (size_t)i), true);
		if (reads_pipe) {
			note(&piped, next(PIPE), false);
			told++;
		} else {
			note(&piped, read(pipe_fds[0], buffer, SIZE), false);
		}
	}
	shutdown(stream_fds[0], SHUT_WR);
	note(&stream[1], next(STREAM), false); /* the end of it, and the last completion */
	told++;
	must(stream[1].empty == 1);
	tell("stream-a", inode_of(stream_fds[0]), &stream[0]);
	tell("stream-b", inode_of(stream_fds[1]), &stream[1]);
	tell("dgram-a", inode_of(message_fds[0]), &messages[0]);
	tell("dgram-b", inode_of(message_fds[1]), &messages[1]);
	tell("pipe", inode_of(pipe_fds[0]), &piped);
}

static void once(uint8_t opcode, int fd, size_t length, uint8_t flags)
{
	struct io_uring_sqe entry = {.opcode = opcode,
				     .flags = flags,
				     .fd = fd,
				     .addr = (uintptr_t)buffer,
				     .len = (uint32_t)length,
				     .user_data = ONCE};

	ring_queue(&ring, &entry);
	ring_enter(&ring, 0);
}

static void without_copies(void)
{
	int client = socket(AF_INET, SOCK_STREAM, 0), server;
	struct side a = {0}, b = {0};
	struct io_uring_cqe done;

	must(!connect(client, (void *)&address, sizeof(address)));
	server = next(ACCEPT);
	must(server >= 0);
	once(OP_SEND_ZC, client, 1500, 0);
	done = ring_wait(&ring);
	told++;
	if (done.flags & IORING_CQE_F_MORE) {
		told++;
		note(&a, done.res, true);
		note(&b, recv(server, buffer, 1500, MSG_WAITALL), false);
		ring_wait(&ring); /* the buffer may be used again */
	}
	tell("client", inode_of(client), &a);
	tell("server", inode_of(server), &b);
	close(client);
	close(server);
}

/* Of these nothing comes back, or not by the way that is watched. */
static void silent(void)
{
	int fds[2], file = memfd_create("x", 0);
	struct io_uring_cqe done;

	/* Else older kernels leave the writing to a worker, which may be late. */
	must(!pipe2(fds, O_NONBLOCK) && file >= 0);
	for (int i = 0; i < 5; i++)
		once(IORING_OP_WRITE, fds[1], 10, IOSQE_CQE_SKIP_SUCCESS);
	untold += 5;
	once(IORING_OP_WRITE, file, 10, IOSQE_CQE_SKIP_SUCCESS); /* no channel */
	for (unsigned int i = 0; i < ring.params.cq_entries + 3; i++)
		once(IORING_OP_WRITE, fds[1], 1, 0);
	told += ring.params.cq_entries;
	untold += 3;
	for (unsigned int i = 0; i < ring.params.cq_entries + 3; i++) {
		done = ring_wait(&ring);
		must(done.res == 1);
	}
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	int error = ring_open(&ring, 16, 0);

	if (error) {
		truth("what=ring error=%s\n", strerrorname_np(error));
		return 0;
	}
	start_all();
	if (argc > 1 && !strcmp(argv[1], "attach")) {
		must(write(STDOUT_FILENO, "ready\n", 6) == 6);
		must(read(STDIN_FILENO, buffer, 1) == 1);
	}
	accept_many();
	receive_many();
	without_copies();
	silent();
	truth("what=ring requests=%ld untold=%ld waiting=3 accepted=5 pid=%d\n", told, untold,
	      getpid());
	return 0;
}
