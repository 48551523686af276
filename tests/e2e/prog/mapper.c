/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that share memory and are gone before anybody looks at them. For each segment: what /proc/self/maps says
 * that it is, and who maps it at a time: the parent, a child that was forked while it did, a child of that, and one that
 * maps it by itself; not those that were forked too late, or run another program.
 */
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/sysmacros.h>

#include "truth.h"

#define SIZE	8192
#define LIFE_US 20000

struct place {
	unsigned long long inode;
	unsigned int major, minor;
};

static struct place place_of(const void *address)
{
	FILE *file = fopen("/proc/self/maps", "re");
	struct place place = {0};
	unsigned long start = 0;
	char line[512];

	must(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%*x %*s %*x %x:%x %llu", &start, &place.major, &place.minor,
			   &place.inode) == 4 &&
		    start == (unsigned long)address)
			break;
	}
	fclose(file);
	must(start == (unsigned long)address); /* the inode of the first System V segment is 0 */
	return place;
}

static void *map_fd(int fd)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED);
	return p;
}

struct segment {
	int fd, id;
	void *at;
};

static void attach(struct segment *s)
{
	s->at = s->id < 0 ? map_fd(s->fd) : shmat(s->id, NULL, 0);
	must((long)s->at != -1);
}

static void detach(struct segment *s)
{
	must(!(s->id < 0 ? munmap(s->at, SIZE) : shmdt(s->at)));
}

static struct segment make(const char *what)
{
	struct segment s = {.fd = -1, .id = -1};
	char name[64];

	snprintf(name, sizeof(name), "mapper-%d", getpid());
	if (!strcmp(what, "memfd"))
		s.fd = memfd_create("mapper", 0);
	else if (!strcmp(what, "posix"))
		s.fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	else if (!strcmp(what, "file"))
		s.fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	else if (!strcmp(what, "sysv"))
		s.id = shmget(IPC_PRIVATE, SIZE, 0600);
	if (!strcmp(what, "posix"))
		shm_unlink(name);
	if (!strcmp(what, "file"))
		unlink(name);
	if (s.fd >= 0)
		must(!ftruncate(s.fd, SIZE));
	if (!strcmp(what, "anonymous")) {
		s.at = shared_memory(SIZE);
		return s;
	}
	must(s.fd >= 0 || s.id >= 0);
	attach(&s);
	return s;
}

static void join(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid && !status);
}

/* A child that has what its parent has, and a child of its own. */
static pid_t heir(pid_t *grandchild)
{
	int fds[2];
	pid_t pid, child;

	must(!pipe(fds));
	pid = fork();
	if (!pid) {
		child = fork();
		if (!child) {
			sleep_us(LIFE_US);
			_exit(0);
		}
		must(write(fds[1], &child, sizeof(child)) == sizeof(child));
		join(child);
		_exit(0);
	}
	must(read(fds[0], grandchild, sizeof(*grandchild)) == sizeof(*grandchild));
	close(fds[0]);
	close(fds[1]);
	join(pid);
	return pid;
}

static pid_t other_program(void)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	join(pid);
	return pid;
}

static pid_t late(struct segment *s, bool maps)
{
	pid_t pid = fork();

	if (!pid) {
		if (maps) {
			attach(s);
			sleep_us(LIFE_US);
			detach(s);
		}
		sleep_us(LIFE_US);
		_exit(0);
	}
	join(pid);
	return pid;
}

static void share(const char *what)
{
	struct segment s = make(what);
	struct place place = place_of(s.at);
	pid_t child, grandchild, own = 0, stranger, program;

	child = heir(&grandchild);
	program = other_program();
	if (!strcmp(what, "anonymous")) {
		must(!munmap(s.at, SIZE));
	} else {
		detach(&s);
		own = late(&s, true);
	}
	stranger = late(&s, false);
	truth("what=%s inode=%llu device=%u parent=%d child=%d grandchild=%d own=%d stranger=%d "
	      "program=%d\n",
	      what, place.inode, (unsigned int)makedev(place.major, place.minor), getpid(), child,
	      grandchild, own, stranger, program);
	if (s.id >= 0)
		must(!shmctl(s.id, IPC_RMID, NULL));
	if (s.fd >= 0)
		close(s.fd);
}

int main(void)
{
	static const char *const kinds[] = {"memfd", "posix", "file", "anonymous", "sysv"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		share(kinds[i]);
	return 0;
}
