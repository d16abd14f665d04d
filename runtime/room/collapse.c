/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * collapse.c: see collapse.h.
 *
 * A chunk of which every slab is in use at two looks in a row is likely to stay so.  Its pages are counted, since a
 * huge page brings those in that are missing, and collapsed where next to none is.  Whoever touches a chunk waits
 * while it is copied, the longer the fewer huge pages the machine has at hand (docs/decisions/0018-collapse-late.md), so only
 * a hundredth of the time goes into that.
 */
#include "room/collapse.h"

#include "os/os.h"
#include "room/arena.h"
#include "room/options.h"

enum {
    FROM = 4 * NG_CHUNK_SLABS, /* slabs in use: what is smaller fits into the processor's own tables */
    AT_HAND_FROM = 32 * NG_CHUNK_SLABS,
    LOOK_NS = 1000000000,
    MOST_LOOKS = 32, /* in a row without a chunk to collapse */
    SHARE = 100,     /* of the time */
    MISSING_PART = 16,
};

/* What a chunk's pages are: struct ng_slab_bits holds it.  SMALL: as they came; SPARSE and more: some are missing, so many
 * looks until it is worth counting them again. */
enum { SMALL, FULL, HUGE, REFUSED, SPARSE, MOST_SPARSE = SPARSE + 8 };

/* The room's thread alone. */
static uint64_t due;
static unsigned fruitless;
static size_t at; /* chunk */
static bool found;

static uint8_t *kind_of(size_t slab) { return &ng_slab_bits(slab / 64)->kind[slab / NG_CHUNK_SLABS % 2]; }

static uint8_t kind(size_t slab) { return __atomic_load_n(kind_of(slab), __ATOMIC_RELAXED); }

static void set_kind(size_t slab, uint8_t k) { __atomic_store_n(kind_of(slab), k, __ATOMIC_RELAXED); }

void ng_collapse_is_huge(size_t slab) { set_kind(slab, HUGE); }

void ng_collapse_is_broken(size_t slab) { set_kind(slab, SMALL); }

bool ng_collapse_huge(size_t slab) { return kind(slab) == HUGE; }

void ng_collapse_again(void) { fruitless = 0; }

/* Whoever touches the chunk waits for the copy, but need not wait until the host of a virtual machine has found memory for it,
 * ten times as long (docs/decisions/0041-a-huge-page-at-hand.md).  For a moment that is a huge page more: not beside a small heap. */
bool ng_collapse_now(char *start) {
    if (ng_arena_in_use() >= AT_HAND_FROM)
        ng_os_huge_at_hand();
    return ng_os_collapse(start, NG_CHUNK_BYTES);
}

static void collapse(size_t slab) {
    char *start = ng_slab_start((uint32_t)slab);
    size_t pages = NG_CHUNK_BYTES / ng_os_page();
    if ((pages - ng_os_present(start, pages)) * MISSING_PART > pages) {
        set_kind(slab, MOST_SPARSE);
        return;
    }
    set_kind(slab, ng_collapse_now(start) ? HUGE : REFUSED);
}

bool ng_collapse_first(size_t slab, size_t most, size_t *missing) {
    char *start = ng_slab_start((uint32_t)slab);
    size_t pages = NG_CHUNK_BYTES / ng_os_page();
    if (kind(slab) == HUGE)
        return true;
    size_t absent = pages - ng_os_present(start, pages);
    if (absent > most)
        return true;
    if (!ng_collapse_now(start))
        return false;
    set_kind(slab, HUGE);
    *missing += absent;
    return true;
}

/* One chunk collapsed, or all of them looked at. */
static void look(void) {
    size_t chunks = ng_load(&ng_arena.bump, NG_RELAXED) / NG_CHUNK_SLABS;
    for (; at < chunks; at++) {
        size_t slab = at * NG_CHUNK_SLABS;
        uint8_t k = kind(slab);
        if (k == FULL && ng_arena_chunk_in_use(slab)) {
            found = true;
            collapse(slab);
            at++;
            return;
        }
        if (k == SMALL || k == FULL)
            set_kind(slab, ng_arena_chunk_in_use(slab) ? FULL : SMALL);
        else if (k >= SPARSE)
            set_kind(slab, k == SPARSE ? SMALL : (uint8_t)(k - 1));
    }
    at = 0;
    fruitless = found ? 0 : fruitless + 1;
    found = false;
}

uint64_t ng_collapse_turn(uint64_t now) {
    if (ng_options.thp == NG_OFF || fruitless >= MOST_LOOKS || ng_arena_in_use() < FROM)
        return 0;
    if (now < due)
        return due - now;
    look();
    uint64_t end = ng_os_now();
    due = end + (at == 0 ? LOOK_NS : (end - now) * (SHARE - 1));
    return due - end;
}
