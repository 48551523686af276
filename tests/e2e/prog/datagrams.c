/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams between sockets that are not connected. Each message says who sent it, so that each receiver knows from whom it
 * got how much: what=flow, scene, from and to (pids), bytes and messages.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "truth.h"

#define CLIENTS_MAX 4
#define SIZE_MAX_OF 400

/* How a receiver asks, and how a sender tells. */
enum way { BLIND, FROM, MESSAGE, MANY };

struct scene {
	const char *name;
	enum way sends, receives;
	int family;
	int clients, count;
	bool echo;     /* the server answers each message with one of its size and 1 */
	bool connects; /* the first client is connected */
	bool any;      /* the server is bound to all addresses */
	bool mixed;    /* the clients of odd numbers use IPv4 with a server of IPv6 */
	bool named;    /* clients of Unix sockets have names */
	const char *path;
};

static const struct scene scenes[] = {
	{"from", FROM, FROM, AF_INET, 3, 40, .echo = true},
	{"blind", FROM, BLIND, AF_INET, 3, 40, .echo = false},
	{"message", MESSAGE, MESSAGE, AF_INET, 2, 40, .echo = true, .any = true},
	{"many", MANY, MANY, AF_INET, 2, 40, .any = true},
	{"connected", FROM, FROM, AF_INET, 2, 40, .echo = true, .connects = true, .any = true},
	{"six", FROM, FROM, AF_INET6, 3, 40, .echo = true, .any = true, .mixed = true},
	{"sums", FROM, FROM, AF_INET, 2, 6000, .echo = true},
	{"path", FROM, FROM, AF_UNIX, 3, 40, .echo = true, .named = true, .path = "path.sock"},
	{"unnamed", MESSAGE, BLIND, AF_UNIX, 3, 40, .path = "unnamed.sock"},
	{"abstract", MANY, FROM, AF_UNIX, 2, 40, .path = ""},
};

struct received {
	long long bytes, messages;
	pid_t from;
};

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_un name;
	} is;
	socklen_t length;
};

static char buffer[2 * SIZE_MAX_OF];
static struct received *tables; /* of the server, and of each client: shared */

static void note(struct received *table, const void *message, ssize_t n)
{
	pid_t from;
	int i = 0;

	must(n >= (ssize_t)sizeof(from));
	memcpy(&from, message, sizeof(from));
	while (table[i].from && table[i].from != from)
		i++;
	must(i < CLIENTS_MAX);
	table[i].from = from;
	table[i].bytes += n;
	table[i].messages++;
}

static void fill(size_t size)
{
	pid_t own = getpid();

	memset(buffer, 'x', size);
	memcpy(buffer, &own, sizeof(own));
}

static void send_to(int fd, enum way way, size_t size, const struct address *to)
{
	struct iovec part = {buffer, size};
	struct mmsghdr message = {.msg_hdr = {.msg_name = to ? (void *)&to->is : NULL,
					      .msg_namelen = to ? to->length : 0,
					      .msg_iov = &part,
					      .msg_iovlen = 1}};
	ssize_t n;

	fill(size);
	if (way == MANY)
		n = sendmmsg(fd, &message, 1, 0) == 1 ? (ssize_t)message.msg_len : -1;
	else if (way == MESSAGE)
		n = sendmsg(fd, &message.msg_hdr, 0);
	else
		n = sendto(fd, buffer, size, 0, to ? &to->is.any : NULL, to ? to->length : 0);
	must(n == (ssize_t)size);
}

/* Returns how many messages came; *from is the last one's sender. */
static int receive(int fd, enum way way, struct received *table, struct address *from)
{
	static char space[3][SIZE_MAX_OF * 2];
	struct iovec parts[3] = {{space[0], sizeof(space[0])},
				 {space[1], sizeof(space[1])},
				 {space[2], sizeof(space[2])}};
	struct address names[3];
	struct mmsghdr messages[3] = {0};
	int i, n = 1;

	from->length = sizeof(from->is);
	for (i = 0; i < 3; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &names[i].is,
						      .msg_namelen = sizeof(names[i].is),
						      .msg_iov = &parts[i],
						      .msg_iovlen = 1};
	switch (way) {
	case BLIND:
		note(table, space[0], read(fd, space[0], sizeof(space[0])));
		break;
	case FROM:
		note(table, space[0],
		     recvfrom(fd, space[0], sizeof(space[0]), 0, &from->is.any, &from->length));
		break;
	case MESSAGE:
		note(table, space[0], recvmsg(fd, &messages[0].msg_hdr, 0));
		*from = names[0];
		from->length = messages[0].msg_hdr.msg_namelen;
		break;
	case MANY:
		n = recvmmsg(fd, messages, 3, MSG_WAITFORONE, NULL);
		for (i = 0; i < n; i++)
			note(table, space[i], messages[i].msg_len);
		break;
	}
	return n;
}

static struct address address_of(const struct scene *scene)
{
	struct address to = {.is.any.sa_family = (sa_family_t)scene->family};

	switch (scene->family) {
	case AF_INET:
		to.length = sizeof(to.is.four);
		to.is.four.sin_addr.s_addr = htonl(scene->any ? INADDR_ANY : INADDR_LOOPBACK);
		break;
	case AF_INET6:
		to.length = sizeof(to.is.six);
		to.is.six.sin6_addr = scene->any ? in6addr_any : in6addr_loopback;
		break;
	default:
		if (scene->path[0])
			snprintf(to.is.name.sun_path, sizeof(to.is.name.sun_path), "%s",
				 scene->path);
		else
			snprintf(to.is.name.sun_path + 1, 60, "datagrams-%d", getpid());
		to.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
					strlen(to.is.name.sun_path + !scene->path[0]));
	}
	return to;
}

/* The server's address as a client knows it. */
static struct address seen_by(const struct scene *scene, struct address server, int client)
{
	struct address four = {.is.four = {.sin_family = AF_INET}, .length = sizeof(four.is.four)};

	if (scene->family == AF_INET)
		server.is.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (scene->family != AF_INET6)
		return server;
	server.is.six.sin6_addr = in6addr_loopback;
	if (!scene->mixed || client % 2 == 0)
		return server;
	four.is.four.sin_port = server.is.six.sin6_port;
	four.is.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return four;
}

static void run_client(const struct scene *scene, struct address server, int client,
		       struct received *table)
{
	struct address to = seen_by(scene, server, client), from,
		       own = {.is.any.sa_family = AF_UNIX, .length = sizeof(sa_family_t)};
	int fd = socket(to.is.any.sa_family, SOCK_DGRAM, 0), i;
	bool connected = scene->connects && !client;

	must(fd >= 0);
	if (scene->named)
		must(!bind(fd, &own.is.any, own.length));
	if (connected)
		must(!connect(fd, &to.is.any, to.length));
	for (i = 0; i < scene->count; i++) {
		send_to(fd, scene->sends, 20 + (size_t)(client * 100 + i % 90),
			connected ? NULL : &to);
		if (scene->echo)
			receive(fd, scene->receives, table, &from);
		else if (i % 10 == 9)
			usleep(2000);
	}
	close(fd);
}

static void tell(const struct scene *scene, const struct received *table, pid_t to)
{
	int i;

	for (i = 0; i < CLIENTS_MAX && table[i].from; i++)
		truth("what=flow scene=%s from=%d to=%d bytes=%lld messages=%lld\n", scene->name,
		      table[i].from, to, table[i].bytes, table[i].messages);
}

static void play(const struct scene *scene)
{
	struct address own = address_of(scene), from;
	int fd = socket(scene->family, SOCK_DGRAM, 0), left = scene->clients * scene->count, i, n;
	socklen_t length = sizeof(own.is);
	pid_t clients[CLIENTS_MAX];

	must(fd >= 0 && !bind(fd, &own.is.any, own.length));
	must(!getsockname(fd, &own.is.any, &length));
	memset(tables, 0, sizeof(*tables) * CLIENTS_MAX * (CLIENTS_MAX + 1));
	for (i = 0; i < scene->clients; i++) {
		clients[i] = fork();
		must(clients[i] >= 0);
		if (!clients[i]) {
			close(fd);
			run_client(scene, own, i, tables + CLIENTS_MAX * (i + 1));
			_exit(0);
		}
	}
	for (; left > 0; left -= n) {
		n = receive(fd, scene->receives, tables, &from);
		if (scene->echo)
			send_to(fd, scene->sends, (size_t)tables[0].from % 50 + 30, &from);
	}
	for (i = 0; i < scene->clients; i++) {
		int status;

		must(waitpid(clients[i], &status, 0) == clients[i] && !status);
		tell(scene, tables + CLIENTS_MAX * (i + 1), clients[i]);
	}
	tell(scene, tables, getpid());
	close(fd);
	if (scene->path && scene->path[0])
		unlink(scene->path);
}

int main(int argc, char **argv)
{
	size_t i;

	tables = mmap(NULL, sizeof(*tables) * CLIENTS_MAX * (CLIENTS_MAX + 1),
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(tables != MAP_FAILED);
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		pid_t server;
		int status;

		if (argc > 1 && strcmp(argv[1], scenes[i].name) != 0)
			continue;
		server = fork();
		if (!server) {
			play(&scenes[i]);
			return 0;
		}
		must(waitpid(server, &status, 0) == server && !status);
	}
	return 0;
}
