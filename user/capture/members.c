/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"

#define LOOK_NS	   1000000000 /* between two looks, at least */
#define REST	   100	      /* times as long as the last look took is there none */
#define ROUNDS_MAX 16	      /* of one look: somebody may move tasks about for ever */

struct tids {
	uint32_t *id;
	size_t count, room;
};

struct paths {
	char **path;
	size_t count, room;
};

struct pt_members {
	struct paths roots;
	struct paths todo; /* folders of cgroups that are still to be read, of the look under way */
	struct tids known; /* in order: they were there at the last look, and are targets */
	struct tids found; /* of the look under way */
	uint64_t next_look; /* CLOCK_MONOTONIC ns: not before */
	bool gone;
};

/* Takes over `path`, which may be NULL: without memory. */
static int push_path(struct paths *paths, char *path)
{
	char **grown = path ? pt_array_grow(paths->path, paths->count, &paths->room, sizeof(*grown))
			    : NULL;

	if (!grown) {
		free(path);
		return -ENOMEM;
	}
	paths->path = grown;
	grown[paths->count++] = path;
	return 0;
}

static void clear_paths(struct paths *paths)
{
	while (paths->count)
		free(paths->path[--paths->count]);
	free(paths->path);
}

static int push_tid(struct tids *tids, uint32_t tid)
{
	uint32_t *grown = pt_array_grow(tids->id, tids->count, &tids->room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	tids->id = grown;
	grown[tids->count++] = tid;
	return 0;
}

static char *join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* 1 if it is the folder of a cgroup, 0 if it is something else, or a negative errno. */
static int is_cgroup(const char *path)
{
	struct statfs fs = {0};
	int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = folder < 0 || fstatfs(folder, &fs) ? -errno : 0;

	if (folder >= 0)
		close(folder);
	if (r)
		return r == -ENOTDIR ? 0 : r;
	return fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC;
}

/* Where version 2 is mounted, to be freed; NULL: nowhere. *any: some version is mounted. */
static char *find_mount(bool *any)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;
	char *found = NULL;

	*any = false;
	while (mounts && !found && (mount = getmntent(mounts))) {
		*any |= !strncmp(mount->mnt_type, "cgroup", strlen("cgroup"));
		if (!strcmp(mount->mnt_type, "cgroup2"))
			found = strdup(mount->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static int refuse(const char *name, int folder, bool mounted, bool unified, struct pt_error *err)
{
	if (folder == 0)
		return pt_error_set(err, -ENOTDIR, "'%s' is not a cgroup", name);
	if (!mounted)
		return pt_error_set(err, -ENOTSUP, "no cgroup file system is mounted");
	if (folder != -ENOENT)
		return pt_error_errno(err, folder, "cannot look at the cgroup '%s'", name);
	if (!unified)
		return pt_error_set(
			err, -ENOENT,
			"there is no cgroup '%s'; where version 2 is not mounted it is named "
			"by its folder",
			name);
	return pt_error_set(err, -ENOENT, "there is no cgroup '%s'", name);
}

static int add_root(struct pt_members *members, const char *name, struct pt_error *err)
{
	bool mounted;
	char *mount = find_mount(&mounted), *below = mount ? join(mount, name) : NULL;
	int folder = *name == '/' ? is_cgroup(name) : -ENOENT;
	int inside = below ? is_cgroup(below) : -ENOENT, r;

	if (folder > 0)
		r = push_path(&members->roots, strdup(name));
	else if (inside > 0)
		r = push_path(&members->roots, strdup(below));
	else
		r = refuse(name, folder == -ENOENT ? inside : folder, mounted, mount != NULL, err);
	if (r == -ENOMEM)
		pt_error_errno(err, r, "cannot start recording");
	free(below);
	free(mount);
	return r;
}

int pt_members_open(struct pt_members **out, const char *const *names, size_t count,
		    struct pt_error *err)
{
	struct pt_members *members = calloc(1, sizeof(*members));
	int r = 0;

	*out = members;
	if (!members)
		return pt_error_errno(err, -ENOMEM, "cannot start recording");
	for (size_t i = 0; !r && i < count; i++)
		r = add_root(members, names[i], err);
	return r;
}

/*
 * The tasks of one cgroup. One that goes away meanwhile has none. Threads, not processes: they can be in several cgroups,
 * and a cgroup of threads does not tell its processes.
 */
static int read_tasks(struct pt_members *members, const char *folder)
{
	static const char *const names[] = {"cgroup.threads", "tasks"};
	FILE *file = NULL;
	char line[32];
	int r = 0;

	for (size_t i = 0; !file && i < 2; i++) {
		char *path = join(folder, names[i]);

		if (!path)
			return -ENOMEM;
		file = fopen(path, "re");
		free(path);
	}
	/* 0 is a task that our pid namespace does not see. */
	while (!r && file && fgets(line, sizeof(line), file)) {
		unsigned long tid = strtoul(line, NULL, 10);

		r = tid ? push_tid(&members->found, (uint32_t)tid) : 0;
	}
	if (file)
		fclose(file);
	return r;
}

static int push_folders(struct pt_members *members, const char *folder, bool *exists)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int r = 0;

	*exists = dir != NULL;
	while (!r && dir && (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
		    strcmp(entry->d_name, ".."))
			r = push_path(&members->todo, join(folder, entry->d_name));
	}
	if (dir)
		closedir(dir);
	return r;
}

/* One cgroup and all below. */
static int read_tree(struct pt_members *members, const char *root)
{
	bool exists, is_root = true;
	int r = push_path(&members->todo, strdup(root));

	while (!r && members->todo.count) {
		char *folder = members->todo.path[--members->todo.count];

		r = push_folders(members, folder, &exists);
		if (!r && exists)
			r = read_tasks(members, folder);
		members->gone &= !(is_root && exists);
		is_root = false;
		free(folder);
	}
	return r;
}

static int compare_tids(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

/* Keeps what is there, and puts into `fresh` who was not there before. */
static int sort_out(struct pt_members *members, struct tids *fresh)
{
	struct tids *found = &members->found, *known = &members->known, old = *known;
	size_t at = 0;
	int r = 0;

	if (found->count)
		qsort(found->id, found->count, sizeof(*found->id), compare_tids);
	for (size_t i = 0; !r && i < found->count; i++) {
		while (at < known->count && known->id[at] < found->id[i])
			at++;
		if (at == known->count || known->id[at] != found->id[i])
			r = push_tid(fresh, found->id[i]);
	}
	*known = *found;
	*found = old;
	return r;
}

/* *marked: how many were found that were no targets. */
static int look_once(struct pt_members *members, struct pt_probes *probes, uint32_t *marked,
		     struct pt_error *err)
{
	struct tids fresh = {0};
	uint32_t found, count;
	int r = 0;

	*marked = 0;
	members->found.count = 0;
	members->gone = true;
	for (size_t i = 0; !r && i < members->roots.count; i++)
		r = read_tree(members, members->roots.path[i]);
	if (!r)
		r = sort_out(members, &fresh);
	if (r)
		pt_error_errno(err, r, "cannot look at the cgroups");
	for (size_t at = 0; !r && at < fresh.count; at += count) {
		count = (uint32_t)(fresh.count - at);
		if (count > PT_PROBES_TASKS)
			count = PT_PROBES_TASKS;
		r = pt_probes_mark_tasks(probes, fresh.id + at, count, &found, err);
		*marked += r ? 0 : found;
	}
	free(fresh.id);
	return r;
}

int pt_members_look(struct pt_members *members, struct pt_probes *probes, struct pt_error *err)
{
	uint64_t began = pt_clock_read(CLOCK_MONOTONIC), took;
	uint32_t marked = 1;
	int r = 0;

	if (began < members->next_look)
		return 0;
	/* Who was found may have made others before it was marked: again, until nobody new is found. */
	for (int round = 0; !r && marked && round < ROUNDS_MAX; round++)
		r = look_once(members, probes, &marked, err);
	took = pt_clock_read(CLOCK_MONOTONIC) - began;
	members->next_look = began + (took * REST > LOOK_NS ? took * REST : LOOK_NS);
	return r;
}

bool pt_members_gone(const struct pt_members *members)
{
	return members->gone;
}

void pt_members_free(struct pt_members *members)
{
	if (!members)
		return;
	clear_paths(&members->roots);
	clear_paths(&members->todo);
	free(members->known.id);
	free(members->found.id);
	free(members);
}
