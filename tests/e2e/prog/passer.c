/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Passes descriptors of every kind through Unix sockets, in every way that there is, and counts them: those that it gave
 * to the kernel in messages that were sent, those that it got, and those that it got by a look at a message.
 */
#include <arpa/inet.h>
#include <linux/memfd.h>
#include <netinet/in.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "truth.h"

#define MANY 253

struct side {
	unsigned int sent, received, peeked;
};

union control {
	char space[CMSG_SPACE(MANY * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred)) + 4096];
	struct cmsghdr header;
};

static char text[64];

static unsigned long long inode_of(int fd)
{
	struct stat st;

	must(!fstat(fd, &st));
	return st.st_ino;
}

static void add(struct msghdr *message, int type, const void *data, size_t size)
{
	struct cmsghdr *header = (void *)((char *)message->msg_control + message->msg_controllen);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), data, size);
	message->msg_controllen += CMSG_SPACE(size);
}

static struct msghdr message_of(union control *control, struct iovec *part, size_t bytes)
{
	memset(control, 0, sizeof(*control));
	*part = (struct iovec){text, bytes};
	return (struct msghdr){.msg_iov = part, .msg_iovlen = 1, .msg_control = control->space};
}

/* Closes what came with a message, and says how many these were. */
static unsigned int got(struct msghdr *message)
{
	unsigned int count = 0;
	struct cmsghdr *header;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
		size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fds[MANY];

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(header), n * sizeof(int));
		for (size_t i = 0; i < n; i++)
			must(!close(fds[i]));
		count += (unsigned int)n;
	}
	return count;
}

static ssize_t receive(int fd, struct side *side, size_t room, int flags)
{
	union control control;
	struct iovec part;
	struct msghdr message = message_of(&control, &part, sizeof(text));
	ssize_t n;

	message.msg_controllen = room;
	n = recvmsg(fd, &message, flags);
	if (n < 0)
		return n;
	if (flags & MSG_PEEK)
		side->peeked += got(&message);
	else
		side->received += got(&message);
	return n;
}

static void send_some(int fd, struct side *side, const int *fds, size_t count)
{
	union control control;
	struct iovec part;
	struct msghdr message = message_of(&control, &part, 1);

	add(&message, SCM_RIGHTS, fds, count * sizeof(int));
	must(sendmsg(fd, &message, 0) == 1);
	side->sent += (unsigned int)count;
}

/* In several control messages, with others between and behind them. */
static void send_apart(int fd, struct side *side, const int *fds, unsigned int count)
{
	struct ucred self = {getpid(), getuid(), getgid()};
	union control control;
	struct iovec part;
	struct msghdr message = message_of(&control, &part, 2);

	add(&message, SCM_CREDENTIALS, &self, sizeof(self));
	for (unsigned int i = 0; i < count; i++)
		add(&message, SCM_RIGHTS, &fds[i], sizeof(int));
	must(sendmsg(fd, &message, 0) == 2);
	side->sent += count;
}

static void send_several(int fd, int to, struct side *a, struct side *b, const int *fds)
{
	static union control controls[3];
	struct mmsghdr messages[3] = {0};
	struct iovec parts[3];
	int n, got_messages = 0;

	for (unsigned int i = 0; i < 3; i++) {
		messages[i].msg_hdr = message_of(&controls[i], &parts[i], 3);
		add(&messages[i].msg_hdr, SCM_RIGHTS, fds, (i + 1) * sizeof(int));
	}
	must(sendmmsg(fd, messages, 3, 0) == 3);
	a->sent += 6;
	while (got_messages < 3) {
		for (unsigned int i = 0; i < 3; i++) {
			messages[i].msg_hdr = message_of(&controls[i], &parts[i], 3);
			messages[i].msg_hdr.msg_controllen = sizeof(controls[i]);
		}
		n = recvmmsg(to, messages, 3, 0, NULL);
		must(n > 0);
		for (int i = 0; i < n; i++)
			b->received += got(&messages[i].msg_hdr);
		got_messages += n;
	}
}

/* A message of nothing with a descriptor: a stream does not take it. */
static void send_empty(int fd, struct side *side, int type, int passed)
{
	union control control;
	struct iovec part;
	struct msghdr message = message_of(&control, &part, 0);

	add(&message, SCM_RIGHTS, &passed, sizeof(int));
	must(sendmsg(fd, &message, 0) == 0);
	side->sent += type != SOCK_STREAM;
}

static void send_failing(int fd, int passed)
{
	int bad[2] = {passed, -1};
	union control control;
	struct iovec part;
	struct msghdr message = message_of(&control, &part, 1);

	add(&message, SCM_RIGHTS, bad, sizeof(bad));
	must(sendmsg(fd, &message, 0) < 0 && errno == EBADF);
}

static void sockets(const char *what, int type, const int *all, unsigned int kinds)
{
	struct side a = {0}, b = {0};
	int fds[2], many[MANY], one = 1;

	must(!socketpair(AF_UNIX, type, 0, fds));
	for (unsigned int i = 0; i < MANY; i++)
		many[i] = all[i % kinds];
	send_some(fds[0], &a, all, kinds);
	receive(fds[1], &b, sizeof(union control), 0);
	send_some(fds[0], &a, many, MANY);
	receive(fds[1], &b, sizeof(union control), MSG_PEEK);
	receive(fds[1], &b, sizeof(union control), 0);
	send_some(fds[0], &a, many, 100);
	receive(fds[1], &b, CMSG_SPACE(40 * sizeof(int)), MSG_CMSG_CLOEXEC);
	send_some(fds[0], &a, many, 5);
	receive(fds[1], &b, 0, 0);
	send_some(fds[0], &a, many, 5);
	must(read(fds[1], text, sizeof(text)) == 1);
	must(!setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	send_apart(fds[0], &a, all, kinds);
	receive(fds[1], &b, sizeof(union control), 0);
	send_several(fds[0], fds[1], &a, &b, all);
	send_empty(fds[0], &a, type, all[0]);
	if (type != SOCK_STREAM)
		receive(fds[1], &b, sizeof(union control), 0);
	send_failing(fds[0], all[0]);
	receive(fds[1], &b, sizeof(union control), MSG_DONTWAIT);
	truth("what=%s-a inode=%llu sent=%u received=%u peeked=%u\n", what, inode_of(fds[0]),
	      a.sent, a.received, a.peeked);
	truth("what=%s-b inode=%llu sent=%u received=%u peeked=%u\n", what, inode_of(fds[1]),
	      b.sent, b.received, b.peeked);
	close(fds[0]);
	close(fds[1]);
}

static int listener(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(!bind(fd, (void *)&address, length) && !listen(fd, 8));
	must(!getsockname(fd, (void *)&address, &length));
	truth("what=listener inode=%llu port=%d\n", inode_of(fd), ntohs(address.sin_port));
	return fd;
}

int main(void)
{
	static const char *const names[] = {"pipe",	 "pipe",     "eventfd", "tcp",
					    "udp",	 "unix",     "file",	"memfd",
					    "directory", "device",   "tty",	"epoll",
					    "timerfd",	 "signalfd", "inotify", "pidfd"};
	enum { KINDS = sizeof(names) / sizeof(*names) };
	int fds[KINDS], n = 0, slave;
	sigset_t none;

	sigemptyset(&none);
	must(!pipe(fds));
	n = 2;
	fds[n++] = eventfd(0, 0);
	fds[n++] = listener();
	fds[n++] = socket(AF_INET, SOCK_DGRAM, 0);
	fds[n++] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[n++] = open("/proc/self/exe", O_RDONLY);
	fds[n++] = (int)syscall(SYS_memfd_create, "passed", 0);
	fds[n++] = open("/", O_RDONLY | O_DIRECTORY);
	fds[n++] = open("/dev/null", O_RDWR);
	must(!openpty(&fds[n++], &slave, NULL, NULL, NULL));
	fds[n++] = epoll_create1(0);
	fds[n++] = timerfd_create(CLOCK_MONOTONIC, 0);
	fds[n++] = signalfd(-1, &none, 0);
	fds[n++] = inotify_init1(0);
	fds[n++] = (int)syscall(SYS_pidfd_open, getpid(), 0);
	must(n == KINDS);
	for (n = 0; n < KINDS; n++) {
		must(fds[n] >= 0);
		truth("what=kind kind=%s inode=%llu\n", names[n], inode_of(fds[n]));
	}
	sockets("stream", SOCK_STREAM, fds, KINDS);
	sockets("seqpacket", SOCK_SEQPACKET, fds, KINDS);
	sockets("dgram", SOCK_DGRAM, fds, KINDS);
	return 0;
}
