/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * While a heap grows evenly the room wakes by itself before too little is ready, so that no thread has to wake it; where
 * nothing is taken, or little, it sleeps until it is woken.  The test is the thread and the room, with a clock of its own.
 */
#include "heap.h"

#include "room/arena.h"
#include "room/pages.h"

enum { MS = 1000000, HEAP = 1500, PER_MS = 10 };

static uint64_t now = 1000 * (uint64_t)MS;

static void take(unsigned slabs) {
    bool in_memory;
    while (slabs-- > 0)
        CHECK(ng_pages_slab(true, &in_memory) != NG_NO_SLAB);
}

static void make_ready(void) {
    while (ng_pages_wanted())
        CHECK(ng_pages_ahead());
}

static void grow_for(unsigned ms) {
    for (unsigned i = 0; i < ms; i++, now += MS) {
        (void)ng_pages_nap(now);
        take(PER_MS);
        make_ready();
    }
}

int main(void) {
    if (TEST_SANITIZED)
        test_skip("a sanitizer has shadows of its own");
    test_begin();
    heap_free(heap_alloc(1));
    CHECK(ng_pages_nap(now) == 0, "a nap although nothing was ever taken");
    grow_for(HEAP / PER_MS);

    uint64_t nap = ng_pages_nap(now);
    dprintf(1, "%llu us at %d slabs a ms\n", (unsigned long long)(nap / 1000), PER_MS);
    CHECK(nap >= MS / 2 && nap <= 10 * MS, "a nap of %llu ns", (unsigned long long)nap);
    unsigned meanwhile = (unsigned)(nap * PER_MS / MS);
    uint64_t had = ng_load(&ng_arena.ahead, NG_RELAXED);
    take(meanwhile);
    uint64_t left = ng_load(&ng_arena.ahead, NG_RELAXED);
    CHECK(ng_pages_wanted(), "the nap ends too early: %llu of %llu slabs left", (unsigned long long)left,
          (unsigned long long)had);
    CHECK(had - left == meanwhile && left * 2 > had, "the nap ends too late: %llu of %llu slabs left",
          (unsigned long long)left, (unsigned long long)had);
    now += nap;
    make_ready();

    now += 20 * (uint64_t)MS;
    take(1);
    make_ready();
    CHECK(ng_pages_nap(now) == 0 || ng_pages_nap(now) >= MS / 2);
    now += 100 * (uint64_t)MS;
    take(1);
    CHECK(ng_pages_nap(now) == 0, "a nap where threads wake the room seldom enough");
    now += MS;
    CHECK(ng_pages_nap(now) == 0, "a nap where nothing is taken");
    return 0;
}
