/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/memory_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parse.h"
#include "bpf/records.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define ENTRY_NUMBER	((1ULL << 55) - 1)
#define ENTRY_EXCLUSIVE (1ULL << 56) /* mapped once; since Linux 4.2 */
#define ENTRY_FILE	(1ULL << 61) /* of a file or shared memory, not anonymous */
#define ENTRY_SWAP	(1ULL << 62)
#define ENTRY_PRESENT	(1ULL << 63)

/* Entries per read: about 50 us of walking. */
#define READ_ENTRIES 4096

/* Only mappings larger than this are asked for holes. */
#define HOLES_FROM (32ULL << 20)

/* Addresses searched for the end of a hole in one call, during which mmap_lock is held. */
#define HOLE_STEP (256ULL << 20)

/* Without a way to skip holes, reserved addresses beyond this are not read. */
#define RESERVE_MAX (1ULL << 30)

/* ioctl PAGEMAP_SCAN, since Linux 6.7: older headers do not have it. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_args {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL   _IOWR('f', 16, struct scan_args)
#define SCAN_PRESENT (1ULL << 3)
#define SCAN_SWAPPED (1ULL << 4)

struct pt_pages {
	size_t page;
	int kpagecount; /* -1: not there */
	bool hidden;
	bool has_scan;
	uint64_t zero; /* frame of the page of zeroes that the kernel lends to readers */
	uint64_t huge_zero, huge_zero_pages; /* its huge sister, as frames */
	void *held;			     /* keeps the huge one where it is */
	size_t held_size;
	uint64_t entries[READ_ENTRIES];
	uint64_t shared[READ_ENTRIES]; /* frames of this read that others map too */
	uint64_t counts[READ_ENTRIES];
};

struct walk {
	struct pt_pages *pages;
	const struct pt_pages_options *options;
	struct pt_pages_sum *sum;
	int pagemap;
};

static int read_entries(int pagemap, uint64_t address, size_t page, uint64_t *entries, size_t count)
{
	ssize_t n = pread(pagemap, entries, count * sizeof(*entries),
			  (off_t)(address / page * sizeof(*entries)));

	return n < 0 ? -errno : (int)((size_t)n / sizeof(*entries));
}

static size_t huge_page_size(void)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "re");
	char line[32] = "";
	const char *at = line;
	uint64_t size = 0;

	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file))
		pt_parse_number(&at, 10, &size);
	fclose(file);
	return size;
}

/* Reads an untouched page of our own: its frame is the shared page of zeroes. */
static int find_zero(struct pt_pages *pages, int pagemap)
{
	volatile char *map = mmap(NULL, pages->page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t entry = 0;

	if (map == MAP_FAILED)
		return -ENOMEM;
	(void)*map;
	read_entries(pagemap, (uintptr_t)map, pages->page, &entry, 1);
	munmap((void *)map, pages->page);
	pages->zero = entry & ENTRY_NUMBER;
	pages->hidden = !pages->zero;
	return 0;
}

static void find_huge_zero(struct pt_pages *pages, int pagemap)
{
	size_t size = huge_page_size();
	uint64_t entry = 0;
	char *aligned;

	if (!size)
		return;
	pages->held_size = size * 2;
	pages->held = mmap(NULL, pages->held_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pages->held == MAP_FAILED) {
		pages->held = NULL;
		return;
	}
	aligned = (char *)pages->held + (size - (uintptr_t)pages->held % size) % size;
	madvise(aligned, size, MADV_HUGEPAGE);
	(void)*(volatile char *)aligned;
	read_entries(pagemap, (uintptr_t)aligned, pages->page, &entry, 1);
	if ((entry & ENTRY_NUMBER) == pages->zero)
		return;
	pages->huge_zero = entry & ENTRY_NUMBER;
	pages->huge_zero_pages = size / pages->page;
}

/* The first address from `from` on that is backed by a page or by swap, or `to`. */
static int64_t scan(int pagemap, uint64_t from, uint64_t to)
{
	struct scan_region region;
	struct scan_args args = {
		.size = sizeof(args),
		.start = from,
		.end = to,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.max_pages = 1,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_PRESENT,
	};
	int n = ioctl(pagemap, SCAN_IOCTL, &args);

	if (n < 0)
		return -errno;
	return (int64_t)(n ? region.start : to);
}

int pt_pages_new(struct pt_pages **out)
{
	struct pt_pages *pages = calloc(1, sizeof(*pages));
	int pagemap, ret;

	if (!pages)
		return -ENOMEM;
	pages->page = (size_t)sysconf(_SC_PAGESIZE);
	pages->kpagecount = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ret = pagemap < 0 ? -errno : find_zero(pages, pagemap);
	if (!ret && !pages->hidden)
		find_huge_zero(pages, pagemap);
	if (!ret)
		pages->has_scan = scan(pagemap, 0, pages->page) >= 0;
	if (pagemap >= 0)
		close(pagemap);
	if (ret) {
		pt_pages_free(pages);
		return ret;
	}
	*out = pages;
	return 0;
}

bool pt_pages_hidden(const struct pt_pages *pages)
{
	return pages->hidden;
}

size_t pt_pages_size(const struct pt_pages *pages)
{
	return pages->page;
}

static bool is_zero(const struct pt_pages *pages, uint64_t number)
{
	return !pages->hidden &&
	       (number == pages->zero || number - pages->huge_zero < pages->huge_zero_pages);
}

/*
 * Adds up what the frames in pages->shared weigh when each is divided by the mappings it has: bytes
 * << 12, rounded down page by page, as the kernel does.
 */
static uint64_t weigh_shared(struct pt_pages *pages, size_t count)
{
	uint64_t whole = (uint64_t)pages->page << 12, sum = 0;
	size_t i = 0, j, length;

	while (i < count) {
		ssize_t n;

		for (length = 1; i + length < count; length++) {
			if (pages->shared[i + length] != pages->shared[i] + length)
				break;
		}
		n = pread(pages->kpagecount, pages->counts, length * sizeof(uint64_t),
			  (off_t)(pages->shared[i] * sizeof(uint64_t)));
		for (j = 0; j < length; j++) {
			bool known = n > 0 && j < (size_t)n / sizeof(uint64_t) && pages->counts[j];

			sum += known ? whole / pages->counts[j] : whole;
		}
		i += length;
	}
	return sum;
}

/* The kernel's own pages (vdso) have neither a file nor an anonymous owner; it counts them with files. */
static enum pt_frame_kind kind_of(const struct pt_mapping *map, uint64_t entry)
{
	if (!(entry & ENTRY_FILE))
		return PT_FRAME_ANON;
	if (map->backing == PT_BACKING_SHMEM || map->backing == PT_BACKING_HUGETLB)
		return PT_FRAME_SHMEM;
	return PT_FRAME_FILE;
}

/* Pages that the kernel does not count either: lent zeroes, device memory, vvar. */
static bool is_special(const struct pt_pages *pages, const struct pt_mapping *map, uint64_t entry)
{
	return is_zero(pages, entry & ENTRY_NUMBER) ||
	       (!(entry & ENTRY_FILE) &&
		(map->shared || (map->class == PT_MAPPING_SPECIAL && !map->inode)));
}

/* Figures of one read, in pages; pss in bytes << 12. */
struct tally {
	uint64_t rss, uss, uss_file, shared_file, swap, hugetlb, pss;
	size_t shared;
};

static int tally_entry(struct walk *walk, const struct pt_mapping *map, uint64_t entry,
		       struct tally *tally)
{
	struct pt_pages *pages = walk->pages;
	enum pt_frame_kind kind = kind_of(map, entry);
	uint64_t number = entry & ENTRY_NUMBER;

	if (entry & ENTRY_SWAP)
		tally->swap++;
	if (!(entry & ENTRY_PRESENT) || is_special(pages, map, entry))
		return 0;
	if (map->backing == PT_BACKING_HUGETLB) {
		tally->hugetlb++;
	} else {
		tally->rss++;
		if (entry & ENTRY_EXCLUSIVE) {
			tally->uss++;
			tally->uss_file += kind == PT_FRAME_FILE;
		} else {
			tally->shared_file += kind == PT_FRAME_FILE;
			pages->shared[tally->shared++] = number;
		}
	}
	if (!walk->options->frames || pages->hidden)
		return 0;
	return pt_frames_add(walk->options->frames, number, kind);
}

static void take_tally(struct walk *walk, struct pt_mapping *map, const struct tally *tally)
{
	struct pt_pages_sum *sum = walk->sum;
	size_t page = walk->pages->page;
	double r = (double)tally->rss, u = (double)tally->uss;
	double p = (double)tally->pss / (double)(page << 12);

	map->rss += tally->rss * page;
	map->uss += tally->uss * page;
	map->swap += tally->swap * page;
	map->pss += tally->pss;
	sum->rss += tally->rss * page;
	sum->uss += tally->uss * page;
	sum->swap += tally->swap * page;
	sum->pss += tally->pss;
	sum->hugetlb += tally->hugetlb * page;
	sum->uss_file += tally->uss_file * page;
	sum->shared_file += tally->shared_file * page;
	sum->rr += r * r;
	sum->rp += r * p;
	sum->ru += r * u;
	sum->pp += p * p;
	sum->uu += u * u;
}

/* Entries of [from, to) of one mapping, at most READ_ENTRIES. The number read, or a negative errno.
 */
static int walk_range(struct walk *walk, struct pt_mapping *map, uint64_t from, uint64_t to)
{
	struct pt_pages *pages = walk->pages;
	struct tally tally = {0};
	int n = read_entries(walk->pagemap, from, pages->page, pages->entries,
			     (to - from) / pages->page);
	int i, ret;

	for (i = 0; i < n; i++) {
		if (!pages->entries[i])
			continue;
		ret = tally_entry(walk, map, pages->entries[i], &tally);
		if (ret)
			return ret;
	}
	if (n <= 0)
		return n ? n : -ESRCH;
	tally.pss = tally.uss * ((uint64_t)pages->page << 12);
	if (walk->sum->pss_known)
		tally.pss += weigh_shared(pages, tally.shared);
	take_tally(walk, map, &tally);
	return n;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x7fb5d329728ea185ULL;
	x = (x ^ x >> 27) * 0x81dadef4bc2dd44dULL;
	return x ^ x >> 33;
}

/*
 * Whether the piece at `address` belongs to the sample. What processes share, they share at the
 * same offset of one file, or, after fork, at the same address: by such a key the same pieces are
 * chosen in all of them, and what is common to two samples is a sample of what is common to the two
 * processes.
 */
static bool is_chosen(const struct pt_mapping *map, uint64_t address, unsigned int shift)
{
	uint64_t key = address / PT_PAGES_PIECE;

	if (map->backing != PT_BACKING_NONE)
		key = mix(mix(map->inode) + map->dev) +
		      (address - map->start + map->offset) / PT_PAGES_PIECE;
	return !(mix(key) & ((1ULL << shift) - 1));
}

/* End of the piece that `address` lies in. */
static uint64_t piece_end(const struct pt_mapping *map, uint64_t address)
{
	uint64_t position = address;

	if (map->backing != PT_BACKING_NONE)
		position = address - map->start + map->offset;
	return address + PT_PAGES_PIECE - position % PT_PAGES_PIECE;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Moves *at over addresses that nothing is behind. */
static int skip_hole(struct walk *walk, const struct pt_mapping *map, uint64_t *at)
{
	while (map->end - map->start > HOLES_FROM && *at < map->end) {
		uint64_t to = min_u64(map->end, *at + HOLE_STEP);
		int64_t found = scan(walk->pagemap, *at, to);

		if (found < 0)
			return (int)found;
		*at = (uint64_t)found;
		if (*at < to)
			break;
	}
	return 0;
}

/* The next stretch at or behind *at that is to be read, in one read; empty at the end of the
 * mapping. */
static int next_range(struct walk *walk, const struct pt_mapping *map, uint64_t *at, uint64_t *end)
{
	unsigned int shift = walk->options->shift;
	uint64_t from;
	int ret;

	while (*at < map->end) {
		if (shift && !is_chosen(map, *at, shift)) {
			*at = min_u64(map->end, piece_end(map, *at));
			continue;
		}
		from = *at;
		ret = walk->pages->has_scan ? skip_hole(walk, map, at) : 0;
		if (ret)
			return ret;
		if (*at == from)
			break;
	}
	*end = shift ? min_u64(map->end, piece_end(map, *at)) : map->end;
	*end = min_u64(*end, *at + READ_ENTRIES * walk->pages->page);
	return 0;
}

static int walk_mapping(struct walk *walk, struct pt_mapping *map)
{
	uint64_t at = map->start, end;
	int ret;

	for (;;) {
		ret = next_range(walk, map, &at, &end);
		if (ret || at >= map->end)
			return ret;
		ret = walk_range(walk, map, at, end);
		if (ret < 0)
			return ret;
		at += (uint64_t)ret * walk->pages->page;
		ret = pt_pace_piece(walk->options->pace);
		if (ret)
			return ret;
	}
}

static bool is_readable(struct walk *walk, const struct pt_mapping *map)
{
	if (map->start > INT64_MAX)
		return false; /* vsyscall: in the kernel's half, and nobody's memory */
	if (walk->pages->has_scan || map->readable || map->end - map->start < RESERVE_MAX)
		return true;
	walk->sum->cut = true;
	return false;
}

int pt_pages_walk(struct pt_pages *pages, int proc, struct pt_mappings *mappings,
		  const struct pt_pages_options *options, struct pt_pages_sum *sum)
{
	struct walk walk = {.pages = pages, .options = options, .sum = sum};
	size_t i;
	int ret = 0;

	*sum = (struct pt_pages_sum){
		.pss_known = !pages->hidden && pages->kpagecount >= 0,
		.cut = mappings->cut,
	};
	walk.pagemap = openat(proc, "pagemap", O_RDONLY | O_CLOEXEC);
	if (walk.pagemap < 0)
		return -errno;
	for (i = 0; !ret && i < mappings->count; i++) {
		if (is_readable(&walk, &mappings->list[i]))
			ret = walk_mapping(&walk, &mappings->list[i]);
	}
	close(walk.pagemap);
	return ret;
}

double pt_pages_error(const struct pt_pages_sum *sum, uint64_t total, double y, double ry,
		      double yy, size_t page)
{
	double x = (double)sum->rss / (double)page, n = (double)total / (double)page;
	double ratio, residuals, part;

	if (x <= 0 || x >= n)
		return 0;
	ratio = y / x;
	part = x / n;
	residuals = yy - 2 * ratio * ry + ratio * ratio * sum->rr;
	return residuals > 0 ? sqrt((1 - part) * residuals) / part * (double)page : 0;
}

void pt_pages_free(struct pt_pages *pages)
{
	if (!pages)
		return;
	if (pages->kpagecount >= 0)
		close(pages->kpagecount);
	if (pages->held)
		munmap(pages->held, pages->held_size);
	free(pages);
}
