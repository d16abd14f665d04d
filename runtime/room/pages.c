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
#include "room/room.h"
#include "room/sparse.h"

enum {
    /* A program smaller than this gets small pages only: its chunks may never fill. */
    HUGE_FROM = 16 * NG_CHUNK_SLABS,
    STEP = 4, /* slabs faulted in at once on small pages: 256 KiB, about 50 us */
    LEAST_WINDOW = 8,
    MOST_WINDOW = 32, /* at rest */
    LAG = 4,
    PROBE_CHUNKS = 32,
    MOST_PROBE_CHUNKS = 128,
    COMMIT_AHEAD = 128,                  /* slabs */
    METADATA_FROM = 32 * NG_CHUNK_SLABS, /* for small blocks: a chunk for magazines is a thirty-second of it */
    MOST_TRIES = 8, /* to collapse a chunk: that fails while one of its pages is being faulted in */
    FIRST_CHUNKS = 4,
    FIRST_FROM = METADATA_FROM, /* in use */
    FIRST_PART = 64,            /* of what is in use then: so much memory may the first chunks take more */
    SPARSE_NS = 100000,         /* the room at a time; as long in between */
    THREAD_SPARSE_NS = 20000,
    SHORT_NS = 100000000,
    LOOK_NS = 1000000000, /* at whether memory is short, while there is something to give back */
};

static ng_atomic room_faults;
static ng_atomic next_tick;
static ng_atomic asked; /* fresh slabs that threads wanted for small blocks, ever */

/* What a chunk of either kind costs to fault in, ns, smoothed; 0: not measured.  In a VM whose hypervisor takes free
 * memory back a huge page can cost four times its small ones, at other times less than one of them
 * (docs/decisions/0006-huge-pages.md), so it is measured again and again.  The room's thread alone. */
static uint64_t huge_ns, small_ns;
static ng_atomic huge_is_cheap, most_for_huge; /* what the room last found out, for threads; ns */
static uint32_t chunks_since_probe, probe_after = PROBE_CHUNKS;

/* Huge pages make what the program does with the memory 5 to 10 % faster, so on the room's core they may cost more, but
 * not much more. */
static bool huge_pays(void) { return huge_ns == 0 || (small_ns != 0 && huge_ns <= 2 * small_ns); }

static bool populate(uint32_t from, size_t bytes, bool huge) {
    char *start = ng_slab_start(from);
    if (huge) {
        ng_os_huge(start, bytes, true);
        ng_collapse_is_huge(from);
    }
    uint64_t begin = ng_os_now();
    bool done = ng_os_populate(start, bytes);
    uint64_t ns = (ng_os_now() - begin) * NG_CHUNK_BYTES / bytes;
    uint64_t *smooth = huge ? &huge_ns : &small_ns;
    /* What has become dear is so at once: a machine that is out of huge pages stays so for a while. */
    *smooth = *smooth == 0 ? ns : ns > *smooth ? (*smooth + ns) / 2 : (3 * *smooth + ns) / 4;
    ng_store(&most_for_huge, 2 * small_ns, NG_RELAXED);
    ng_store(&huge_is_cheap, huge_ns != 0 && small_ns != 0 && huge_pays(), NG_RELAXED);
    return done;
}

void ng_pages_committed(size_t from, size_t to) {
    if (ng_options.thp != NG_ON)
        return; /* decided chunk by chunk */
    from = (from + NG_CHUNK_SLABS - 1) / NG_CHUNK_SLABS * NG_CHUNK_SLABS;
    if (from < to)
        ng_os_huge(ng_slab_start((uint32_t)from), (to - from) << NGRT_SLAB_SHIFT, true);
}

static bool paid_at_probe = true;

/* The kind of the chunk that starts here; now and then the kind that seemed dearer gets another trial. */
static bool choose_huge(uint64_t from) {
    if (from % NG_CHUNK_SLABS != 0 || ng_options.thp == NG_OFF || (ng_options.thp == NG_AUTO && from < HUGE_FROM))
        return false;
    if (ng_options.thp == NG_ON)
        return true;
    bool pays = huge_pays();
    if (++chunks_since_probe < probe_after)
        return pays;
    /* The dear kind may take so long that the program overtakes the room: as long as it stays dear, less often. */
    chunks_since_probe = 0;
    probe_after = pays != paid_at_probe             ? PROBE_CHUNKS
                  : probe_after < MOST_PROBE_CHUNKS ? 2 * probe_after
                                                    : probe_after;
    paid_at_probe = pays;
    return !pays;
}

void ng_pages_want_huge(char *start, size_t bytes) {
    if (ng_options.thp != NG_AUTO || ng_load(&huge_is_cheap, NG_RELAXED) == 0)
        return;
    uintptr_t from = ((uintptr_t)start + NG_CHUNK_BYTES - 1) & ~(NG_CHUNK_BYTES - 1);
    uintptr_t to = ((uintptr_t)start + bytes) & ~(NG_CHUNK_BYTES - 1);
    if (from >= to)
        return;
    /* The first one shows what they cost now, so the others may be small ones. */
    uint64_t begin = ng_os_now();
    ng_os_huge((void *)from, NG_CHUNK_BYTES, true);
    (void)ng_os_populate((void *)from, NG_CHUNK_BYTES);
    if (ng_os_now() - begin > ng_load(&most_for_huge, NG_RELAXED))
        ng_store(&huge_is_cheap, 0, NG_RELAXED); /* until the room has tried again */
    else
        ng_os_huge((void *)from, to - from, true);
    for (uintptr_t chunk = from; chunk < to && ng_load(&huge_is_cheap, NG_RELAXED) != 0; chunk += NG_CHUNK_BYTES)
        ng_collapse_is_huge(ng_slab_of((void *)chunk));
}

uint64_t ng_pages_fault_in(uint32_t slab, size_t pages) {
    size_t bytes = pages * ng_os_page();
    bool huge = bytes == NG_CHUNK_BYTES && choose_huge(slab);
    (void)populate(slab, bytes, huge);
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

bool ng_pages_wanted(void) { return ng_claim_waiting() || ng_expect_waiting() || too_little(); }

static struct ng_stack ahead;

static ng_atomic *link_of(uint32_t number) { return &ng_slab_info(number - 1)->link; }

/* A slab that the room has faulted in, all zero; NG_NO_SLAB where there is none.  Wakes the room where it should fault in
 * more.  For blocks of at most a page: what is faulted in for larger ones the program may never touch. */
static uint32_t take(void) {
    ng_add(&asked, 1, NG_RELAXED);
    uint32_t number = ng_stack_pop(&ahead, link_of);
    if (number != 0)
        ng_add(&ng_arena.ahead, UINT64_MAX, NG_RELAXED);
    if (ready() < window() / 2)
        ng_room_wake();
    return number != 0 ? number - 1 : NG_NO_SLAB;
}

uint32_t ng_pages_slab(size_t block, bool *in_memory) {
    bool zero = true;
    *in_memory = false;
    if (!ng_arena_within_limit(1))
        return NG_NO_SLAB;
    uint32_t slab = ng_arena_find(1, 1, &zero);
    *in_memory = slab != NG_NO_SLAB && !zero;
    if (slab == NG_NO_SLAB && block <= ng_os_page())
        *in_memory = (slab = take()) != NG_NO_SLAB;
    return slab != NG_NO_SLAB ? slab : ng_arena_bump(1, 1);
}

/* The lowest address is the next to be taken. */
static void offer(uint32_t first, uint32_t n) {
    ng_add(&ng_arena.ahead, n, NG_RELAXED); /* first, so that it never counts below zero */
    for (uint32_t number = first + n; number > first; number--)
        ng_stack_push(&ahead, number, link_of(number));
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
    bool done = chunk == NULL || ng_os_collapse(chunk, NG_CHUNK_BYTES);
    tries = done ? MOST_TRIES : tries + 1;
}

/* What a program uses all the time lies in the chunks that it began with: the first slab of each class, from which short-lived
 * blocks come again and again, and what it set up at its start.  Those slabs are seldom full, so that the chunks never seem worth
 * collapsing by what is missing from them alone; beside a large heap it is little
 * (docs/decisions/0039-first-chunks-on-huge-pages.md).  Once. */
static void collapse_first(void) {
    static unsigned chunk, tries;
    static size_t spent;
    if (chunk >= FIRST_CHUNKS || ng_arena_in_use() < FIRST_FROM)
        return;
    size_t may = ng_arena_in_use() / FIRST_PART * (NG_SLAB_BYTES / ng_os_page());
    for (; chunk < FIRST_CHUNKS; chunk++, tries = 0)
        if (!ng_collapse_first((size_t)chunk * NG_CHUNK_SLABS, may > spent ? may - spent : 0, &spent) &&
            ++tries < MOST_TRIES)
            return;
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
    bool huge = choose_huge(from);
    uint32_t n = huge ? NG_CHUNK_SLABS : STEP - (uint32_t)(from % STEP);
    /* Committing waits for whoever faults pages in, up to a millisecond: sooner than a thread has to do it. */
    (void)ng_arena_ready(from + n + COMMIT_AHEAD);
    uint32_t first = ng_arena_bump(n, 1);
    if (first == NG_NO_SLAB)
        return false;
    huge = huge && first == from; /* another thread may have come in between */
    uint64_t begin = ng_os_now();
    bool done = populate(first, (size_t)n << NGRT_SLAB_SHIFT, huge);
    uint64_t end = ng_os_now();
    note_pace(end, (end - begin) * NG_CHUNK_SLABS / n);
    note_faults(huge ? 1 : ((size_t)n << NGRT_SLAB_SHIFT) / ng_os_page());
    offer(first, n);
    if (huge_ns != 0 && huge_pays()) {
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
