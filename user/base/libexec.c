/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/libexec.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int pt_libexec_find(const char *name, char *path, size_t size, struct pt_error *err)
{
	static const char *const places[] = {"libexec/partrace", "../libexec/partrace"};
	char folder[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	size_t i;

	if (length < 0)
		return pt_error_errno(err, -errno, "cannot find the program itself");
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int n = snprintf(path, size, "%s/%s/%s", folder, places[i], name);

		if (n >= 0 && (size_t)n < size && access(path, R_OK) == 0)
			return 0;
	}
	return pt_error_set(err, -ENOENT, "%s is not installed with this program in %s", name,
			    folder);
}
