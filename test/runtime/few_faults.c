/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Metadata is faulted in some pages at a time: a program that allocates and frees blocks which it does not touch takes far
 * fewer faults than its metadata has pages.
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

int main(void) {
    test_begin();
    begin_to_count();
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
