/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tasks that wake each other by futexes: two threads, and pairs of processes with one shared mapping each, of every kind
 * there is. One line for each pair: what, both tids, and how many sleepers FUTEX_WAKE says that each has woken. The
 * pairs live on for two seconds, so that their mappings can be looked at.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "truth.h"

#define ROUNDS	 60
#define PAUSE_US 1000 /* the other one is surely asleep by then */
#define LIFE_US	 2000000

/* Two words that each of both waits on, and what is told at the end. */
struct shared {
	atomic_int word[2];
	atomic_int tid[2];
	atomic_long woke[2];
	atomic_int done;
};

static int operation(int op, bool private)
{
	return op | (private ? FUTEX_PRIVATE_FLAG : 0);
}

static void raise_word(struct shared *s, int which, bool private)
{
	s->word[which]++;
	s->woke[!which] +=
		syscall(SYS_futex, &s->word[which], operation(FUTEX_WAKE, private), 1, 0, 0, 0);
}

static void wait_for(struct shared *s, int which, int value, bool private)
{
	while (s->word[which] < value)
		syscall(SYS_futex, &s->word[which], operation(FUTEX_WAIT, private), value - 1, 0, 0,
			0);
}

/* Side 0 begins. Each lets the other one fall asleep before it wakes it. */
static void play(struct shared *s, int side, bool private)
{
	s->tid[side] = own_tid();
	for (int i = 1; i <= ROUNDS; i++) {
		if (side)
			wait_for(s, side, i, private);
		sleep_us(PAUSE_US);
		raise_word(s, !side, private);
		if (!side)
			wait_for(s, side, i, private);
	}
	s->done++;
}

static void *play_second(void *shared)
{
	play(shared, 1, true);
	return NULL;
}

static void tell(const char *what, const struct shared *s)
{
	truth("what=%s a=%d b=%d a_woke=%ld b_woke=%ld\n", what, s->tid[0], s->tid[1], s->woke[0],
	      s->woke[1]);
}

static void threads(void)
{
	static struct shared s;
	pthread_t second;

	must(!pthread_create(&second, NULL, play_second, &s));
	play(&s, 0, true);
	while (s.done < 2)
		sleep_us(1000);
	tell("threads", &s);
	pthread_join(second, NULL);
}

static struct shared *map_file(int fd)
{
	void *p;

	must(fd >= 0 && !ftruncate(fd, 4096));
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
	close(fd);
	return p;
}

static struct shared *map(const char *what)
{
	char name[64];
	int id;
	void *p;

	snprintf(name, sizeof(name), "futexes-%d", getpid());
	if (!strcmp(what, "memfd"))
		return map_file(memfd_create("futexes", 0));
	if (!strcmp(what, "posix")) {
		p = map_file(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
		shm_unlink(name);
		return p;
	}
	if (!strcmp(what, "file")) {
		p = map_file(open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
		unlink(name);
		return p;
	}
	if (!strcmp(what, "anonymous"))
		return shared_memory(4096);
	id = shmget(IPC_PRIVATE, 4096, 0600);
	must(id >= 0);
	p = shmat(id, NULL, 0);
	must((long)p != -1 && !shmctl(id, IPC_RMID, NULL));
	return p;
}

static void pair(const char *what)
{
	struct shared *s = map(what);
	int status;

	if (!fork()) {
		play(s, 1, false);
		sleep_us(LIFE_US);
		_exit(0);
	}
	play(s, 0, false);
	while (s->done < 2)
		sleep_us(1000);
	tell(what, s);
	sleep_us(LIFE_US);
	must(wait(&status) > 0 && !status);
	_exit(0);
}

int main(void)
{
	static const char *const kinds[] = {"memfd", "posix", "file", "anonymous", "sysv"};
	int status;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!fork())
			pair(kinds[i]);
	}
	threads();
	while (wait(&status) > 0)
		must(!status);
	return 0;
}
