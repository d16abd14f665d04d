/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Which kind of page a growing heap gets, by what pages cost: the figures come from here instead of a clock.  And that a thread
 * which finds no slab ready takes a whole chunk, where that is one page, and leaves the rest for the next ones.
 */
#include "heap.h"

#include "room/arena.h"
#include "room/pages.h"
#include "room/price.h"

enum {
    US = 1000,
    CHEAP = 100 * US,
    SMALL = 200 * US,
    TOUCH = 400,
    DEAR = 5000 * US,
    HELD_UP = 1000000 * US,
    FIRST = 8 * 32
};

static void note_small(size_t chunks) {
    for (size_t i = 0; i < chunks; i++)
        ng_price_note(false, NG_CHUNK_BYTES, SMALL);
}

static void note_huge(unsigned times, uint64_t ns) {
    while (times-- > 0)
        ng_price_note(true, NG_CHUNK_BYTES, ns);
}

static void prices(void) {
    CHECK(ng_price_huge() && !ng_price_huge_known(), "before there are any figures");
    note_small(1);
    ng_price_note_touch(TOUCH);
    note_huge(1, CHEAP);
    CHECK(ng_price_huge() && ng_price_huge_known());
    note_huge(1, HELD_UP);
    CHECK(ng_price_huge(), "one hiccup is no price");
    for (int i = 0; i < 8 && ng_price_huge(); i++)
        note_huge(1, DEAR);
    CHECK(!ng_price_huge() && !ng_price_huge_known(), "dear ones");
    note_small(31);
    CHECK(!ng_price_huge());
    note_small(1);
    CHECK(ng_price_huge() && !ng_price_huge_known(), "a trial");
    note_huge(1, DEAR);
    note_small(33);
    CHECK(!ng_price_huge(), "the next trial as soon as the first");
    note_small(31);
    CHECK(ng_price_huge(), "a second trial");
    for (int i = 0; i < 64; i++)
        ng_price_note_touch(12 * US);
    CHECK(ng_price_huge_known(), "dear, and to touch the pages is dearer");
    note_huge(64, CHEAP);
}

static uint32_t take(void) {
    bool in_memory;
    uint32_t slab = ng_pages_slab(true, &in_memory);
    CHECK(slab != NG_NO_SLAB);
    return slab;
}

static uint64_t ahead(void) { return ng_load(&ng_arena.ahead, NG_RELAXED); }

/* Slabs before a chunk that does not follow the last slab are free ones, and not in use. */
static void gaps(void) {
    size_t in_use = ng_arena_in_use();
    uint32_t alone = ng_arena_bump(1, 1), slab = take();
    CHECK(alone % NG_CHUNK_SLABS == 0 && slab == alone + NG_CHUNK_SLABS, "slab %u after slab %u", slab, alone);
    CHECK(ng_arena_in_use() == in_use + 2, "%zu slabs in use, not 2", ng_arena_in_use() - in_use);
    for (uint32_t next = alone + 1; next < slab; next++)
        CHECK(take() == next, "the gap is not used");
    for (uint32_t next = slab + 1; next < slab + NG_CHUNK_SLABS; next++)
        CHECK(take() == next);
    CHECK(ng_arena_in_use() == in_use + (size_t)2 * NG_CHUNK_SLABS && ahead() == 0);
}

static void chunks(void) {
    while (ng_arena_in_use() < FIRST) {
        take();
        CHECK(ahead() == 0, "a chunk ahead of a heap of %zu slabs", ng_arena_in_use());
    }
    uint32_t slab = take();
    CHECK(slab % NG_CHUNK_SLABS == 0 && ahead() == NG_CHUNK_SLABS - 1, "slab %u, %llu ahead", slab,
          (unsigned long long)ahead());
    CHECK(ng_os_present(ng_slab_start(slab), 1) == 1, "its first page is not there");
    for (uint32_t next = slab + 1; next < slab + NG_CHUNK_SLABS; next++)
        CHECK(take() == next, "not in the order of addresses");
    CHECK(ahead() == 0);
    gaps();
    note_huge(64, HELD_UP);
    take();
    CHECK(ahead() == 0, "a huge page though they are dear");
}

int main(void) {
    if (TEST_SANITIZED)
        test_skip("a sanitizer has shadows of its own");
    test_begin();
    heap_free(heap_alloc(1));
    prices();
    chunks();
    return 0;
}
