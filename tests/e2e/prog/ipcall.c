/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves known amounts through channels by every call there is, and counts what the calls returned. One line for each
 * end: what, inode, and sent, received, messages, would-block, failed, empty and passed descriptors.
 */
#include <arpa/inet.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "sides.h"

static char buffer[65536];

static struct iovec *two_parts(size_t first, size_t second)
{
	static struct iovec parts[2];

	parts[0] = (struct iovec){buffer, first};
	parts[1] = (struct iovec){buffer + first, second};
	return parts;
}

static void plain_pipe(void)
{
	struct side s = {0};
	int fds[2];

	must(!pipe2(fds, O_NONBLOCK));
	note(&s, read(fds[0], buffer, 10), false); /* EAGAIN */
	note(&s, write(fds[1], buffer, 1000), true);
	note(&s, writev(fds[1], two_parts(100, 23), 2), true);
	note(&s, pwritev2(fds[1], two_parts(7, 8), 2, -1, 0), true);
	note(&s, write(fds[1], buffer, 0), true);
	note(&s, syscall(SYS_write, fds[1], 8L, 5L), true); /* EFAULT */
	note(&s, read(fds[0], buffer, 600), false);
	note(&s, readv(fds[0], two_parts(400, 100), 2), false);
	note(&s, preadv2(fds[0], two_parts(10, 10), 2, -1, 0), false);
	note(&s, read(fds[0], buffer, sizeof(buffer)), false);
	must(s.sent == 1138 && s.blocked == 1 && s.failed == 1);
	tell("pipe", inode_of(fds[0]), &s);
	close(fds[0]);
	close(fds[1]);
}

static void spliced_pipes(void)
{
	struct side a = {0}, b = {0};
	int one[2], two[2], file = memfd_create("x", 0);
	loff_t offset = 0;
	ssize_t n;

	must(!pipe(one) && !pipe(two) && file >= 0 && write(file, buffer, 5000) == 5000);
	note(&a, vmsplice(one[1], two_parts(300, 40), 2, 0), true);
	note(&b, tee(one[0], two[1], 200, 0), true);
	n = splice(one[0], NULL, two[1], NULL, 340, 0);
	note(&a, n, false);
	note(&b, n, true);
	note(&a, splice(file, &offset, one[1], NULL, 1234, 0), true);
	offset = 0;
	note(&a, sendfile(one[1], file, &offset, 777), true);
	note(&a, vmsplice(one[0], two_parts(1000, 1000), 2, 0), false);
	note(&b, splice(two[0], NULL, file, &offset, 540, 0), false);
	must(b.sent == 540 && a.received == 340 + 2000);
	tell("splice-from", inode_of(one[0]), &a);
	tell("splice-to", inode_of(two[0]), &b);
	close(one[0]);
	close(one[1]);
	close(two[0]);
	close(two[1]);
	close(file);
}

static void pass(int from, int to, struct side *sender, struct side *receiver)
{
	union {
		char space[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr header;
	} control = {0};
	struct msghdr message = {.msg_iov = two_parts(20, 13),
				 .msg_iovlen = 2,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[3] = {0, 1, 2};

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	note(sender, sendmsg(from, &message, 0), true);
	sender->fds += 3;
	note(receiver, recvmsg(to, &message, 0), false);
	receiver->fds += 3;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fds));
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void many(int from, int to, struct side *sender, struct side *receiver)
{
	struct mmsghdr out[3] = {0}, in[3] = {0};
	struct iovec parts[3];
	int n;

	for (int i = 0; i < 3; i++) {
		parts[i] = (struct iovec){buffer, 10 + (size_t)i};
		out[i].msg_hdr.msg_iov = in[i].msg_hdr.msg_iov = &parts[i];
		out[i].msg_hdr.msg_iovlen = in[i].msg_hdr.msg_iovlen = 1;
	}
	n = sendmmsg(from, out, 3, 0);
	must(n == 3);
	for (int i = 0; i < n; i++)
		note(sender, out[i].msg_len, true);
	n = recvmmsg(to, in, 3, 0, NULL);
	must(n >= 1);
	for (int i = 0; i < n; i++)
		note(receiver, in[i].msg_len, false);
}

static void sockets(const char *name, int type)
{
	struct side a = {0}, b = {0};
	char label[32];
	int fds[2];

	must(!socketpair(AF_UNIX, type, 0, fds));
	note(&a, send(fds[0], buffer, 500, 0), true);
	must(recv(fds[1], buffer, 100, MSG_PEEK) == 100);
	note(&b, recv(fds[1], buffer, 500, 0), false);
	note(&b, recv(fds[1], buffer, 500, MSG_DONTWAIT), false); /* EAGAIN */
	note(&b, write(fds[1], buffer, 321), true);
	note(&a, recvfrom(fds[0], buffer, 1000, 0, NULL, NULL), false);
	pass(fds[0], fds[1], &a, &b);
	many(fds[1], fds[0], &b, &a);
	snprintf(label, sizeof(label), "%s-a", name);
	tell(label, inode_of(fds[0]), &a);
	snprintf(label, sizeof(label), "%s-b", name);
	tell(label, inode_of(fds[1]), &b);
	close(fds[0]);
	close(fds[1]);
}

/* More transfers than the recorder's window tells one by one. */
static void tcp(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	struct side a = {0}, b = {0};
	int server, port;

	port = connect_to(listener, client);
	server = accept(listener, NULL, NULL);
	must(server >= 0);
	for (int i = 1; i <= 2000; i++) {
		note(&a, send(client, buffer, (size_t)i, 0), true);
		while (b.received < a.sent)
			note(&b, recv(server, buffer, sizeof(buffer), 0), false);
		note(&b, write(server, buffer, 17), true);
		note(&a, recv(client, buffer, 17, MSG_WAITALL), false);
	}
	note(&b, recv(server, buffer, 1, MSG_DONTWAIT), false);
	note(&a, send(client, buffer, 3000, 0), true);
	note(&b, recv(server, NULL, 3000, MSG_TRUNC | MSG_WAITALL), false);
	tell("tcp-client", inode_of(client), &a);
	truth("what=port inode=%llu port=%d\n", inode_of(listener), port);
	close(client);
	note(&b, recv(server, buffer, 1, 0), false);
	tell("tcp-server", inode_of(server), &b);
	close(server);
	close(listener);
}

static void udp(void)
{
	struct sockaddr_in address[2] = {0};
	struct side s[2] = {{0}, {0}};
	socklen_t length = sizeof(address[0]);
	int fds[2];

	for (int i = 0; i < 2; i++) {
		address[i].sin_family = AF_INET;
		address[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		must(!bind(fds[i], (void *)&address[i], length));
		must(!getsockname(fds[i], (void *)&address[i], &length));
	}
	must(!connect(fds[0], (void *)&address[1], length));
	must(!connect(fds[1], (void *)&address[0], length));
	for (int i = 0; i < 5; i++) {
		note(&s[0], send(fds[0], buffer, 100 + (size_t)i, 0), true);
		note(&s[1], recv(fds[1], buffer, 1000, 0), false);
	}
	tell("udp-a", inode_of(fds[0]), &s[0]);
	tell("udp-b", inode_of(fds[1]), &s[1]);
	close(fds[0]);
	close(fds[1]);
}

static void eventfds(void)
{
	struct side s = {0};
	uint64_t value = 5;
	int fd = eventfd(0, EFD_NONBLOCK);

	must(fd >= 0);
	note(&s, read(fd, &value, 8), false);
	for (int i = 0; i < 3; i++)
		note(&s, write(fd, &value, 8), true);
	note(&s, read(fd, &value, 8), false);
	must(value == 15);
	tell("eventfd", 0, &s);
	close(fd);
}

static void queues(void)
{
	struct {
		long type;
		char text[200];
	} message = {1, ""};
	struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 100};
	struct side s = {0}, p = {0};
	int id = msgget(IPC_PRIVATE, 0600), fd;
	char name[64];

	must(id >= 0);
	must(!msgsnd(id, &message, 150, 0));
	note(&s, 150, true);
	note(&s, msgrcv(id, &message, 200, 0, 0), false);
	note(&s, msgrcv(id, &message, 200, 0, IPC_NOWAIT), false); /* ENOMSG */
	tell("sysv", (unsigned int)id, &s);
	must(!msgctl(id, IPC_RMID, NULL));
	snprintf(name, sizeof(name), "/ipcall-%d", getpid());
	fd = (int)mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	if (fd < 0)
		return;
	mq_unlink(name);
	must(!mq_send(fd, buffer, 77, 0));
	note(&p, 77, true);
	note(&p, mq_receive(fd, buffer, 100, NULL), false);
	tell("posix", inode_of(fd), &p);
	mq_close(fd);
}

/* The number of a descriptor, and perhaps all addresses behind it, are used again at once, while the old pipe lives on. */
static void reused(void)
{
	int first[2], second[2], kept;
	struct side a = {0}, b = {0};

	must(!pipe(first));
	kept = dup(first[0]);
	note(&a, write(first[1], buffer, 111), true);
	close(first[0]);
	close(first[1]);
	must(!pipe(second) && second[0] == first[0] && second[1] == first[1]);
	note(&b, write(second[1], buffer, 22), true);
	note(&b, read(second[0], buffer, 22), false);
	note(&a, read(kept, buffer, 111), false);
	note(&a, read(kept, buffer, 1), false); /* the end */
	tell("reused-old", inode_of(kept), &a);
	tell("reused-new", inode_of(second[0]), &b);
	close(kept);
	close(second[0]);
	close(second[1]);
}

/* Two writers and two readers, children of this one; who reads what is left to chance. */
static void crowd(void)
{
	int fds[2], status;
	struct side s = {0};

	must(!pipe(fds));
	for (int i = 0; i < 2; i++) {
		if (!fork()) {
			for (int n = 0; n < 50; n++)
				must(write(fds[1], buffer, 64) == 64);
			_exit(0);
		}
	}
	for (int i = 0; i < 2; i++) {
		if (!fork()) {
			for (int n = 0; n < 50; n++)
				must(read(fds[0], buffer, 64) == 64);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		must(!status);
	s = (struct side){6400, 6400, 100, 100, 0, 0, 0, 0};
	tell("crowd", inode_of(fds[0]), &s);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	plain_pipe();
	spliced_pipes();
	sockets("stream", SOCK_STREAM);
	sockets("seqpacket", SOCK_SEQPACKET);
	sockets("dgram", SOCK_DGRAM);
	tcp();
	udp();
	eventfds();
	queues();
	reused();
	crowd();
	return 0;
}
