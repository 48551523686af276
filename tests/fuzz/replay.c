/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a fuzz target once on every file of the named folders: the corpus, and everything that ever
 * failed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data = malloc(1 << 20);
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file || !data) {
		perror(path);
		exit(99);
	}
	size = fread(data, 1, 1 << 20, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	int passed = 0;

	for (int a = 1; a < argc; a++) {
		DIR *dir = opendir(argv[a]);
		struct dirent *entry;

		while (dir && (entry = readdir(dir)))
			if (entry->d_name[0] != '.')
				passed += replay(argv[a], entry->d_name);
		if (dir)
			closedir(dir);
	}
	printf("%d passed, 0 failed\n", passed);
	return passed ? 0 : 99;
}
