/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What the room faults in ahead of use is not more memory than the program would have touched: blocks of 16 KiB and large
 * ones of which it uses one page, blocks that end within a slab, and the same after blocks that were filled, which the room
 * does fault in.
 */
#include "heap.h"

#include <sys/resource.h>
#include <time.h>

#ifdef TEST_PLAIN
static uint64_t faults_ahead(void) { return 0; }
static bool room_works(void) { return false; }
static bool room_has_work(void) { return true; }
static bool small_pages(void) { return true; }
#else
#include "room/expect.h"
#include "room/options.h"
#include "room/pages.h"
#include "room/room.h"

static uint64_t faults_ahead(void) { return ng_pages_faults(); }
/* It may rest where nobody asked for it. */
static bool room_works(void) { return ng_options.server == NG_ON && ng_room_present() && !TEST_SANITIZED; }
static bool room_has_work(void) { return ng_expect_waiting() || ng_room_awake(); }
/* Where a fault is a page. */
static bool small_pages(void) { return ng_options.thp == NG_OFF; }
#endif

enum { KIB = 1024, BLOCKS = 400, NAP_NS = 200000, MOST_NAPS = 5000 };

static void *blocks[8 * BLOCKS];
static size_t count;

static long own_faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_THREAD, &usage) == 0);
    return usage.ru_minflt;
}

/* One block more, so many bytes of it touched; the room has time to do what it thinks best. */
static void allocate(size_t size, size_t touched) {
    char *block = (char *)heap_alloc(size);
    CHECK(block != NULL);
    memset(block, 1, touched);
    blocks[count++] = block;
    int naps = 0;
    do
        nanosleep(&(struct timespec){0, NAP_NS}, NULL);
    while (room_works() && room_has_work() && ++naps < MOST_NAPS);
}

/* What so many more blocks make resident, in KiB. */
static size_t grow(size_t number, size_t size, size_t touched) {
    size_t before = test_rss();
    for (size_t i = 0; i < number; i++)
        allocate(size, touched);
    return (test_rss() - before) / KIB;
}

static void expect(const char *what, size_t resident, size_t most) {
    dprintf(1, "%s: %zu KiB resident, %zu allowed\n", what, resident, most);
    CHECK(TEST_SANITIZED || resident <= most, "%s: %zu KiB resident, not %zu", what, resident, most);
}

/* Slabs of four blocks: three that come as they were, a look at the first, and every 16th comes so again. */
static void blocks_of_pages(void) {
    expect("a page of each 16 KiB", grow(BLOCKS, 16 * KIB, 1), BLOCKS * 4 + 4 * KIB);
    long own = own_faults();
    expect("blocks of 16 KiB, filled", grow(BLOCKS, 16 * KIB, 16 * KIB), BLOCKS * 16 + 4 * KIB);
    own = own_faults() - own;
    CHECK(!room_works() || own <= BLOCKS * 4 / 4, "the program took %ld faults for %d pages", own, BLOCKS * 4);
    expect("a page of each 16 KiB, after those", grow(BLOCKS, 16 * KIB, 1), BLOCKS * 4 + 20 * 64 + 4 * KIB);
}

int main(void) {
    test_begin();
    memset(blocks, 1, sizeof blocks); /* so that what lies outside the heap is in memory already */
    grow(BLOCKS, 4000, 4000);         /* the room starts, and has ready what it thinks of small blocks */
    blocks_of_pages();
    expect("a page of each MiB", grow(BLOCKS, 1024 * KIB, 1), BLOCKS * 4 + 4 * KIB);
    expect("blocks that end within a slab", grow(BLOCKS, 66 * KIB, 66 * KIB), BLOCKS * 68 + 4 * KIB);
    uint64_t before = faults_ahead();
    long own = own_faults();
    expect("blocks of 512 KiB, filled", grow(BLOCKS / 2, 512 * KIB, 512 * KIB), BLOCKS / 2 * 512 + 4 * KIB);
    uint64_t ahead = faults_ahead() - before;
    own = own_faults() - own;
    CHECK(!room_works() || own <= BLOCKS / 2 * 128 / 4, "the program took %ld faults for %d pages", own,
          BLOCKS / 2 * 128);
    CHECK(!room_works() || !small_pages() || ahead >= BLOCKS / 2 * 128 * 3 / 4, "the room faulted in %llu pages of %d",
          (unsigned long long)ahead, BLOCKS / 2 * 128);
    /* The room trusts its last look for 16 blocks, and looks when two more have come. */
    expect("a page of each 512 KiB, after those", grow(BLOCKS, 512 * KIB, 1), BLOCKS * 4 + 20 * 512 + 4 * KIB);
    for (size_t i = 0; i < count; i++)
        heap_free(blocks[i]);
    return 0;
}
