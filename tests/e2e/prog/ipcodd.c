/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The odd ends of calls on channels: positions where there are none, messages of nothing, messages cut off, urgent bytes,
 * partial and failing writes, the end of a channel, pipes in packets, splices between unlike ends. Each end's own count.
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

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

static char buffer[65536];

static struct iovec whole = {buffer, sizeof(buffer)};

/* What is kept in messages has messages of nothing, too. */
static void note_whole(struct side *s, ssize_t n, bool sent)
{
	note(s, n, sent);
	if (!n && sent)
		s->sent_messages++;
	else if (!n)
		s->received_messages++;
}

static void positions(void)
{
	struct side s = {0};
	struct iovec part = {buffer, 100};
	int fds[2];

	must(!pipe(fds));
	note(&s, write(fds[1], buffer, 500), true);
	note(&s, pread(fds[0], buffer, 10, 0), false);	  /* ESPIPE */
	note(&s, pwrite(fds[1], buffer, 10, 0), true);	  /* ESPIPE */
	note(&s, preadv(fds[0], &part, 1, 5), false);	  /* ESPIPE */
	note(&s, pwritev(fds[1], &part, 1, 5), true);	  /* ESPIPE */
	note(&s, preadv2(fds[0], &part, 1, 5, 0), false); /* ESPIPE */
	note(&s, preadv2(fds[0], &part, 1, -1, 0), false);
	note(&s, pwritev2(fds[1], &part, 1, -1, 0), true);
	note(&s, read(fds[0], buffer, 0), false);
	note(&s, read(fds[0], buffer, 1000), false);
	must(s.failed == 5 && s.sent == 600 && s.received == 600);
	note(&s, preadv2(fds[0], &part, 1, -1, RWF_NOWAIT), false);
	tell("pipe-positions", inode_of(fds[0]), &s);
	close(fds[0]);
	close(fds[1]);
}

static void full_and_broken(void)
{
	struct side s = {0}, t = {0};
	int fds[2], status;
	ssize_t n;

	must(!pipe2(fds, O_NONBLOCK));
	do {
		n = write(fds[1], buffer, sizeof(buffer) - 1000);
		note(&s, n, true);
	} while (n > 0);
	note(&s, writev(fds[1], &whole, 1), true);
	note(&s, read(fds[0], buffer, 5000), false);
	note(&s, write(fds[1], buffer, 30000), true); /* a part */
	must(s.sent < 200000 && s.blocked >= 1);
	tell("pipe-full", inode_of(fds[0]), &s);
	close(fds[0]);
	close(fds[1]);

	/* The signal comes when the call has ended. */
	must(!pipe(fds));
	note(&t, write(fds[1], buffer, 7), true);
	note(&t, read(fds[0], buffer, 7), false);
	close(fds[0]);
	if (!fork()) {
		signal(SIGPIPE, SIG_DFL);
		if (write(fds[1], buffer, 7) < 0)
			_exit(1);
		_exit(2);
	}
	must(wait(&status) > 0 && WTERMSIG(status) == SIGPIPE);
	t.failed++;
	signal(SIGPIPE, SIG_IGN);
	note(&t, write(fds[1], buffer, 7), true); /* EPIPE */
	tell("pipe-broken", inode_of(fds[1]), &t);
	close(fds[1]);
}

static void packets(void)
{
	struct side s = {0};
	int fds[2];

	must(!pipe2(fds, O_DIRECT));
	note(&s, write(fds[1], buffer, 100), true);
	note(&s, write(fds[1], buffer, 200), true);
	note(&s, read(fds[0], buffer, 1000), false);
	note(&s, read(fds[0], buffer, 50), false); /* the rest of the packet is lost */
	tell("pipe-packets", inode_of(fds[0]), &s);
	close(fds[0]);
	close(fds[1]);
}

static void unlike_ends(void)
{
	struct side pipe_side = {0}, a = {0}, b = {0};
	int fds[2], sockets[2], file = memfd_create("x", 0), out = memfd_create("y", 0);
	loff_t offset = 0;
	ssize_t n;

	must(!pipe2(fds, O_NONBLOCK) && !socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	must(file >= 0 && out >= 0 && write(file, buffer, 20000) == 20000);
	/* A file into a pipe that is full, or whose reader finds nothing. */
	note(&pipe_side, splice(fds[0], NULL, out, NULL, 100, SPLICE_F_NONBLOCK), false);
	note(&pipe_side, splice(file, &offset, fds[1], NULL, 9000, 0), true);
	offset = 0;
	note(&pipe_side, sendfile(fds[1], file, &offset, 3000), true);
	n = splice(fds[0], NULL, sockets[0], NULL, 12000, 0);
	note(&pipe_side, n, false);
	note(&a, n, true);
	n = splice(sockets[1], NULL, fds[1], NULL, 5000, 0);
	note(&b, n, false);
	note(&pipe_side, n, true);
	n = splice(fds[0], NULL, out, NULL, 3000, 0);
	note(&pipe_side, n, false);
	offset = 0;
	note(&a, sendfile(sockets[0], file, &offset, 15000), true);
	offset = 20000;
	note(&a, sendfile(sockets[0], file, &offset, 15000), true); /* the end of the file */
	do {
		offset = 0;
		n = splice(file, &offset, fds[1], NULL, 4096, SPLICE_F_NONBLOCK);
		note(&pipe_side, n, true); /* EAGAIN at last */
	} while (n > 0);
	tell("pipe-unlike", inode_of(fds[0]), &pipe_side);
	tell("stream-unlike-a", inode_of(sockets[0]), &a);
	tell("stream-unlike-b", inode_of(sockets[1]), &b);
	close(fds[0]);
	close(fds[1]);
	close(sockets[0]);
	close(sockets[1]);
	close(file);
	close(out);
}

static void cut_off(void)
{
	struct side a = {0}, b = {0};
	struct mmsghdr many[2] = {0};
	struct iovec small = {buffer, 10};
	struct msghdr message = {.msg_iov = &small, .msg_iovlen = 1};
	int fds[2];

	must(!socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
	for (int i = 0; i < 6; i++)
		note(&a, send(fds[0], buffer, 1000, 0), true);
	note(&b, recv(fds[1], buffer, 10, 0), false);
	note(&b, recv(fds[1], buffer, 10, MSG_TRUNC), false);
	note(&b, recvmsg(fds[1], &message, MSG_TRUNC), false);
	must(recv(fds[1], buffer, 10, MSG_PEEK | MSG_TRUNC) == 1000);
	must(recvmsg(fds[1], &message, MSG_PEEK) == 10);
	note(&b, recvfrom(fds[1], buffer, 2000, 0, NULL, NULL), false);
	many[0].msg_hdr = many[1].msg_hdr = message;
	must(recvmmsg(fds[1], many, 2, MSG_PEEK, NULL) >= 1);
	must(recvmmsg(fds[1], many, 2, MSG_TRUNC, NULL) == 2);
	note(&b, many[0].msg_len, false);
	note(&b, many[1].msg_len, false);
	must(b.received == 10 + 3000 + 2000);
	note_whole(&a, send(fds[0], buffer, 0, 0), true);
	note_whole(&b, recv(fds[1], buffer, 100, 0), false);
	note(&b, recv(fds[1], buffer, 100, MSG_DONTWAIT), false);
	tell("dgram-cut-a", inode_of(fds[0]), &a);
	tell("dgram-cut-b", inode_of(fds[1]), &b);
	close(fds[0]);
	close(fds[1]);
}

/* Several messages at once of which not even the first went: through a pipe, to nobody, from where nothing lies. */
static void none_of_many(void)
{
	struct side s = {0}, a = {0}, b = {0};
	struct mmsghdr many[2] = {0};
	int fds[2], sockets[2];

	many[0].msg_hdr.msg_iov = many[1].msg_hdr.msg_iov = &whole;
	many[0].msg_hdr.msg_iovlen = many[1].msg_hdr.msg_iovlen = 1;
	must(!pipe(fds) && !socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets));
	note(&s, sendmmsg(fds[1], many, 2, 0), true);
	note(&s, recvmmsg(fds[0], many, 2, 0, NULL), false);
	note(&s, write(fds[1], buffer, 7), true);
	note(&a, recvmmsg(sockets[0], many, 2, MSG_DONTWAIT, NULL), false);
	note(&b, send(sockets[1], buffer, 9, 0), true);
	note(&a, read(sockets[0], buffer, 0), false); /* takes none */
	note(&a, recv(sockets[0], buffer, 100, 0), false);
	shutdown(sockets[1], SHUT_WR);
	note(&b, sendmmsg(sockets[1], many, 2, MSG_NOSIGNAL), true);
	must(s.failed == 2 && a.blocked == 1 && b.failed == 1);
	tell("pipe-many", inode_of(fds[0]), &s);
	tell("dgram-many-a", inode_of(sockets[0]), &a);
	tell("dgram-many-b", inode_of(sockets[1]), &b);
	close(fds[0]);
	close(fds[1]);
	close(sockets[0]);
	close(sockets[1]);
}

static void urgent(void)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	struct side a = {0}, b = {0};
	int server;

	connect_to(listener, client);
	server = accept(listener, NULL, NULL);
	note(&a, send(client, buffer, 100, 0), true);
	note(&a, send(client, buffer, 1, MSG_OOB), true);
	note(&a, send(client, buffer, 50, MSG_MORE), true);
	note(&a, send(client, buffer, 50, 0), true);
	note(&b, recv(server, buffer, 100, MSG_WAITALL), false);
	note(&b, recv(server, buffer, 1, MSG_OOB), false);
	note(&b, recv(server, buffer, 1, MSG_OOB), false); /* EINVAL */
	note(&b, recv(server, buffer, 100, MSG_WAITALL), false);
	must(a.sent == b.received);
	close(server);
	note(&a, recv(client, buffer, 100, 0), false); /* the end */
	note(&a, send(client, buffer, 10, MSG_NOSIGNAL), true);
	sleep_us(1000);
	note(&a, send(client, buffer, 10, MSG_NOSIGNAL), true); /* EPIPE */
	tell("tcp-urgent-client", inode_of(client), &a);
	close(client);
	close(listener);
}

static void values(void)
{
	struct side s = {0};
	uint64_t value = 3;
	struct iovec part = {&value, sizeof(value)};
	int fd = eventfd(0, EFD_NONBLOCK);

	note(&s, writev(fd, &part, 1), true);
	note(&s, write(fd, &value, 8), true);
	note(&s, write(fd, &value, 4), true); /* EINVAL */
	value = 0;
	note(&s, readv(fd, &part, 1), false);
	must(value == 6);
	note(&s, readv(fd, &part, 1), false);
	value = ~0ULL;
	note(&s, write(fd, &value, 8), true); /* EINVAL */
	tell("eventfd-values", 0, &s);
	close(fd);
}

static void queues(void)
{
	struct {
		long type;
		char text[200];
	} message = {1, ""};
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 100};
	struct side s = {0}, p = {0};
	int id = msgget(IPC_PRIVATE, 0600), fd;
	char name[64];

	for (int i = 0; i < 3; i++) {
		must(!msgsnd(id, &message, (size_t)i * 50, 0));
		note_whole(&s, i * 50, true);
	}
	(void)msgrcv(id, &message, 200, 0, IPC_NOWAIT | MSG_COPY); /* takes nothing */
	for (int i = 0; i < 3; i++)
		note_whole(&s, msgrcv(id, &message, 200, 0, 0), false);
	must(s.received == 150);
	note(&s, msgrcv(id, &message, 200, 0, IPC_NOWAIT), false); /* ENOMSG */
	must(!msgsnd(id, &message, 60, 0));
	note_whole(&s, 60, true);
	note(&s, msgrcv(id, &message, 10, 0, 0), false);		 /* E2BIG */
	note_whole(&s, msgrcv(id, &message, 10, 0, MSG_NOERROR), false); /* cut off */
	tell("sysv-odd", (unsigned int)id, &s);
	must(!msgctl(id, IPC_RMID, NULL));
	snprintf(name, sizeof(name), "/ipcodd-%d", getpid());
	fd = (int)mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
	if (fd < 0)
		return;
	mq_unlink(name);
	must(!mq_send(fd, buffer, 0, 0) && !mq_send(fd, buffer, 33, 0));
	note_whole(&p, 0, true);
	note_whole(&p, 33, true);
	note(&p, mq_send(fd, buffer, 10, 0), true);	   /* EAGAIN */
	note(&p, mq_receive(fd, buffer, 10, NULL), false); /* EMSGSIZE */
	note_whole(&p, mq_receive(fd, buffer, 100, NULL), false);
	note_whole(&p, mq_receive(fd, buffer, 100, NULL), false);
	note(&p, mq_receive(fd, buffer, 100, NULL), false); /* EAGAIN */
	tell("posix-odd", inode_of(fd), &p);
	mq_close(fd);
}

static void memory(void)
{
	struct side s = {0};
	char *there = shared_memory(8192);
	struct iovec here = {buffer, 3000}, remote = {there, 3000}, missing = {(void *)8, 100};
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	note(&s, process_vm_readv(pid, &here, 1, &remote, 1, 0), false);
	note(&s, process_vm_writev(pid, &here, 1, &remote, 1, 0), true);
	note(&s, process_vm_readv(pid, &here, 1, &missing, 1, 0), false); /* EFAULT */
	tell("process-vm", (unsigned int)pid, &s);
	kill(pid, SIGKILL);
	must(wait(NULL) == pid);
}

static void seqpackets(void)
{
	struct side a = {0}, b = {0};
	int fds[2];

	must(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
	note(&a, send(fds[0], buffer, 300, MSG_EOR), true);
	note(&b, recv(fds[1], buffer, 100, MSG_TRUNC), false);
	shutdown(fds[0], SHUT_WR);
	note(&a, send(fds[0], buffer, 300, MSG_NOSIGNAL), true); /* EPIPE */
	note(&b, recv(fds[1], buffer, 100, 0), false);		 /* the end */
	tell("seqpacket-odd-a", inode_of(fds[0]), &a);
	tell("seqpacket-odd-b", inode_of(fds[1]), &b);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	positions();
	full_and_broken();
	packets();
	unlike_ends();
	cut_off();
	none_of_many();
	urgent();
	values();
	queues();
	memory();
	seqpackets();
	return 0;
}
