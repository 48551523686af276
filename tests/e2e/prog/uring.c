/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uring plain|async|sqpoll|defer|fixed: moves known amounts through channels by io_uring, mixed with system calls, and
 * counts what the completions said. One line for each end, as ipcall does, with its kind; at last what=ring with how many
 * requests on channels completed. A mode that the kernel does not have tells error= instead.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "ring.h"
#include "sides.h"

static struct ring ring;
static unsigned int entry_flags;
static bool fixed;
static long requests;
static char buffer[65536];

/* Registers a file where it may be; what stands for it in a request. */
static int32_t place_of(int fd)
{
	struct io_uring_files_update update = {.fds = (uintptr_t)&fd};

	if (!fixed)
		return fd;
	must(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES_UPDATE, &update, 1) ==
	     1);
	return 0;
}

static void queue(uint8_t opcode, int fd, const void *at, size_t length, uint32_t flags)
{
	struct io_uring_sqe entry = {
		.opcode = opcode,
		.flags = (uint8_t)(entry_flags | (fixed ? IOSQE_FIXED_FILE : 0)),
		.fd = place_of(fd),
		.off = opcode == IORING_OP_ACCEPT || opcode == IORING_OP_SEND ||
				       opcode == IORING_OP_RECV || opcode == IORING_OP_SENDMSG ||
				       opcode == IORING_OP_RECVMSG
			       ? 0
			       : (uint64_t)-1,
		.addr = (uintptr_t)at,
		.len = (uint32_t)length,
		.msg_flags = flags,
		.user_data = opcode,
	};

	ring_queue(&ring, &entry);
	ring_enter(&ring, 0);
	requests++;
}

/* The result of the next completion, as a system call would return it. */
static ssize_t result(void)
{
	struct io_uring_cqe done = ring_wait(&ring);

	if (done.res >= 0)
		return done.res;
	errno = -done.res;
	return -1;
}

static ssize_t ask(uint8_t opcode, int fd, const void *at, size_t length, uint32_t flags)
{
	queue(opcode, fd, at, length, flags);
	return result();
}

static void pipes(void)
{
	struct iovec parts[2] = {{buffer, 100}, {buffer + 100, 23}};
	struct side s = {0};
	int fds[2];

	must(!pipe(fds));
	queue(IORING_OP_READ, fds[0], buffer, 600, 0); /* waits for the write */
	note(&s, write(fds[1], buffer, 1000), true);
	note(&s, result(), false);
	note(&s, ask(IORING_OP_WRITEV, fds[1], parts, 2, 0), true);
	note(&s, ask(IORING_OP_WRITE, fds[1], buffer, 0, 0), true);
	note(&s, ask(IORING_OP_WRITE, fds[1], (void *)8, 5, 0), true); /* EFAULT */
	note(&s, ask(IORING_OP_READV, fds[0], parts, 2, 0), false);
	for (int i = 0; i < 1000; i++)
		note(&s, ask(IORING_OP_WRITE, fds[1], buffer, 10 + (size_t)(i & 7), 0), true);
	while (s.received < s.sent)
		note(&s, read(fds[0], buffer, 4000), false);
	close(fds[1]);
	note(&s, ask(IORING_OP_READ, fds[0], buffer, 10, 0), false);
	tell("pipe", inode_of(fds[0]), &s);
	close(fds[0]);
}

/* Never waits, whichever side comes first, but for a pipe that is full: what two processes move through one pipe. */
static void two_processes(void)
{
	int fds[2], left = 3000000;
	struct side s = {0};
	pid_t child;

	must(!pipe(fds));
	child = fork();
	must(child >= 0);
	if (!child) {
		struct side got = {0};

		close(fds[1]);
		do
			note(&got, read(fds[0], buffer, 50000), false);
		while (!got.empty);
		tell("far", inode_of(fds[0]), &got);
		_exit(0);
	}
	while (left > 0) {
		size_t size = left < 40000 ? (size_t)left : 40000;
		ssize_t n = ask(IORING_OP_WRITE, fds[1], buffer, size, 0);

		note(&s, n, true);
		must(n > 0);
		left -= (int)n;
	}
	tell("near", inode_of(fds[0]), &s);
	if (fixed)
		place_of(-1); /* the ring has the pipe open, too */
	close(fds[1]);
	must(waitpid(child, NULL, 0) == child);
	close(fds[0]);
}

static void sockets(const char *name, int type)
{
	struct iovec part = {buffer, 77};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct side a = {0}, b = {0};
	char label[32];
	int fds[2];

	must(!socketpair(AF_UNIX, type, 0, fds));
	note(&a, ask(IORING_OP_SEND, fds[0], buffer, 500, 0), true);
	must(ask(IORING_OP_RECV, fds[1], buffer, 100, MSG_PEEK) == 100);
	requests--;
	note(&b, ask(IORING_OP_RECV, fds[1], buffer, 500, 0), false);
	note(&b, ask(IORING_OP_RECV, fds[1], buffer, 500, MSG_DONTWAIT), false); /* EAGAIN */
	note(&b, ask(IORING_OP_SENDMSG, fds[1], &message, 1, 0), true);
	note(&a, recv(fds[0], buffer, 500, 0), false);
	note(&a, send(fds[0], buffer, 60, 0), true);
	note(&b, ask(IORING_OP_RECVMSG, fds[1], &message, 1, 0), false);
	note(&a, ask(IORING_OP_SEND, fds[0], buffer, 61, 0), true);
	note(&b, ask(IORING_OP_READ, fds[1], buffer, 100, 0), false);
	snprintf(label, sizeof(label), "%s-a", name);
	tell(label, inode_of(fds[0]), &a);
	snprintf(label, sizeof(label), "%s-b", name);
	tell(label, inode_of(fds[1]), &b);
	close(fds[0]);
	close(fds[1]);
}

static void tcp(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	struct side a = {0}, b = {0};
	int server, port;

	port = connect_to(listener, client);
	server = (int)ask(IORING_OP_ACCEPT, listener, NULL, 0, 0);
	must(server >= 0);
	for (int i = 1; i <= 500; i++) {
		note(&a, ask(IORING_OP_SEND, client, buffer, (size_t)i, 0), true);
		while (b.received < a.sent)
			note(&b, ask(IORING_OP_RECV, server, buffer, sizeof(buffer), 0), false);
		note(&b, write(server, buffer, 17), true);
		note(&a, ask(IORING_OP_RECV, client, buffer, 17, MSG_WAITALL), false);
	}
	tell("tcp-client", inode_of(client), &a);
	tell("tcp-server", inode_of(server), &b);
	truth("what=port port=%d pid=%d\n", port, getpid());
	close(client);
	close(server);
	close(listener);
}

static void eventfds(void)
{
	struct side s = {0};
	uint64_t value = 5;
	struct iovec part = {&value, 8};
	int fd = eventfd(0, 0);

	for (int i = 0; i < 3; i++)
		note(&s, ask(IORING_OP_WRITE, fd, &value, 8, 0), true);
	note(&s, ask(IORING_OP_READ, fd, &value, 8, 0), false);
	must(value == 15);
	note(&s, ask(IORING_OP_WRITEV, fd, &part, 1, 0), true);
	note(&s, read(fd, &value, 8), false);
	must(value == 15);
	tell("eventfd", 0, &s);
	close(fd);
}

static void splices(void)
{
	struct side a = {0}, b = {0};
	int one[2], two[2];
	struct io_uring_sqe entry = {.opcode = IORING_OP_SPLICE,
				     .flags = (uint8_t)entry_flags,
				     .off = (uint64_t)-1,
				     .splice_off_in = (uint64_t)-1};
	ssize_t n;

	must(!pipe(one) && !pipe(two));
	note(&a, write(one[1], buffer, 1500), true);
	entry.fd = two[1];
	entry.splice_fd_in = one[0];
	entry.len = 900;
	ring_queue(&ring, &entry);
	ring_enter(&ring, 0);
	n = result();
	note(&a, n, false);
	note(&b, n, true);
	entry.opcode = IORING_OP_TEE;
	entry.off = entry.splice_off_in = 0;
	entry.len = 300;
	ring_queue(&ring, &entry);
	ring_enter(&ring, 0);
	note(&b, result(), true);
	note(&a, read(one[0], buffer, 600), false);
	note(&b, read(two[0], buffer, 1200), false);
	requests += 2;
	tell("splice-from", inode_of(one[0]), &a);
	tell("splice-to", inode_of(two[0]), &b);
	for (int i = 0; i < 2; i++) {
		close(one[i]);
		close(two[i]);
	}
}

/* Two threads, one ring: each waits until all is done. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int shared_fd;
static struct side by_thread;

static void *share(void *argument)
{
	(void)argument;
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		note(&by_thread, ask(IORING_OP_WRITE, shared_fd, buffer, 11, 0), true);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t one;
	int fds[2];

	if (ring.params.flags & IORING_SETUP_SINGLE_ISSUER)
		return;
	must(!pipe(fds));
	shared_fd = fds[1];
	must(!pthread_create(&one, NULL, share, NULL));
	share(NULL);
	must(!pthread_join(one, NULL));
	note(&by_thread, read(fds[0], buffer, 4400), false);
	tell("shared", inode_of(fds[0]), &by_thread);
	close(fds[0]);
	close(fds[1]);
}

static unsigned int flags_of(const char *mode)
{
	if (!strcmp(mode, "async"))
		entry_flags = IOSQE_ASYNC;
	fixed = !strcmp(mode, "fixed");
	if (!strcmp(mode, "sqpoll"))
		return IORING_SETUP_SQPOLL;
	return !strcmp(mode, "defer") ? IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN : 0;
}

int main(int argc, char **argv)
{
	int error = ring_open(&ring, 16, flags_of(argc > 1 ? argv[1] : "")), none = -1;

	if (error) {
		truth("what=ring error=%s\n", strerrorname_np(error));
		return 0;
	}
	must(!fixed || !syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &none, 1));
	pipes();
	two_processes();
	sockets("stream", SOCK_STREAM);
	sockets("seqpacket", SOCK_SEQPACKET);
	sockets("dgram", SOCK_DGRAM);
	tcp();
	eventfds();
	splices();
	threads();
	truth("what=ring requests=%ld untold=0 waiting=0 accepted=1 pid=%d\n", requests, getpid());
	return 0;
}
