/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Blocks that are filled are faulted in a slab or a block at a time, by a thread without a room too.  Metadata is faulted in
 * some pages at a time: a program that allocates and frees blocks which it does not touch takes far fewer faults than its
 * metadata has pages.
 * Usage: few_faults filled|untouched
 */
#include "heap.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>

enum { BLOCKS = 2000000, SIZE = 16, MOST_FAULTS = 25 };

static void *blocks[BLOCKS];

static int counter;

/* getrusage counts pages that madvise faults in too; this counts how often the program was stopped for one. */
static void begin_to_count(void) {
    struct perf_event_attr what = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof what, .config = PERF_COUNT_SW_PAGE_FAULTS, .exclude_hv = 1};
    counter = (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (counter < 0)
        test_skip("the kernel counts no page faults for this user");
}

static long faults(void) {
    uint64_t count;
    CHECK(read(counter, &count, sizeof count) == sizeof count);
    return (long)count;
}

/* In an order that comes by each slab often, so that few of their bitmaps can be reused. */
static void free_all(void) {
    enum { STEP = 9973 };
    for (size_t first = 0; first < STEP; first++)
        for (size_t i = first; i < BLOCKS; i += STEP)
            heap_free(blocks[i]);
}

/* 32 MiB more of blocks of this size, filled: one fault at most for so many of their pages. */
static void expect_few(size_t size, int pages_a_fault) {
    enum { BYTES = 32 << 20 };
    long before = faults(), pages = BYTES / sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < BYTES / size; i++)
        memset(heap_alloc(size), 1, size);
    long taken = faults() - before;
    dprintf(1, "%ld faults for %ld pages of blocks of %zu bytes\n", taken, pages, size);
    CHECK(TEST_SANITIZED || taken * pages_a_fault <= pages, "%ld faults for %ld pages of blocks of %zu bytes", taken,
          pages, size);
}

static void expect_few_filled(void) {
    expect_few(200, 32);
    expect_few(6000, 8);
    expect_few(100000, 4);
    expect_few(1000000, 2);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    test_begin();
    begin_to_count();
    if (strcmp(argv[1], "filled") == 0) {
        expect_few_filled();
        return 0;
    }
    memset(blocks, 1, sizeof blocks);
    heap_free(heap_alloc(SIZE));
    long before = faults();
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = heap_alloc(SIZE);
    long grown = faults() - before;
    free_all();
    long freed = faults() - before - grown;
    size_t pages = (size_t)BLOCKS / 8 / 4096; /* of the bitmaps alone */
    dprintf(1, "%ld faults to allocate, %ld to free; the bitmaps have %zu pages\n", grown, freed, pages);
    CHECK(TEST_SANITIZED || freed <= MOST_FAULTS, "%ld faults where bitmaps of %zu pages are filled", freed, pages);
    return 0;
}
