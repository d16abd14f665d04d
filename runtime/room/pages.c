/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pages.c: see pages.h.
 */
#include "room/pages.h"

#include "front/options.h"
#include "os/os.h"
#include "room/arena.h"
#include "room/room.h"

enum {
    SLABS_IN_CHUNK = NG_CHUNK_BYTES / NG_SLAB_BYTES,
    /* A program smaller than this gets small pages only: its chunks may never fill. */
    HUGE_FROM = 16 * SLABS_IN_CHUNK,
    STEP = 4, /* slabs faulted in at once on small pages: 256 KiB, about 50 us */
    LEAST_WINDOW = 8,
    MOST_WINDOW = 256,
};

static ng_atomic room_faults;
static uint64_t next_tick; /* with the key */

static bool huge_at(size_t slab) {
    switch (ng_options.thp) {
    case NG_ON:
        return true;
    case NG_OFF:
        return false;
    default:
        return slab >= HUGE_FROM;
    }
}

void ng_pages_committed(size_t from, size_t to) {
    from = (from + SLABS_IN_CHUNK - 1) / SLABS_IN_CHUNK * SLABS_IN_CHUNK;
    if (!huge_at(from) && from < HUGE_FROM && ng_options.thp == NG_AUTO)
        from = HUGE_FROM;
    if (from < to && huge_at(from))
        ng_os_huge(ng_slab_start((uint32_t)from), (to - from) << NGRT_SLAB_SHIFT, true);
}

/* How far ahead, in slabs: a twentieth of what is in use. */
static uint64_t window(void) {
    size_t w = ng_arena_in_use() / 20;
    return w < LEAST_WINDOW ? LEAST_WINDOW : w > MOST_WINDOW ? MOST_WINDOW : w;
}

/* What is ready, in slabs; negative where threads have overtaken the room. */
static int64_t ready(void) {
    return (int64_t)ng_load(&ng_arena.ahead, NG_RELAXED) - (int64_t)ng_load(&ng_arena.bump, NG_RELAXED);
}

bool ng_pages_wanted(void) { return ready() < (int64_t)(window() - window() / 4); }

void ng_pages_consumed(void) {
    if (ready() < (int64_t)(window() / 2))
        ng_room_wake();
}

bool ng_pages_ahead(void) {
    uint64_t bump = ng_load(&ng_arena.bump, NG_RELAXED), from = ng_load(&ng_arena.ahead, NG_RELAXED);
    from = from < bump ? bump : from;
    uint64_t want = bump + window();
    if (from >= want)
        return false;
    uint64_t to = huge_at(from) ? (from / SLABS_IN_CHUNK + 1) * SLABS_IN_CHUNK : from + STEP;
    if (!ng_arena_ready(to))
        return false;
    uint64_t before = ng_os_faults_thread();
    bool done = ng_os_populate(ng_slab_start((uint32_t)from), (to - from) << NGRT_SLAB_SHIFT);
    uint64_t after = ng_os_faults_thread();
    /* The kernel counts no fault for pages populated by madvise: count what they would have been. */
    ng_store(&room_faults,
             ng_load(&room_faults, NG_RELAXED) +
                 (after != before ? after - before : ((to - from) << NGRT_SLAB_SHIFT) / ng_os_page()),
             NG_RELAXED);
    ng_store(&ng_arena.ahead, to, NG_RELAXED);
    return done;
}

uint64_t ng_pages_faults(void) { return ng_load(&room_faults, NG_RELAXED); }

uint64_t ng_pages_tick(uint64_t now) {
    if (ng_load(&ng_arena.dirty_slabs, NG_RELAXED) == 0)
        return 0;
    /* What was dirty at one tick and still is at the next goes back: after one to two half decays. */
    uint64_t half = (uint64_t)ng_options.decay_ms * 500000;
    if (ng_options.decay_ms < 0)
        return 0;
    if (next_tick > now)
        return next_tick - now;
    (void)ng_arena_purge(ng_options.decay_ms == 0);
    next_tick = now + half;
    return half == 0 ? 1 : half;
}
