/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * claim.c: see claim.h.
 *
 * Ordering.  `wanted` and `ready` are one word each, so what is read of one belongs together.  wanted: threads store where
 * they find 0, the room takes by a swap.  ready: the room releases the word once the slabs are its own, before they are
 * faulted in; who changes it to 0 owns the block.  To fault in pages that the owner is writing meanwhile changes nothing of
 * what he writes.  The mark that all of them are there, and all of `lying` and `counts`, only say how it went.
 */
#include "room/claim.h"

#include "os/os.h"
#include "room/arena.h"
#include "room/filled.h"
#include "room/pages.h"
#include "room/pressure.h"
#include "room/room.h"

enum {
    MOST = 4,         /* requests, and blocks that wait for their owners */
    TRUSTED = 2,      /* requested blocks in a row that the program filled, before one is faulted in */
    WATCH_EVERY = 16, /* blocks, while they are filled: one is left to the program, to see whether it still does */
    MOST_SLABS = (256 << 20) / NG_SLAB_BYTES, /* of one request: a wrong one must not cost all memory */
};

/* A request: grows << 63 | bytes.  A block: grows << 63 | faulted in << 62 | slabs << 32 | first slab + 1.  0: none. */
static const uint64_t grows_bit = (uint64_t)1 << 63, faulted_bit = (uint64_t)1 << 62;

static ng_atomic wanted[MOST];
static ng_atomic ready[MOST];
static ng_atomic seen[MOST]; /* the block that was there at the last tick */

/* Slabs of requests that asked for nothing, since as many lay free and in memory; and as they were at the last tick. */
static ng_atomic lying[MOST];
static ng_atomic seen_lying[MOST];

static struct {
    ng_atomic requested, used, ready, faulted;
} counts;

/* The room's: the block that is being faulted in, and from where on; and one that was left to the program. */
static uint64_t current;
static size_t done, pages;
static uint32_t watched; /* its first slab + 1 */
static size_t watched_pages;
static unsigned full, since_watched;

static uint32_t slab_of(uint64_t block) { return (uint32_t)block - 1; }

static uint32_t slabs_of(uint64_t block) { return (uint32_t)((block & ~(grows_bit | faulted_bit)) >> 32); }

static size_t slabs_for(uint64_t request) { return ((request & ~grows_bit) + NG_SLAB_BYTES - 1) >> NGRT_SLAB_SHIFT; }

struct ng_claim_counts ng_claim_counts(void) {
    return (struct ng_claim_counts){
        .requested = ng_load(&counts.requested, NG_RELAXED),
        .used = ng_load(&counts.used, NG_RELAXED),
        .ready = ng_load(&counts.ready, NG_RELAXED),
        .faulted = ng_load(&counts.faulted, NG_RELAXED),
    };
}

static void count_used(bool was_ready, bool was_faulted) {
    ng_add(&counts.used, 1, NG_RELAXED);
    ng_add(&counts.ready, was_ready, NG_RELAXED);
    ng_add(&counts.faulted, was_faulted, NG_RELAXED);
}

void ng_claim_request(size_t bytes, bool grows) {
    if (!ng_room_present() || bytes < NGRT_REQUEST_MIN || bytes > (size_t)MOST_SLABS << NGRT_SLAB_SHIFT)
        return;
    ng_add(&counts.requested, 1, NG_RELAXED);
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t none = 0;
        if (ng_cas(&wanted[i], &none, (grows ? grows_bit : 0) | bytes, NG_RELAXED)) {
            ng_room_wake();
            return;
        }
    }
}

/* The block may get its mark meanwhile. */
static bool take(ng_atomic *place, uint64_t *block) {
    uint64_t unmarked = *block & ~faulted_bit;
    while (!ng_cas(place, block, 0, NG_ACQUIRE))
        if ((*block & ~faulted_bit) != unmarked)
            return false;
    ng_add(&ng_arena.ahead_large, -(uint64_t)slabs_of(*block), NG_RELAXED);
    return true;
}

/* There is no block of so many slabs: because as many lay free, because the room has not come to it, or nobody asked. */
static void used_without(uint32_t slabs) {
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t there = slabs;
        if (ng_load(&lying[i], NG_RELAXED) == slabs && ng_cas(&lying[i], &there, 0, NG_RELAXED)) {
            count_used(true, true);
            return;
        }
    }
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t request = ng_load(&wanted[i], NG_RELAXED);
        /* Who allocates before the room had the time needs no block any more. */
        if (request != 0 && (request & grows_bit) == 0 && slabs_for(request) == slabs &&
            ng_cas(&wanted[i], &request, 0, NG_RELAXED)) {
            count_used(false, false);
            return;
        }
    }
}

uint32_t ng_claim_take(uint32_t slabs) {
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        if (block != 0 && (block & grows_bit) == 0 && slabs_of(block) == slabs && take(&ready[i], &block)) {
            count_used(true, (block & faulted_bit) != 0);
            return slab_of(block);
        }
    }
    used_without(slabs);
    return NG_NO_SLAB;
}

uint32_t ng_claim_take_growing(uint32_t *slabs) {
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        if ((block & grows_bit) != 0 && slabs_of(block) >= *slabs && take(&ready[i], &block)) {
            count_used(true, (block & faulted_bit) != 0);
            *slabs = slabs_of(block);
            return slab_of(block);
        }
    }
    return NG_NO_SLAB;
}

bool ng_claim_held(void) {
    for (unsigned i = 0; i < MOST; i++)
        if (ng_load(&ready[i], NG_RELAXED) != 0)
            return true;
    return false;
}

void ng_claim_tick(bool all) {
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        bool old = all || block == ng_load(&seen[i], NG_RELAXED);
        ng_store(&seen[i], block, NG_RELAXED);
        if (block != 0 && old && take(&ready[i], &block))
            ng_arena_free(slab_of(block), slabs_of(block), true);
        uint64_t there = ng_load(&lying[i], NG_RELAXED);
        if (there != 0 && there == ng_load(&seen_lying[i], NG_RELAXED))
            ng_cas(&lying[i], &there, 0, NG_RELAXED);
        ng_store(&seen_lying[i], there, NG_RELAXED);
    }
}

bool ng_claim_drop(void) {
    bool held = ng_claim_held();
    if (held)
        ng_claim_tick(true);
    return held;
}

bool ng_claim_waiting(void) {
    if (current != 0)
        return true;
    for (unsigned i = 0; i < MOST; i++)
        if (ng_load(&wanted[i], NG_RELAXED) != 0)
            return true;
    return false;
}

static void note_lying(uint64_t request) {
    for (unsigned i = 0; i < MOST && (request & grows_bit) == 0; i++) {
        uint64_t none = 0;
        if (ng_cas(&lying[i], &none, slabs_for(request), NG_RELAXED))
            return;
    }
}

/* Slabs whose pages are all zero; NG_NO_SLAB also where some that are in memory are free: the program will be given those. */
static uint32_t find(uint32_t n, uint64_t request) {
    bool zero;
    uint32_t first = ng_arena_find(n, 1, &zero);
    if (first == NG_NO_SLAB)
        return ng_arena_bump(n, n >= NG_CHUNK_SLABS ? NG_CHUNK_SLABS : 1);
    if (zero)
        return first;
    ng_arena_free(first, n, true);
    note_lying(request);
    return NG_NO_SLAB;
}

static size_t pages_for(uint64_t request) { return ((request & ~grows_bit) + ng_os_page() - 1) / ng_os_page(); }

/* A program may never touch most of what it asks for: whether it filled the last block that was left to it. */
static void judge(void) {
    if (watched != 0)
        full = ng_filled_judge(watched - 1, watched_pages, full);
    watched = 0;
}

/* The block is the program's to fault in; if it does not grow, it will be looked at when the next one is requested. */
static void leave(uint64_t request, uint32_t first) {
    since_watched = 0;
    if ((request & grows_bit) != 0)
        return;
    watched = first + 1;
    watched_pages = pages_for(request);
}

static void make_ready(uint64_t request) {
    uint32_t n = (uint32_t)slabs_for(request), first;
    ng_atomic *place = NULL;
    judge();
    for (unsigned i = 0; i < MOST && place == NULL; i++)
        if (ng_load(&ready[i], NG_RELAXED) == 0)
            place = &ready[i];
    if (place == NULL || ng_pressure_near() || !ng_arena_within_limit(n) || (first = find(n, request)) == NG_NO_SLAB)
        return;
    uint64_t block = (request & grows_bit) | (uint64_t)n << 32 | (first + 1);
    if (full < TRUSTED || ++since_watched >= WATCH_EVERY) {
        leave(request, first);
    } else {
        current = block;
        done = 0;
        pages = pages_for(request);
    }
    ng_add(&ng_arena.ahead_large, n, NG_RELAXED);
    ng_store(place, block, NG_RELEASE);
}

/* Whether the current block still waits, or has become somebody's. */
static bool is_current_alive(void) {
    for (unsigned i = 0; i < MOST; i++)
        if (ng_load(&ready[i], NG_RELAXED) == current)
            return true;
    return ng_arena_word(ng_slab_start(slab_of(current))) == NGRT_BIN_LARGE;
}

static void mark_current(void) {
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t block = current;
        if (ng_load(&ready[i], NG_RELAXED) == block && ng_cas(&ready[i], &block, block | faulted_bit, NG_RELEASE))
            return;
    }
}

uint64_t ng_claim_serve(void) {
    for (unsigned i = 0; i < MOST && current == 0; i++) {
        uint64_t request = ng_swap(&wanted[i], 0, NG_RELAXED);
        if (request != 0)
            make_ready(request);
    }
    if (current == 0)
        return 0;
    size_t step = NG_CHUNK_BYTES / ng_os_page();
    if (step > pages - done)
        step = pages - done;
    uint64_t faults = 0;
    if (step != 0 && is_current_alive())
        faults = ng_pages_fault_in(slab_of(current) + (uint32_t)(done * ng_os_page() >> NGRT_SLAB_SHIFT), step);
    else
        done = pages;
    done += faults != 0 ? step : 0;
    if (done >= pages) {
        mark_current();
        current = 0;
    }
    return faults;
}

void ng_claim_in_child(void) {
    uint64_t slabs = 0;
    for (unsigned i = 0; i < MOST; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        slabs += block == 0 ? 0 : slabs_of(block);
    }
    ng_add(&ng_arena.ahead_large, slabs, NG_RELAXED);
    current = 0;
    watched = 0;
}
