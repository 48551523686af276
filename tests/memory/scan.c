/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes snapshots of the processes named by pid and prints the records, one JSON object a line, and
 * then what smaps_rollup says of them. To be linked statically: a program that shares libraries
 * with the processes that it looks at changes what they weigh.
 *
 *   scan [-b PERCENT] [-f SECONDS] [-i SECONDS] [-u] PID...
 *
 * -b budget (100), -f take the first round, wait so long and end without a last one; otherwise only
 * the last round is taken, -i interval, -u without CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/types.h"
#include "bpf/records.h"
#include "capture/memory.h"

#define PATIENCE_NS 20000000000ULL
#define TICK	    0.05 /* s */

#define PRINT_FIELD(type, name, class, doc) printf(",\"%s\":%lld", #name, (long long)r->name);
#define PRINT_KIND(kind)                                                                           \
	case PT_KIND_##kind: {                                                                     \
		const struct pt_##kind *r = row;                                                   \
                                                                                                   \
		printf("{\"kind\":\"%s\"", #kind);                                                 \
		PT_FIELDS_##kind(PRINT_FIELD) printf("}\n");                                       \
		break;                                                                             \
	}

static volatile bool round_done;

static int emit(void *ctx, uint32_t kind, const void *row, const char *text, size_t text_len)
{
	(void)ctx;
	(void)text;
	(void)text_len;
	round_done = round_done || kind == PT_KIND_memory_group;
	switch (kind) {
		PRINT_KIND(memory)
		PRINT_KIND(memory_class)
		PRINT_KIND(memory_thread)
		PRINT_KIND(memory_share)
		PRINT_KIND(memory_common)
		PRINT_KIND(memory_group)
		PRINT_KIND(memory_pulse)
		PRINT_KIND(segment)
	default:
		return -EINVAL;
	}
	return 0;
}

static int drop_sys_admin(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static void print_rollup(const char *pid)
{
	char path[64], key[64];
	unsigned long long value;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
	file = fopen(path, "r");
	if (!file)
		return;
	printf("{\"kind\":\"rollup\",\"pid\":%s", pid);
	if (fscanf(file, "%*[^\n]") == 0) {
		while (fscanf(file, " %63[^:]: %llu kB", key, &value) == 2)
			printf(",\"%s\":%llu", key, value * 1024);
	}
	printf("}\n");
	fclose(file);
}

int main(int argc, char **argv)
{
	struct pt_memory_options options = {.budget_percent = 100, .emit = emit};
	struct pt_memory_scanner *scanner;
	struct pt_memory_stats stats;
	double first = 0, waited;
	struct pt_error err;
	int opt, i;

	while ((opt = getopt(argc, argv, "b:f:i:u")) != -1) {
		switch (opt) {
		case 'b':
			options.budget_percent = atof(optarg);
			break;
		case 'f':
			first = atof(optarg);
			break;
		case 'i':
			options.interval = atof(optarg);
			break;
		case 'u':
			if (drop_sys_admin())
				return 99;
			break;
		default:
			return 2;
		}
	}
	if (pt_memory_start(&scanner, &options, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (i = optind; i < argc; i++)
		pt_memory_add(scanner, atoi(argv[i]), 0);
	for (waited = 0; waited < first && (options.interval || !round_done); waited += TICK)
		usleep((unsigned int)(TICK * 1e6));
	if (!first)
		pt_memory_stop(scanner, PATIENCE_NS);
	pt_memory_stats(scanner, &stats);
	printf("{\"kind\":\"stats\",\"cpu_ns\":%llu,\"rounds\":%llu,\"longest_piece_ns\":%llu}\n",
	       (unsigned long long)stats.cpu_ns, (unsigned long long)stats.rounds,
	       (unsigned long long)stats.longest_piece_ns);
	for (i = optind; i < argc; i++)
		print_rollup(argv[i]);
	pt_memory_free(scanner);
	return 0;
}
