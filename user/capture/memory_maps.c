/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_maps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/array.h"
#include "base/parse.h"
#include "bpf/records.h"
#include "capture/memory_proc.h"

#define LINE_MAX_BYTES 8192

/* glibc gives each further thread's heap an aligned piece of this size and unlocks it from the
 * bottom (64-bit). */
#define ARENA_BYTES (64ULL << 20)

/* More tasks than this are not asked for their stack pointers: each costs a file. */
#define STACKS_MAX 256

#define SEVERAL_TASKS UINT32_MAX /* pt_mapping.tid while stacks are sought */

/* A file that is mapped executable somewhere in the process. */
struct code_file {
	uint64_t inode;
	uint32_t dev;
};

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* The class, as far as the line alone tells it. */
static enum pt_mapping_class class_of_name(const struct pt_mapping *map, const char *name)
{
	if (!strcmp(name, "[heap]"))
		return PT_MAPPING_HEAP;
	if (starts_with(name, "[stack"))
		return PT_MAPPING_STACK;
	if (name[0] == '[' && !starts_with(name, "[anon"))
		return PT_MAPPING_SPECIAL;
	if (map->backing == PT_BACKING_SHMEM || map->backing == PT_BACKING_HUGETLB)
		return PT_MAPPING_SHMEM;
	if (starts_with(name, "/dev/") || starts_with(name, "anon_inode:"))
		return PT_MAPPING_SPECIAL;
	if (map->backing == PT_BACKING_FILE)
		return PT_MAPPING_FILE;
	return map->executable ? PT_MAPPING_JIT : PT_MAPPING_ANON;
}

/* "rwxp": what may be done, and whether with others. */
static bool parse_protection(const char **text, struct pt_mapping *map)
{
	const char *at = *text;

	if (strcspn(at, " ") != 4)
		return false;
	map->readable = at[0] == 'r';
	map->writable = at[1] == 'w';
	map->executable = at[2] == 'x';
	map->shared = at[3] == 's';
	*text += 4;
	return true;
}

static bool parse_device(const char **text, uint32_t *dev)
{
	uint64_t major, minor;

	if (!pt_parse_number(text, 16, &major) || !pt_parse_literal(text, ":") ||
	    !pt_parse_number(text, 16, &minor))
		return false;
	*dev = (uint32_t)makedev((unsigned int)major, (unsigned int)minor);
	return true;
}

static bool parse_mapping(const char *line, const struct pt_backings *backings,
			  struct pt_mapping *map)
{
	const char *at = line;

	*map = (struct pt_mapping){0};
	if (!pt_parse_number(&at, 16, &map->start) || !pt_parse_literal(&at, "-") ||
	    !pt_parse_number(&at, 16, &map->end) || !pt_parse_literal(&at, " ") ||
	    !parse_protection(&at, map) || !pt_parse_literal(&at, " ") ||
	    !pt_parse_number(&at, 16, &map->offset) || !pt_parse_literal(&at, " ") ||
	    !parse_device(&at, &map->dev) || !pt_parse_literal(&at, " ") ||
	    !pt_parse_number(&at, 10, &map->inode) || map->end <= map->start)
		return false;
	at += strspn(at, " ");
	map->name = *at ? hash_text(at) : 0;
	map->backing = pt_backings_find(backings, map->dev, map->inode);
	map->class = class_of_name(map, at);
	return true;
}

static int mappings_add(struct pt_mappings *mappings, const struct pt_mapping *map)
{
	struct pt_mapping *grown;

	if (mappings->count == PT_MAPPINGS_MAX) {
		mappings->cut = true;
		return 0;
	}
	grown = pt_array_grow(mappings->list, mappings->count, &mappings->room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	mappings->list = grown;
	mappings->list[mappings->count++] = *map;
	return 0;
}

static void take_figures(struct pt_mapping *map, const struct pt_mem_smaps *smaps)
{
	map->rss = smaps->rss;
	map->pss = smaps->pss << 12;
	map->uss = smaps->private_clean + smaps->private_dirty;
	map->swap = smaps->swap;
}

static bool is_field_of_smaps(const char *line)
{
	/* Address lines begin with lower-case hexadecimal digits, field names with a capital. */
	return line[0] >= 'A' && line[0] <= 'Z';
}

static int read_lines(struct pt_mappings *mappings, FILE *file, const struct pt_backings *backings)
{
	struct pt_mem_smaps smaps = {0};
	char line[LINE_MAX_BYTES];
	struct pt_mapping map;
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (is_field_of_smaps(line)) {
			pt_mem_parse_smaps(line, &smaps);
			if (mappings->count && !mappings->cut)
				take_figures(&mappings->list[mappings->count - 1], &smaps);
		} else if (parse_mapping(line, backings, &map)) {
			smaps = (struct pt_mem_smaps){0};
			ret = mappings_add(mappings, &map);
		}
	}
	return ret ? ret : ferror(file) ? -EIO : 0;
}

static int compare_code(const void *a, const void *b)
{
	const struct code_file *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->dev < y->dev ? -1 : x->dev > y->dev;
}

/* The files that have executable mappings, sorted; NULL also if there are none. */
static struct code_file *code_files(const struct pt_mappings *mappings, size_t *count)
{
	struct code_file *files = calloc(mappings->count + 1, sizeof(*files));
	size_t i;

	*count = 0;
	for (i = 0; files && i < mappings->count; i++) {
		const struct pt_mapping *map = &mappings->list[i];

		if (map->executable && map->inode)
			files[(*count)++] = (struct code_file){map->inode, map->dev};
	}
	if (*count)
		qsort(files, *count, sizeof(*files), compare_code);
	return files;
}

static uint64_t program_name(int proc)
{
	char path[4096];
	ssize_t n = readlinkat(proc, "exe", path, sizeof(path) - 1);

	if (n <= 0)
		return 0;
	path[n] = '\0';
	return hash_text(path);
}

static bool is_arena(const struct pt_mapping *map, const struct pt_mapping *next)
{
	return map->class == PT_MAPPING_ANON && map->writable && !(map->start % ARENA_BYTES) &&
	       next && next->start == map->end && !next->readable && !next->name &&
	       next->end == map->start + ARENA_BYTES;
}

/* Zero-initialised data has no file behind it and lies right behind the data that has. */
static bool is_bss(const struct pt_mapping *map, const struct pt_mapping *before)
{
	return map->class == PT_MAPPING_ANON && !map->name && before && before->end == map->start &&
	       before->writable &&
	       (before->class == PT_MAPPING_PROGRAM || before->class == PT_MAPPING_LIBRARY);
}

static int classify(struct pt_mappings *mappings, int proc)
{
	uint64_t program = program_name(proc);
	size_t code_count, i;
	struct code_file *code = code_files(mappings, &code_count);

	if (!code)
		return -ENOMEM;
	for (i = 0; i < mappings->count; i++) {
		struct pt_mapping *map = &mappings->list[i];
		struct code_file key = {map->inode, map->dev};
		bool has_code =
			map->inode && bsearch(&key, code, code_count, sizeof(key), compare_code);

		if (map->class == PT_MAPPING_FILE && map->name == program)
			map->class = PT_MAPPING_PROGRAM;
		else if (map->class == PT_MAPPING_FILE && has_code)
			map->class = PT_MAPPING_LIBRARY;
		else if (map->class == PT_MAPPING_SHMEM && has_code)
			map->class = PT_MAPPING_JIT;
		else if (is_bss(map, i ? map - 1 : NULL))
			map->class = map[-1].class;
		else if (is_arena(map, i + 1 < mappings->count ? map + 1 : NULL))
			map->class = PT_MAPPING_ARENA;
	}
	free(code);
	return 0;
}

int pt_mappings_read(struct pt_mappings *mappings, int proc, bool smaps,
		     const struct pt_backings *backings)
{
	int fd = openat(proc, smaps ? "smaps" : "maps", O_RDONLY | O_CLOEXEC), ret;
	FILE *file;

	mappings->count = 0;
	mappings->cut = false;
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	ret = read_lines(mappings, file, backings);
	fclose(file);
	return ret ? ret : classify(mappings, proc);
}

static struct pt_mapping *find_mapping(struct pt_mappings *mappings, uint64_t address)
{
	size_t low = 0, high = mappings->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (mappings->list[mid].end <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < mappings->count && mappings->list[low].start <= address)
		return &mappings->list[low];
	return NULL;
}

/*
 * A stack of pthreads is anonymous memory with a guard below. Runtimes that run many small stacks
 * inside one heap (Go) have neither, and a mapping with the stack pointers of two tasks is
 * nobody's: neither is claimed.
 */
static void claim_stack(struct pt_mappings *mappings, uint64_t sp, pid_t tid)
{
	struct pt_mapping *map = find_mapping(mappings, sp), *guard;

	if (!map || map == mappings->list || map->inode || !map->writable)
		return;
	guard = map - 1;
	if (map->class == PT_MAPPING_STACK && map->tid) {
		map->class = PT_MAPPING_ANON;
		map->tid = SEVERAL_TASKS;
	} else if (map->class == PT_MAPPING_ANON && !map->tid && guard->end == map->start &&
		   !guard->readable) {
		map->class = PT_MAPPING_STACK;
		map->tid = (uint32_t)tid;
	}
}

void pt_mappings_find_stacks(struct pt_mappings *mappings, int proc, pid_t pid)
{
	int fd = openat(proc, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned int left = STACKS_MAX;
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (left && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		uint64_t tid, sp;

		if (!pt_parse_number(&name, 10, &tid) || (pid_t)tid == pid)
			continue;
		left--;
		sp = pt_mem_read_sp(proc, (pid_t)tid);
		if (sp)
			claim_stack(mappings, sp, (pid_t)tid);
	}
	closedir(dir);
}

void pt_mappings_clear(struct pt_mappings *mappings)
{
	free(mappings->list);
	*mappings = (struct pt_mappings){0};
}
