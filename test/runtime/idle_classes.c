/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a thread's caches keep of one phase does not cost the next one memory: few blocks, spread over many slabs of sizes
 * that nobody asks for any more, must not keep all those slabs while the program grows with other sizes.
 */
#include "heap.h"

enum { LIVE = 160000, PASSING = 4000, MORE = 60000 };

static void *live[LIVE + MORE], *passing[PASSING];

static void grow(size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        live[i] = heap_alloc(64);
        CHECK(live[i] != NULL);
        memset(live[i], 1, 64);
    }
}

/* Freed in an order that leaves the last of them, which the caches keep, far apart. */
static void pass(size_t size) {
    for (size_t i = 0; i < PASSING; i++) {
        passing[i] = heap_alloc(size);
        CHECK(passing[i] != NULL);
        memset(passing[i], 2, size);
    }
    for (size_t i = 0; i < PASSING; i++)
        heap_free(passing[i * 1237 % PASSING]);
}

int main(void) {
    test_begin();
    memset(live, 1, sizeof live); /* so that what lies outside the heap is in memory already */
    memset(passing, 1, sizeof passing);
    size_t start = test_rss();
    grow(0, LIVE);
    pass(640);
    grow(LIVE, LIVE + MORE);
    size_t used = test_rss() - start, needed = (size_t)(LIVE + MORE) * 64;
    dprintf(1, "resident: %zu KiB for %zu KiB\n", used >> 10, needed >> 10);
    /* Caches, slabs that are begun, and what the room faults in ahead: 0.3 to 1.2 MiB; with all slabs kept 2.6. */
    CHECK(TEST_SANITIZED || used <= needed + (2u << 20), "resident %zu KiB for %zu KiB in blocks", used >> 10,
          needed >> 10);
    for (size_t i = 0; i < LIVE + MORE; i++)
        heap_free(live[i]);
    return 0;
}
