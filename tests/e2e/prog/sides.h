/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program moved through one end of a channel, by what its calls returned. */
#ifndef E2E_SIDES_H
#define E2E_SIDES_H

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
