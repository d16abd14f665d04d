/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pages.c: see pages.h.
 */
#include "room/pages.h"

#include "os/os.h"
#include "room/arena.h"
#include "room/options.h"
#include "room/room.h"
#include "room/sparse.h"

enum {
    /* A program smaller than this gets small pages only: its chunks may never fill. */
    HUGE_FROM = 16 * NG_CHUNK_SLABS,
    STEP = 4, /* slabs faulted in at once on small pages: 256 KiB, about 50 us */
    LEAST_WINDOW = 8,
    MOST_WINDOW = 32,
    PROBE_CHUNKS = 32,
    COMMIT_AHEAD = 128, /* slabs */
    SPARSE_NS = 100000, /* the room at a time; as long in between */
    THREAD_SPARSE_NS = 20000,
};

static ng_atomic room_faults;
static ng_atomic next_tick;

/* What a chunk of either kind costs to fault in, ns, smoothed; 0: not measured.  In a VM whose hypervisor takes free
 * memory back a huge page can cost four times its small ones, at other times less than one of them
 * (docs/decisions/0006-huge-pages.md), so it is measured again and again.  The room's thread alone. */
static uint64_t huge_ns, small_ns;
static uint32_t chunks_since_probe;

/* Huge pages make what the program does with the memory 5 to 10 % faster, so on the room's core they may cost more, but
 * not much more. */
static bool huge_pays(void) { return huge_ns == 0 || (small_ns != 0 && huge_ns <= 2 * small_ns); }

static bool populate(uint64_t from, uint64_t to, bool huge) {
    char *start = ng_slab_start((uint32_t)from);
    size_t bytes = (to - from) << NGRT_SLAB_SHIFT;
    if (huge)
        ng_os_huge(start, bytes, true);
    uint64_t begin = ng_os_now();
    bool done = ng_os_populate(start, bytes);
    uint64_t ns = (ng_os_now() - begin) * NG_CHUNK_SLABS / (to - from);
    uint64_t *smooth = huge ? &huge_ns : &small_ns;
    *smooth = *smooth == 0 ? ns : (3 * *smooth + ns) / 4;
    return done;
}

void ng_pages_committed(size_t from, size_t to) {
    if (ng_options.thp != NG_ON)
        return; /* decided chunk by chunk */
    from = (from + NG_CHUNK_SLABS - 1) / NG_CHUNK_SLABS * NG_CHUNK_SLABS;
    if (from < to)
        ng_os_huge(ng_slab_start((uint32_t)from), (to - from) << NGRT_SLAB_SHIFT, true);
}

/* The kind of the chunk that starts here; now and then the kind that seemed dearer gets another trial. */
static bool choose_huge(uint64_t from) {
    if (from % NG_CHUNK_SLABS != 0 || ng_options.thp == NG_OFF || (ng_options.thp == NG_AUTO && from < HUGE_FROM))
        return false;
    if (ng_options.thp == NG_ON)
        return true;
    if (++chunks_since_probe >= PROBE_CHUNKS) {
        chunks_since_probe = 0;
        return !huge_pays();
    }
    return huge_pays();
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
    bool huge = choose_huge(from);
    uint64_t to = huge ? from + NG_CHUNK_SLABS : from + STEP - from % STEP;
    /* Committing waits for whoever faults pages in, up to a millisecond: sooner than a thread has to do it. */
    (void)ng_arena_ready(to + COMMIT_AHEAD);
    if (!ng_arena_ready(to))
        return false;
    bool done = populate(from, to, huge);
    /* madvise counts no faults: count those that the program will not take. */
    ng_store(&room_faults,
             ng_load(&room_faults, NG_RELAXED) + (huge ? 1 : ((to - from) << NGRT_SLAB_SHIFT) / ng_os_page()),
             NG_RELAXED);
    ng_store(&ng_arena.ahead, to, NG_RELAXED);
    return done;
}

bool ng_pages_are_ahead_of(uint32_t slab) { return slab < ng_load(&ng_arena.ahead, NG_RELAXED); }

uint64_t ng_pages_faults(void) { return ng_load(&room_faults, NG_RELAXED); }

bool ng_pages_waiting(void) { return ng_options.decay_ms >= 0 && (ng_arena_dirty() != 0 || ng_sparse_wanted()); }

uint64_t ng_pages_tick(uint64_t now) {
    if (!ng_pages_waiting())
        return 0;
    uint64_t until = now + (ng_room_present() ? SPARSE_NS : THREAD_SPARSE_NS);
    if (!ng_sparse_go_on(until))
        return SPARSE_NS;
    /* What was free at one tick and still is at the next goes back: after one to two half decays. */
    uint64_t half = (uint64_t)ng_options.decay_ms * 500000;
    uint64_t next = ng_load(&next_tick, NG_RELAXED);
    if (next > now)
        return next - now;
    if (ng_cas(&next_tick, &next, now + half, NG_RELAXED)) { /* one of those who come at the same time */
        (void)ng_arena_purge(half == 0);
        ng_sparse_begin(half == 0);
        if (!ng_sparse_go_on(until))
            return SPARSE_NS;
    }
    return half == 0 ? 1 : half;
}
