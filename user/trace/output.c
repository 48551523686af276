/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTIAL_TRIES 100

struct pt_output {
	int fd;
	int dir;		  /* the folder; -1: no partial name */
	char *path;		  /* final, as the user gave it */
	char *name;		  /* its last part */
	char *partial;		  /* as a path, for people */
	const char *partial_name; /* its last part */
	bool finished;
};

static int set_paths(struct pt_output *output, const char *path)
{
	const char *slash = strrchr(path, '/');

	output->path = strdup(path);
	output->name = strdup(slash ? slash + 1 : path);
	return output->path && output->name ? 0 : -ENOMEM;
}

static int open_folder(struct pt_output *output, struct pt_error *err)
{
	size_t len = strlen(output->path) - strlen(output->name);
	char *folder = len ? strndup(output->path, len) : strdup(".");

	if (!folder)
		return pt_error_errno(err, -ENOMEM, "%s", output->path);
	output->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (output->dir < 0)
		return pt_error_errno(err, -errno, "%s: cannot open its folder", output->path);
	return 0;
}

/* In a folder where others may create files, a name they can foresee is a name they can occupy. */
static bool folder_is_shared(int dir)
{
	struct stat st;

	return fstat(dir, &st) < 0 || st.st_mode & (S_IWGRP | S_IWOTH);
}

static int partial_name(struct pt_output *output, bool shared, int attempt)
{
	uint64_t noise = 0;
	int len;

	free(output->partial);
	output->partial = NULL;
	if (shared && getrandom(&noise, sizeof(noise), 0) != sizeof(noise))
		return -EIO;
	if (shared)
		len = asprintf(&output->partial, "%s.partial.%016llx", output->path,
			       (unsigned long long)noise);
	else if (attempt)
		len = asprintf(&output->partial, "%s.partial.%d", output->path, attempt + 1);
	else
		len = asprintf(&output->partial, "%s.partial", output->path);
	if (len < 0) {
		output->partial = NULL;
		return -ENOMEM;
	}
	output->partial_name = output->partial + (strlen(output->path) - strlen(output->name));
	return 0;
}

/* A partial file that is there already may be all that is left of a recording that was killed: it
 * is left alone. */
static int create_partial(struct pt_output *output, struct pt_error *err)
{
	bool shared = folder_is_shared(output->dir);
	int ret = -EEXIST;

	for (int attempt = 0; ret == -EEXIST && attempt < PARTIAL_TRIES; attempt++) {
		ret = partial_name(output, shared, attempt);
		if (ret < 0)
			break;
		output->fd = openat(output->dir, output->partial_name,
				    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		ret = output->fd < 0 ? -errno : 0;
	}
	if (ret < 0)
		return pt_error_errno(err, ret, "%s: cannot create it",
				      output->partial ? output->partial : output->path);
	return 0;
}

static int open_stream(struct pt_output *output, struct pt_error *err)
{
	if (!strcmp(output->path, "-"))
		output->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		output->fd = openat(output->dir, output->name,
				    O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (output->fd < 0)
		return pt_error_errno(err, -errno, "%s: cannot open it for writing", output->path);
	if (isatty(output->fd))
		return pt_error_set(err, -EINVAL, "%s: a trace is not for a terminal",
				    output->path);
	output->partial = strdup(output->path);
	return output->partial ? 0 : -ENOMEM;
}

static int open_target(struct pt_output *output, struct pt_error *err)
{
	struct stat st;
	int ret;

	if (!strcmp(output->path, "-"))
		return open_stream(output, err);
	if (!*output->name)
		return pt_error_set(err, -EISDIR, "%s: a folder, not a file name", output->path);
	ret = open_folder(output, err);
	if (ret < 0)
		return ret;
	if (fstatat(output->dir, output->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return pt_error_errno(err, -errno, "%s", output->path);
		return create_partial(output, err);
	}
	if (S_ISREG(st.st_mode))
		return create_partial(output, err);
	if (S_ISLNK(st.st_mode))
		return pt_error_set(err, -ELOOP, "%s: a symbolic link, which is not followed",
				    output->path);
	if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
		return pt_error_set(err, -EINVAL,
				    "%s: neither a file, a FIFO nor a character device",
				    output->path);
	ret = open_stream(output, err);
	close(output->dir);
	output->dir = -1;
	return ret;
}

int pt_output_open(struct pt_output **out, const char *path, uid_t uid, gid_t gid,
		   struct pt_error *err)
{
	struct pt_output *output = calloc(1, sizeof(*output));
	int ret;

	if (!output)
		return pt_error_errno(err, -ENOMEM, "%s", path);
	output->fd = output->dir = -1;
	ret = set_paths(output, path);
	if (ret < 0) {
		pt_error_errno(err, ret, "%s", path);
		goto out;
	}
	ret = open_target(output, err);
	if (ret < 0)
		goto out;
	if (output->dir >= 0 && (uid != (uid_t)-1 || gid != (gid_t)-1) &&
	    fchown(output->fd, uid, gid) < 0) {
		ret = pt_error_errno(err, -errno, "%s: cannot give it to its owner",
				     output->partial);
		pt_output_abandon(output);
	}
out:
	if (ret < 0) {
		pt_output_free(output);
		output = NULL;
	}
	*out = output;
	return ret;
}

const char *pt_output_path(const struct pt_output *output)
{
	return output->partial;
}

static int write_all(int fd, const char *at, size_t len)
{
	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A pipe whose reader has gone is an error to report, not a signal to die of. */
static int write_stream(int fd, const char *at, size_t len)
{
	const struct timespec now = {0};
	sigset_t pipe, old;
	int ret;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &old);
	ret = write_all(fd, at, len);
	if (ret == -EPIPE && !sigismember(&old, SIGPIPE))
		sigtimedwait(&pipe, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int pt_output_write(struct pt_output *output, const void *data, size_t len, struct pt_error *err)
{
	int ret = output->dir < 0 ? write_stream(output->fd, data, len)
				  : write_all(output->fd, data, len);

	return ret < 0 ? pt_error_errno(err, ret, "%s: cannot write", output->partial) : 0;
}

int pt_output_sync(struct pt_output *output, struct pt_error *err)
{
	if (output->dir < 0 || fdatasync(output->fd) == 0)
		return 0;
	return pt_error_errno(err, -errno, "%s: cannot sync", output->partial);
}

/* Somebody else may write to the folder: what is renamed must be what was written. */
static int check_partial(const struct pt_output *output, struct pt_error *err)
{
	struct stat ours, there;

	if (fstat(output->fd, &ours) < 0 ||
	    fstatat(output->dir, output->partial_name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return pt_error_errno(err, -errno, "%s", output->partial);
	if (ours.st_dev != there.st_dev || ours.st_ino != there.st_ino)
		return pt_error_set(err, -ESTALE, "%s: replaced by somebody else", output->partial);
	return 0;
}

/* Exchanging leaves no moment without a file of that name; not every filesystem can. */
static int put_in_place(const struct pt_output *output, const char *old)
{
	int dir = output->dir;

	if (renameat2(dir, output->partial_name, dir, output->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST &&
	    renameat2(dir, output->partial_name, dir, output->name, RENAME_EXCHANGE) == 0)
		return renameat(dir, output->partial_name, dir, old) < 0 ? -errno : 0;
	if (renameat(dir, output->name, dir, old) < 0 && errno != ENOENT)
		return -errno;
	return renameat(dir, output->partial_name, dir, output->name) < 0 ? -errno : 0;
}

int pt_output_finish(struct pt_output *output, struct pt_error *err)
{
	char *old = NULL;
	int ret;

	if (output->dir < 0) {
		output->finished = true;
		return 0;
	}
	if (fsync(output->fd) < 0)
		return pt_error_errno(err, -errno, "%s: cannot sync", output->partial);
	ret = check_partial(output, err);
	if (ret < 0)
		return ret;
	if (asprintf(&old, "%s.old", output->name) < 0)
		return pt_error_errno(err, -ENOMEM, "%s", output->partial);
	ret = put_in_place(output, old);
	free(old);
	if (ret < 0)
		return pt_error_errno(err, ret, "%s: cannot rename it to %s", output->partial,
				      output->path);
	output->finished = true;
	fsync(output->dir);
	return 0;
}

void pt_output_abandon(struct pt_output *output)
{
	if (output->dir >= 0 && output->fd >= 0 && !output->finished &&
	    !check_partial(output, NULL))
		unlinkat(output->dir, output->partial_name, 0);
	output->finished = true;
}

void pt_output_free(struct pt_output *output)
{
	if (!output)
		return;
	if (output->fd >= 0)
		close(output->fd);
	if (output->dir >= 0)
		close(output->dir);
	free(output->path);
	free(output->name);
	free(output->partial);
	free(output);
}
