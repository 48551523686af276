/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

#define SMALL_FILE 8192

int pt_mem_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Bytes read, at most size - 1; the text is terminated. */
static ssize_t read_file(int dir, const char *name, char *text, size_t size)
{
	ssize_t n = 0, used = 0;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((size_t)used < size - 1) {
		n = read(fd, text + used, size - 1 - (size_t)used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += n;
	}
	if (n < 0)
		used = -errno;
	else
		text[used] = '\0';
	close(fd);
	return used;
}

int pt_mem_read_text(int proc, const char *name, size_t limit, char **out)
{
	size_t size = SMALL_FILE;
	char *text = NULL, *grown;
	ssize_t n;

	for (;;) {
		grown = realloc(text, size);
		if (!grown) {
			free(text);
			return -ENOMEM;
		}
		text = grown;
		n = read_file(proc, name, text, size);
		if (n >= 0 && (size_t)n < size - 1)
			break;
		if (n < 0 || size >= limit) {
			free(text);
			return n < 0 ? (int)n : -EFBIG;
		}
		size *= 2;
	}
	*out = text;
	return 0;
}

static void parse_key(const char *line, const struct pt_mem_key *keys, size_t count, void *out)
{
	size_t length = strcspn(line, ": "), i;

	for (i = 0; line[length] && i < count; i++) {
		const char *at = line + length + 1;
		uint64_t value, sum;

		if (strlen(keys[i].name) != length || memcmp(line, keys[i].name, length))
			continue;
		if (!pt_parse_skip(&at, 0) || !pt_parse_number(&at, 10, &value))
			return;
		memcpy(&sum, (char *)out + keys[i].offset, sizeof(sum));
		sum += value * keys[i].unit;
		memcpy((char *)out + keys[i].offset, &sum, sizeof(sum));
		return;
	}
}

void pt_mem_parse_keys(char *text, const struct pt_mem_key *keys, size_t count, void *out)
{
	char *save = NULL, *line;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		parse_key(line, keys, count, out);
}

static uint64_t tick_ns(void)
{
	return 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);
}

uint64_t pt_mem_cut_start(uint64_t start)
{
	return start - start % tick_ns();
}

int pt_mem_read_stat(int proc, struct pt_mem_stat *stat)
{
	uint64_t minor, major, ticks;
	char text[SMALL_FILE];
	const char *at;
	ssize_t n = read_file(proc, "stat", text, sizeof(text));

	if (n < 0)
		return (int)n;
	/* The name may hold anything, parentheses and blanks too. */
	at = strrchr(text, ')');
	if (!at || !pt_parse_literal(&at, ")") || !pt_parse_skip(&at, 7) ||
	    !pt_parse_number(&at, 10, &minor) || !pt_parse_skip(&at, 1) ||
	    !pt_parse_number(&at, 10, &major) || !pt_parse_skip(&at, 9) ||
	    !pt_parse_number(&at, 10, &ticks))
		return -EPROTO;
	*stat = (struct pt_mem_stat){
		.start = ticks * tick_ns(),
		.minor_faults = minor,
		.major_faults = major,
	};
	return 0;
}

int pt_mem_read_status(int proc, struct pt_mem_status *status)
{
#define KEY(name, field, unit)                                                                     \
	{                                                                                          \
		name, offsetof(struct pt_mem_status, field), unit                                  \
	}
	static const struct pt_mem_key keys[] = {
		KEY("VmRSS", rss, 1024),	 KEY("RssAnon", anon, 1024),
		KEY("RssFile", file, 1024),	 KEY("RssShmem", shmem, 1024),
		KEY("VmSwap", swap, 1024),	 KEY("VmHWM", peak, 1024),
		KEY("VmPTE", page_tables, 1024), KEY("Threads", threads, 1),
	};
#undef KEY
	char text[SMALL_FILE];
	ssize_t n = read_file(proc, "status", text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (!strstr(text, "\nVmRSS:"))
		return -ESRCH;
	*status = (struct pt_mem_status){0};
	pt_mem_parse_keys(text, keys, PT_ARRAY_SIZE(keys), status);
	return 0;
}

#define KEY(name, field)                                                                           \
	{                                                                                          \
		name, offsetof(struct pt_mem_smaps, field), 1024                                   \
	}
static const struct pt_mem_key smaps_keys[] = {
	KEY("Rss", rss),
	KEY("Pss", pss),
	KEY("Shared_Clean", shared_clean),
	KEY("Shared_Dirty", shared_dirty),
	KEY("Private_Clean", private_clean),
	KEY("Private_Dirty", private_dirty),
	KEY("Swap", swap),
	KEY("Shared_Hugetlb", shared_hugetlb),
	KEY("Private_Hugetlb", private_hugetlb),
};
#undef KEY

int pt_mem_read_rollup(int proc, struct pt_mem_smaps *smaps)
{
	char text[SMALL_FILE];
	ssize_t n = read_file(proc, "smaps_rollup", text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (!n)
		return -ESRCH;
	*smaps = (struct pt_mem_smaps){0};
	pt_mem_parse_keys(text, smaps_keys, PT_ARRAY_SIZE(smaps_keys), smaps);
	return 0;
}

void pt_mem_parse_smaps(const char *line, struct pt_mem_smaps *smaps)
{
	parse_key(line, smaps_keys, PT_ARRAY_SIZE(smaps_keys), smaps);
}

uint64_t pt_mem_read_sp(int proc, pid_t tid)
{
	uint64_t sp;
	char name[48], text[256];
	const char *at;
	ssize_t n;

	snprintf(name, sizeof(name), "task/%d/syscall", tid);
	n = read_file(proc, name, text, sizeof(text));
	if (n <= 0)
		return 0;
	/* "NR 0x.. (six arguments) 0xSP 0xPC", "-1 0xSP 0xPC" outside a system call, or "running".
	 */
	at = strrchr(text, ' ');
	if (!at)
		return 0;
	while (at > text && at[-1] != ' ')
		at--;
	return pt_parse_literal(&at, "0x") && pt_parse_number(&at, 16, &sp) ? sp : 0;
}

uint64_t pt_mem_kernel_stack(void)
{
	uint64_t total = 0, tasks = 0, size = 4096;
	char text[SMALL_FILE];
	const char *at;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return 0;
	if (read_file(proc, "meminfo", text, sizeof(text)) > 0 &&
	    (at = strstr(text, "KernelStack:")) && pt_parse_skip(&at, 1))
		pt_parse_number(&at, 10, &total);
	if (read_file(proc, "loadavg", text, sizeof(text)) > 0 && (at = strchr(text, '/')) &&
	    pt_parse_literal(&at, "/"))
		pt_parse_number(&at, 10, &tasks);
	close(proc);
	if (!total || !tasks)
		return 0;
	/* Stacks are powers of two; tasks that come or go between the two reads do not blur that.
	 */
	while (size * 3 / 2 < total * 1024 / tasks)
		size *= 2;
	return size;
}
