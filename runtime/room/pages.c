/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pages.c: see pages.h.
 */
#include "room/pages.h"

#include "channel/stack.h"
#include "os/os.h"
#include "room/arena.h"
#include "room/claim.h"
#include "room/collapse.h"
#include "room/expect.h"
#include "room/idle.h"
#include "room/options.h"
#include "room/pressure.h"
#include "room/price.h"
#include "room/room.h"
#include "room/sparse.h"

enum {
    /* A program smaller than this gets small pages only: its chunks may never fill. */
    HUGE_FROM = 8 * NG_CHUNK_SLABS,
    STEP = 4, /* slabs faulted in at once on small pages: 256 KiB, about 50 us */
    LEAST_WINDOW = 8,
    MOST_WINDOW = 32, /* at rest */
    LAG = 4,
    COMMIT_AHEAD = 128,                  /* slabs */
    METADATA_FROM = 32 * NG_CHUNK_SLABS, /* for small blocks: a chunk for magazines is a thirty-second of it */
    MOST_TRIES = 8, /* to collapse a chunk: that fails while one of its pages is being faulted in */
    FIRST_CHUNKS = 4,
    FIRST_FROM = METADATA_FROM, /* in use */
    FIRST_PART = 64,            /* of what is in use then: so much memory may the first chunks take more */
    SPARSE_NS = 100000,         /* the room at a time; as long in between */
    THREAD_SPARSE_NS = 20000,
    SHORT_NS = 100000000,
    LEAST_NAP_NS = 500000,
    MOST_NAP_NS = 10000000, /* where the heap grows more slowly, the threads wake the room themselves */
    LOOK_NS = 1000000000,   /* at whether memory is short, while there is something to give back */
};

static ng_atomic room_faults;
static ng_atomic next_tick;
static ng_atomic asked; /* fresh slabs that threads wanted for small blocks, ever */

/* By one call; now and then the first page apart, to see what a touch costs. */
static bool populate_small(char *start, size_t bytes) {
    size_t page = ng_os_page(), apart = bytes > page && ng_price_wants_touch() ? page : 0;
    uint64_t begin = ng_os_now();
    if (apart != 0) {
        ng_os_touch(start);
        uint64_t touched = ng_os_now();
        ng_price_note_touch(touched - begin);
        begin = touched;
    }
    bool done = ng_os_populate(start + apart, bytes - apart);
    ng_price_note(false, bytes - apart, ng_os_now() - begin);
    return done;
}

static bool populate_huge(uint32_t chunk) {
    char *start = ng_slab_start(chunk);
    ng_os_huge(start, NG_CHUNK_BYTES, true);
    ng_collapse_is_huge(chunk);
    uint64_t begin = ng_os_now();
    bool done = ng_os_populate(start, NG_CHUNK_BYTES);
    ng_price_note(true, NG_CHUNK_BYTES, ng_os_now() - begin);
    return done;
}

void ng_pages_committed(size_t from, size_t to) {
    if (ng_options.thp != NG_ON)
        return; /* decided chunk by chunk */
    from = (from + NG_CHUNK_SLABS - 1) / NG_CHUNK_SLABS * NG_CHUNK_SLABS;
    if (from < to)
        ng_os_huge(ng_slab_start((uint32_t)from), (to - from) << NGRT_SLAB_SHIFT, true);
}

/* By chunks of huge pages, now? */
static bool by_chunks(void) {
    return ng_options.thp != NG_OFF && (ng_options.thp == NG_ON || ng_arena_in_use() >= HUGE_FROM) && ng_price_huge();
}

void ng_pages_want_huge(char *start, size_t bytes) {
    if (ng_options.thp != NG_AUTO || !ng_price_huge())
        return;
    uintptr_t from = ((uintptr_t)start + NG_CHUNK_BYTES - 1) & ~(NG_CHUNK_BYTES - 1);
    uintptr_t to = ((uintptr_t)start + bytes) & ~(NG_CHUNK_BYTES - 1);
    if (from >= to)
        return;
    /* The first one shows what they cost now, so the others may be small ones. */
    (void)populate_huge(ng_slab_of((void *)from));
    for (uintptr_t chunk = from + NG_CHUNK_BYTES; chunk < to && ng_price_huge(); chunk += NG_CHUNK_BYTES) {
        ng_os_huge((void *)chunk, NG_CHUNK_BYTES, true);
        ng_collapse_is_huge(ng_slab_of((void *)chunk));
    }
}

uint64_t ng_pages_fault_in(uint32_t slab, size_t pages) {
    size_t bytes = pages * ng_os_page();
    bool huge = bytes == NG_CHUNK_BYTES && slab % NG_CHUNK_SLABS == 0 && by_chunks();
    (void)(huge ? populate_huge(slab) : populate_small(ng_slab_start(slab), bytes));
    return huge ? 1 : pages;
}

static uint64_t ready(void) { return ng_load(&ng_arena.ahead, NG_RELAXED); }

/* How much may be faulted in ahead, in slabs. */
static uint64_t allowed(void) { return ng_pressure_near() ? 0 : ng_arena_in_use() / 20; }

/* Slabs that the program takes while the room faults LAG chunks in, as it went lately: with less ahead it would overtake the
 * room.  The room's thread writes it. */
static ng_atomic pace;
static uint64_t paced_at, paced_asked;

static void note_pace(uint64_t now, uint64_t chunk_ns) {
    uint64_t taken = ng_load(&asked, NG_RELAXED);
    if (paced_at != 0 && now > paced_at) {
        uint64_t meanwhile = (taken - paced_asked) * LAG * chunk_ns / (now - paced_at);
        ng_store(&pace, (ng_load(&pace, NG_RELAXED) + meanwhile) / 2, NG_RELAXED);
    }
    paced_at = now;
    paced_asked = taken;
}

/* How much of that for small blocks, if they take fresh slabs at all: slabs that nobody takes only part the large blocks
 * that could be one. */
static uint64_t window(void) {
    uint64_t w = allowed(), of_asked = ng_load(&asked, NG_RELAXED) / 20;
    if (of_asked == 0 || ng_pressure_near())
        return 0;
    uint64_t most = MOST_WINDOW + ng_load(&pace, NG_RELAXED);
    w = w < of_asked ? w : of_asked;
    return w < LEAST_WINDOW ? LEAST_WINDOW : w > most ? most : w;
}

/* And for a large one. */
static uint64_t allowed_large(void) {
    uint64_t all = allowed(), small = ready();
    return all < small ? 0 : all - small > MOST_WINDOW ? MOST_WINDOW : all - small;
}

static bool too_little(void) { return ready() < window() - window() / 4; }

uint64_t ng_pages_nap(uint64_t now) {
    static uint64_t since, taken_before, slabs, ns; /* what was taken in a while, the last one that was long enough */
    uint64_t taken = ng_load(&asked, NG_RELAXED), w = window(), least = w - 3 * w / 8, have = ready();
    if (now - since >= LEAST_NAP_NS) {
        slabs = taken - taken_before;
        ns = now - since;
        taken_before = taken;
        since = now;
    }
    if (slabs == 0 || w == 0)
        return 0;
    uint64_t nap = have < least ? 0 : (have - least) * ns / slabs;
    return nap > MOST_NAP_NS ? 0 : nap < LEAST_NAP_NS ? LEAST_NAP_NS : nap;
}

bool ng_pages_wanted(void) { return ng_claim_waiting() || ng_expect_waiting() || too_little(); }

static struct ng_stack ahead;

static ng_atomic *link_of(uint32_t number) { return &ng_slab_info(number - 1)->link; }

void ng_pages_asked(void) {
    ng_add(&asked, 1, NG_RELAXED);
    if (ready() < window() / 2)
        ng_room_wake();
}

/* A slab that the room has faulted in, all zero; NG_NO_SLAB where there is none. */
static uint32_t take(void) {
    uint32_t number = ng_stack_pop(&ahead, link_of);
    if (number != 0)
        ng_add(&ng_arena.ahead, UINT64_MAX, NG_RELAXED);
    ng_pages_asked();
    return number != 0 ? number - 1 : NG_NO_SLAB;
}

/* The lowest address is the next to be taken. */
static void offer(uint32_t first, uint32_t n) {
    ng_add(&ng_arena.ahead, n, NG_RELAXED); /* first, so that it never counts below zero */
    for (uint32_t number = first + n; number > first; number--)
        ng_stack_push(&ahead, number, link_of(number));
}

static ng_atomic own_chunk;

/* The thread that comes when nothing is ready faults a whole chunk in, if that is one page: for little more than one of the
 * slab's small ones.  Not several threads at once.  NG_NO_SLAB: a slab alone. */
static uint32_t chunk_by_thread(void) {
    uint64_t nobody = 0;
    if (!by_chunks() || ng_pressure_near() || !ng_arena_within_limit(NG_CHUNK_SLABS) ||
        !ng_cas(&own_chunk, &nobody, 1, NG_ACQUIRE))
        return NG_NO_SLAB;
    uint32_t first = ng_arena_bump(NG_CHUNK_SLABS, NG_CHUNK_SLABS);
    if (first != NG_NO_SLAB) {
        (void)populate_huge(first);
        offer(first + 1, NG_CHUNK_SLABS - 1);
    }
    ng_store(&own_chunk, 0, NG_RELEASE);
    return first;
}

uint32_t ng_pages_slab(bool filled, bool *in_memory) {
    bool zero = true;
    *in_memory = false;
    if (!ng_arena_within_limit(1))
        return NG_NO_SLAB;
    uint32_t slab = ng_arena_find(1, 1, &zero);
    *in_memory = slab != NG_NO_SLAB && !zero;
    if (slab == NG_NO_SLAB && filled)
        *in_memory = (slab = take()) != NG_NO_SLAB || (slab = chunk_by_thread()) != NG_NO_SLAB;
    return slab != NG_NO_SLAB ? slab : ng_arena_bump(1, 1);
}

void ng_pages_fill(uint32_t slab, size_t from, size_t to) {
    (void)populate_small(ng_slab_start(slab) + from * ng_os_page(), (to - from) * ng_os_page());
}

/* madvise counts no faults: count those that the program will not take. */
static void note_faults(uint64_t pages) {
    ng_store(&room_faults, ng_load(&room_faults, NG_RELAXED) + pages, NG_RELAXED);
}

/* A thread that uses many classes has a page of magazines for each two of them, which at every call take entries of its TLB that
 * the program has use for: one huge page holds all of them (docs/decisions/0035-magazines-on-a-huge-page.md).  Once, where huge
 * pages pay and the heap is large. */
static void collapse_metadata(void) {
    static unsigned tries;
    if (tries >= MOST_TRIES || ng_load(&asked, NG_RELAXED) < METADATA_FROM)
        return;
    char *chunk = ng_arena_metadata_chunk();
    bool done = chunk == NULL || ng_collapse_now(chunk);
    tries = done ? MOST_TRIES : tries + 1;
}

/* What a program uses all the time lies in the chunks that it began with: the first slab of each class, from which short-lived
 * blocks come again and again, and what it set up at its start.  Those slabs are seldom full, so that the chunks never seem worth
 * collapsing by what is missing from them alone; beside a large heap it is little
 * (docs/decisions/0039-first-chunks-on-huge-pages.md).  One that is mostly missing stays as it is.  Once. */
static void collapse_first(void) {
    static unsigned chunk, tries;
    static size_t spent;
    if (chunk >= FIRST_CHUNKS || ng_arena_in_use() < FIRST_FROM)
        return;
    size_t may = ng_arena_in_use() / FIRST_PART * (NG_SLAB_BYTES / ng_os_page());
    size_t of_chunk = NG_CHUNK_BYTES / ng_os_page() * 3 / 8;
    for (; chunk < FIRST_CHUNKS; chunk++, tries = 0) {
        size_t left = may > spent ? may - spent : 0;
        if (!ng_collapse_first((size_t)chunk * NG_CHUNK_SLABS, left < of_chunk ? left : of_chunk, &spent) &&
            ++tries < MOST_TRIES)
            return;
    }
}

bool ng_pages_ahead(void) {
    ng_pressure_look(ng_os_now());
    if (ng_claim_waiting()) {
        note_faults(ng_claim_serve());
        return true;
    }
    if (ng_expect_waiting()) {
        note_faults(ng_expect_serve(allowed_large()));
        return true;
    }
    if (!too_little())
        return false;
    uint64_t from = ng_load(&ng_arena.bump, NG_RELAXED);
    bool huge = by_chunks();
    uint32_t n = huge ? NG_CHUNK_SLABS : STEP - (uint32_t)(from % STEP);
    /* Committing waits for whoever faults pages in, up to a millisecond: sooner than a thread has to do it. */
    (void)ng_arena_ready(from + n + COMMIT_AHEAD);
    uint32_t first = ng_arena_bump(n, huge ? NG_CHUNK_SLABS : 1);
    if (first == NG_NO_SLAB)
        return false;
    uint64_t begin = ng_os_now();
    size_t bytes = (size_t)n << NGRT_SLAB_SHIFT;
    bool done = huge ? populate_huge(first) : populate_small(ng_slab_start(first), bytes);
    uint64_t end = ng_os_now();
    note_pace(end, (end - begin) * NG_CHUNK_SLABS / n);
    note_faults(huge ? 1 : bytes / ng_os_page());
    offer(first, n);
    if (ng_price_huge_known()) {
        collapse_metadata();
        collapse_first();
    }
    return done;
}

void ng_pages_in_child(void) {
    uint64_t n = 0;
    for (uint64_t number = ng_load(&ahead.top, NG_RELAXED) & UINT32_MAX; number != 0; n++)
        number = ng_load(link_of((uint32_t)number), NG_RELAXED);
    ng_store(&ng_arena.ahead, n, NG_RELAXED);
    ng_expect_in_child();
    ng_claim_in_child();
    ng_pressure_in_child();
    ng_store(&own_chunk, 0, NG_RELAXED);
}

uint64_t ng_pages_faults(void) { return ng_load(&room_faults, NG_RELAXED); }

bool ng_pages_waiting(void) {
    return ng_options.decay_ms >= 0 &&
           (ng_arena_dirty() != 0 || ng_sparse_wanted() || ng_idle_wanted() || ng_claim_held());
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t ng_pages_tick(uint64_t now) {
    if (!ng_pages_waiting())
        return 0;
    if (ng_room_present())
        ng_pressure_look(now);
    else
        ng_pressure_look_later(now);
    uint64_t until = now + (ng_room_present() ? SPARSE_NS : THREAD_SPARSE_NS);
    if (!ng_sparse_go_on(until))
        return SPARSE_NS;
    /* What was free at one tick and still is at the next goes back: after one to two half decays; all of it where memory is
     * short. */
    bool all = ng_options.decay_ms == 0 || ng_pressure_short();
    uint64_t half = (uint64_t)ng_options.decay_ms * 500000;
    if (all && half > SHORT_NS)
        half = SHORT_NS;
    uint64_t next = ng_load(&next_tick, NG_RELAXED);
    if (next > now && next <= now + half)
        return least(next - now, LOOK_NS);
    if (ng_cas(&next_tick, &next, now + half, NG_RELAXED)) { /* one of those who come at the same time */
        ng_idle_tick(all);
        ng_claim_tick(all);
        (void)ng_arena_purge(all);
        ng_sparse_begin(all);
        if (!ng_sparse_go_on(until))
            return SPARSE_NS;
    }
    return half == 0 ? 1 : least(half, LOOK_NS);
}
