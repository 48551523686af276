/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program moved through one end of a channel, by what its calls returned. */
#ifndef E2E_SIDES_H
#define E2E_SIDES_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "truth.h"

struct side {
	long long sent, received, sent_messages, received_messages;
	long long blocked, failed, empty, fds;
};

static inline unsigned long long inode_of(int fd)
{
	struct stat st;

	must(!fstat(fd, &st));
	return st.st_ino;
}

/* A socket that is made to listen on loopback, and one that is connected to it. Returns the port. */
static inline int connect_to(int listener, int client)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	must(!bind(listener, (void *)&address, length) && !listen(listener, 8));
	must(!getsockname(listener, (void *)&address, &length));
	must(!connect(client, (void *)&address, length));
	return ntohs(address.sin_port);
}

static inline void tell(const char *what, unsigned long long inode, const struct side *s)
{
	truth("what=%s inode=%llu sent=%lld received=%lld sent_messages=%lld "
	      "received_messages=%lld "
	      "blocked=%lld failed=%lld empty=%lld fds=%lld pid=%d\n",
	      what, inode, s->sent, s->received, s->sent_messages, s->received_messages, s->blocked,
	      s->failed, s->empty, s->fds, getpid());
}

static inline void note(struct side *s, ssize_t n, bool sent)
{
	if (n < 0 && errno == EAGAIN) {
		s->blocked++;
	} else if (n < 0) {
		s->failed++;
	} else if (!n) {
		s->empty++;
	} else if (sent) {
		s->sent += n;
		s->sent_messages++;
	} else {
		s->received += n;
		s->received_messages++;
	}
}

#endif
