/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * arena.c: see arena.h.  Runs on any core; the bits of free slabs need the arena's key, the bump counter needs none.
 *
 * Ordering.  bump: relaxed; the number alone decides who owns the fresh slabs, and nothing was written to them before.
 * Memory is committed before bump moves past it, so whoever holds a slab may write to it and to its metadata.  committed:
 * its release follows the mprotect calls, its acquire precedes use; committing twice does no harm.
 */
#include "room/arena.h"

#include "os/os.h"
#include "room/collapse.h"
#include "room/keys.h"
#include "room/pages.h"

struct ng_arena ng_arena;
struct ng_region ng_magazine_region, ng_heap_region, ng_bits_region;

enum {
    FIRST_COMMIT = 64, /* slabs: 4 MiB, what a small program lives in */
    MOST_COMMIT = 1024,
    REGION_COMMIT = 256 << 10,
    MOST_POPULATED = 64 << 10,
    MOST_HEAPS = 1 << 16, /* threads at once */
    HEAP_BYTES = 8192,
    PURGE_SLABS = 128, /* 8 MiB: go back at once, and are not to be had meanwhile */
    CLAIM_NAPS = 200,
    CLAIM_NAP_NS = 500000,
    CLAIM_NS = CLAIM_NAPS * CLAIM_NAP_NS,
};
static const size_t most_arena = (size_t)1 << 40, least_arena = (size_t)16 << 20;

static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

/* ---- reservation ---- */

/* Metadata for an arena of so many bytes, in bytes. */
struct layout {
    size_t block_bits, magazines, heaps, bits, map, slab;
};

static struct layout layout_for(size_t arena) {
    size_t slabs = arena >> NGRT_SLAB_SHIFT, unit = ng_os_page();
    struct layout l;
    l.map = round_up(slabs * sizeof(uint32_t), unit);
    l.slab = round_up(slabs * sizeof(struct ng_slab), unit);
    l.bits = round_up(NG_ARENA_GAP + (slabs + 63) / 64 * sizeof(struct ng_slab_bits), unit);
    l.block_bits = round_up(arena / 128, unit);
    l.magazines = round_up(arena / 32, unit);
    size_t heaps = arena / HEAP_BYTES / 64;
    l.heaps = round_up((heaps < MOST_HEAPS ? heaps : MOST_HEAPS) * HEAP_BYTES, unit);
    return l;
}

/* Half a chunk more, which puts the places where parts meet into the middle of what one page table maps. */
static size_t layout_bytes(const struct layout *l) {
    size_t bytes = l->block_bits + l->magazines + l->heaps + l->slab + l->map + l->bits;
    return round_up(bytes + NG_CHUNK_BYTES / 2, NG_CHUNK_BYTES);
}

/*
 *   block bits | .. <- magazines | heaps -> .. | .. <- slabs | map -> .. | .. <- bits of slabs | arena -> ..
 *
 * Where two parts meet one call commits the beginnings of both, and few page tables map them: most processes need no more
 * than the beginnings, and a call or a page costs those two microseconds, when they end too.
 */
static bool reserve_exactly(size_t arena) {
    struct layout l = layout_for(arena);
    size_t metadata = layout_bytes(&l);
    char *base = ng_os_reserve(metadata + arena);
    if (base == NULL)
        return false;
    char *meeting = base + NG_CHUNK_BYTES / 2 + l.block_bits + l.magazines, *map = meeting + l.heaps + l.slab;
    /* Anyone may ask about any address of the arena, long before there is a slab at it. */
    if (!ng_os_readable(map, l.map)) {
        ng_os_unreserve(base, metadata + arena);
        return false;
    }
    ng_bits_region = (struct ng_region){.base = base, .bytes = l.block_bits};
    ng_magazine_region = (struct ng_region){.base = meeting, .bytes = l.magazines, .down = true};
    ng_heap_region = (struct ng_region){.base = meeting, .bytes = l.heaps};
    ng_arena.map = (uint32_t *)(void *)map;
    ng_arena.base = base + metadata;
    ng_arena.slabs = arena >> NGRT_SLAB_SHIFT;
    return true;
}

/* The beginnings of magazines and heaps.  Where it fails each is tried again when it is needed. */
static void commit_where_regions_meet(void) {
    if (ng_magazine_region.bytes < REGION_COMMIT || ng_heap_region.bytes < REGION_COMMIT ||
        !ng_os_commit(ng_heap_region.base - REGION_COMMIT, (size_t)2 * REGION_COMMIT))
        return;
    ng_store(&ng_magazine_region.committed, REGION_COMMIT, NG_RELAXED);
    ng_store(&ng_heap_region.committed, REGION_COMMIT, NG_RELAXED);
}

bool ng_arena_reserve(size_t limit_bytes) {
    size_t allowed = ng_os_address_limit(), arena = most_arena;
    /* The program needs addresses of its own: stacks, files, other mallocs. */
    while (allowed != SIZE_MAX && arena > allowed - allowed / 3 && arena > least_arena)
        arena /= 2;
    if (allowed != SIZE_MAX && arena + arena / 4 < allowed / 2)
        arena += arena / 4;
    while (!reserve_exactly(arena)) {
        arena /= 2;
        if (arena < least_arena)
            return false;
    }
    commit_where_regions_meet();
    ng_arena.limit = limit_bytes == 0 ? SIZE_MAX : limit_bytes >> NGRT_SLAB_SHIFT;
    return true;
}

/* ---- committing ---- */

/* The bytes [from, to) of two arrays that grow apart from one place.  What is before `from` is committed already, and so
 * is the rest of its page. */
struct piece {
    size_t from, to;
};

static bool commit_pieces(char *meeting, struct piece down, struct piece up) {
    size_t page = ng_os_page();
    down = (struct piece){round_up(down.from, page), round_up(down.to, page)};
    up = (struct piece){round_up(up.from, page), round_up(up.to, page)};
    if (down.from == 0 && up.from == 0)
        return ng_os_commit(meeting - down.to, down.to + up.to);
    return (up.from >= up.to || ng_os_commit(meeting + up.from, up.to - up.from)) &&
           (down.from >= down.to || ng_os_commit(meeting - down.to, down.to - down.from));
}

static struct piece piece_of(size_t from, size_t to, size_t size) { return (struct piece){from * size, to * size}; }

static struct piece piece_of_bits(size_t from, size_t to) {
    struct piece p = piece_of((from + 63) / 64, (to + 63) / 64, sizeof(struct ng_slab_bits));
    return (struct piece){from == 0 ? 0 : p.from + NG_ARENA_GAP, p.to + NG_ARENA_GAP};
}

static bool commit_slabs(size_t from, size_t to) {
    return to <= ng_arena.slabs &&
           commit_pieces(ng_arena.base, piece_of_bits(from, to), piece_of(from, to, NG_SLAB_BYTES)) &&
           commit_pieces((char *)ng_arena.map, piece_of(from, to, sizeof(struct ng_slab)),
                         piece_of(from, to, sizeof(uint32_t)));
}

/* Their descriptions are faulted in all at once: each page would be a fault in some later allocation.  Not the first ones,
 * which a small program may never need. */
static void populate_infos(size_t from, size_t to) {
    size_t page = ng_os_page();
    struct piece p = piece_of(from, to, sizeof(struct ng_slab));
    p = (struct piece){round_up(p.from, page), round_up(p.to, page)};
    if (from != 0 && p.from < p.to)
        (void)ng_os_populate((char *)ng_arena.map - p.to, p.to - p.from);
}

static void raise_to(ng_atomic *a, uint64_t value) {
    uint64_t now = ng_load(a, NG_RELAXED);
    while (now < value && !ng_cas(a, &now, value, NG_RELEASE))
        ;
}

bool ng_arena_ready(size_t end) {
    size_t committed = ng_load(&ng_arena.committed, NG_ACQUIRE);
    if (end <= committed)
        return true;
    if (end > ng_arena.slabs)
        return false; /* who faults in ahead asks for whole chunks, and the arena may end within one */
    size_t step = committed / 4 < FIRST_COMMIT  ? FIRST_COMMIT
                  : committed / 4 > MOST_COMMIT ? MOST_COMMIT
                                                : committed / 4;
    size_t generous = round_up(end + step, NG_CHUNK_SLABS);
    if (generous > ng_arena.slabs)
        generous = ng_arena.slabs;
    if (commit_slabs(committed, generous)) {
        populate_infos(committed, generous);
        ng_pages_committed(committed, generous);
        raise_to(&ng_arena.committed, generous);
        return true;
    }
    if (!commit_slabs(committed, end)) /* over-commit is forbidden and memory short: just what is needed */
        return false;
    raise_to(&ng_arena.committed, end);
    return true;
}

static char *place_in(const struct ng_region *r, size_t from, size_t to) {
    return r->down ? r->base - to : r->base + from;
}

/* Of a region in use an eighth more is faulted in, by one call instead of a fault for each page; of a small one, nothing. */
static void populate_region(struct ng_region *r, size_t end) {
    size_t from = ng_load(&r->populated, NG_RELAXED), page = ng_os_page();
    if (end <= from)
        return;
    size_t more = end / 8 < MOST_POPULATED ? end / 8 : MOST_POPULATED;
    size_t to = round_up(end, page) + more / page * page, committed = ng_load(&r->committed, NG_ACQUIRE);
    if (to > committed)
        to = committed / page * page;
    if (more >= page && to > from)
        (void)ng_os_populate(place_in(r, from, to), to - from);
    raise_to(&r->populated, to);
}

void *ng_region_take(struct ng_region *r, size_t n) {
    uint64_t at = ng_add(&r->used, n, NG_RELAXED);
    if (at + n > r->bytes) {
        /* Leave `used` beyond the end: whoever comes next must fail too, and it does not wrap. */
        return NULL;
    }
    uint64_t committed = ng_load(&r->committed, NG_ACQUIRE);
    if (at + n > committed) {
        size_t end = round_up(at + n, REGION_COMMIT);
        if (end > r->bytes)
            end = r->bytes;
        if (!ng_os_commit(place_in(r, committed, end), end - committed))
            return NULL;
        raise_to(&r->committed, end);
    }
    populate_region(r, at + n);
    return place_in(r, at, at + n);
}

char *ng_arena_metadata_chunk(void) {
    const size_t half = NG_CHUNK_BYTES / 2;
    char *start = ng_heap_region.base - half;
    if ((uintptr_t)start % NG_CHUNK_BYTES != 0 || ng_magazine_region.bytes < half || ng_heap_region.bytes < half ||
        !ng_os_commit(start, NG_CHUNK_BYTES))
        return NULL;
    raise_to(&ng_magazine_region.committed, half);
    raise_to(&ng_heap_region.committed, half);
    return start;
}

/* ---- fresh slabs ---- */

/* The first slab from this one on whose address is a multiple of `align` slabs: the arena may start at any chunk. */
static uint64_t aligned_slab(uint64_t slab, uint32_t align) {
    uint64_t before = ((uintptr_t)ng_arena.base >> NGRT_SLAB_SHIFT) & (align - 1);
    return round_up(slab + before, align) - before;
}

uint32_t ng_arena_bump(uint32_t n, uint32_t align) {
    uint64_t bump = ng_load(&ng_arena.bump, NG_RELAXED), first;
    do {
        first = aligned_slab(bump, align);
        if (first + n > ng_arena.slabs || !ng_arena_ready(first + n))
            return NG_NO_SLAB;
    } while (!ng_cas(&ng_arena.bump, &bump, first + n, NG_RELAXED));
    if (first != bump) /* skipped for the alignment */
        ng_arena_free((uint32_t)bump, (uint32_t)(first - bump), false);
    return (uint32_t)first;
}

/* ---- which slabs are free: with the arena's key ---- */

static inline bool bit_get(uint64_t word, size_t i) { return word >> (i % 64) & 1; }

/* The bits of word w that lie in [from, to). */
static uint64_t mask_in_word(size_t w, size_t from, size_t to) {
    uint64_t mask = UINT64_MAX;
    if (from > w * 64)
        mask &= UINT64_MAX << (from - w * 64);
    if (to < (w + 1) * 64)
        mask &= UINT64_MAX >> ((w + 1) * 64 - to);
    return mask;
}

static void note_free(int64_t slabs, int64_t dirty) {
    ng_store(&ng_arena.free_slabs, ng_load(&ng_arena.free_slabs, NG_RELAXED) + (uint64_t)slabs, NG_RELAXED);
    ng_store(&ng_arena.dirty_slabs, ng_load(&ng_arena.dirty_slabs, NG_RELAXED) + (uint64_t)dirty, NG_RELAXED);
}

/* Clears the bits of the free slabs [from, to); how many of them were dirty. */
static int64_t clear_range(size_t from, size_t to) {
    int64_t dirty = 0;
    for (size_t w = from / 64; w * 64 < to; w++) {
        uint64_t mask = mask_in_word(w, from, to);
        struct ng_slab_bits *bits = ng_slab_bits(w);
        dirty += __builtin_popcountll(bits->dirty & mask);
        bits->free &= ~mask;
        bits->dirty &= ~mask;
        bits->aged &= ~mask;
        bits->old &= ~mask;
    }
    return dirty;
}

/* Takes the free slabs [from, to); true if none was dirty. */
static bool take_range(size_t from, size_t to) {
    int64_t dirty = clear_range(from, to);
    note_free(-(int64_t)(to - from), -dirty);
    return dirty == 0;
}

/* The slabs that the bits speak of: handed out at some time. */
static size_t known_slabs(void) { return ng_load(&ng_arena.bump, NG_RELAXED); }

/* The first run of n free slabs, starting at a multiple of align; SIZE_MAX if there is none. */
static size_t find_run(size_t n, size_t align) {
    size_t end = known_slabs();
    while (ng_arena.lowest * 64 < end && ng_slab_bits(ng_arena.lowest)->free == 0)
        ng_arena.lowest++;
    size_t at = ng_arena.lowest * 64, run = 0;
    while (at < end) {
        uint64_t rest = ng_slab_bits(at / 64)->free >> (at % 64);
        size_t left = 64 - at % 64;
        if (rest == 0) {
            run = 0;
            at += left;
            continue;
        }
        if (!(rest & 1)) {
            run = 0;
            at += (size_t)__builtin_ctzll(rest);
            continue;
        }
        if (run == 0 && aligned_slab(at, (uint32_t)align) != at) {
            at++;
            continue;
        }
        size_t ones = ~rest == 0 ? 64 : (size_t)__builtin_ctzll(~rest);
        if (ones > left)
            ones = left;
        run += ones;
        at += ones;
        if (run >= n)
            return at - run;
    }
    return SIZE_MAX;
}

static void set_range(size_t from, size_t to, bool dirty) {
    for (size_t w = from / 64; w * 64 < to; w++) {
        uint64_t mask = mask_in_word(w, from, to);
        ng_slab_bits(w)->free |= mask;
        if (dirty)
            ng_slab_bits(w)->dirty |= mask;
    }
    if (from / 64 < ng_arena.lowest)
        ng_arena.lowest = from / 64;
}

/* With the arena's key. */
static void mark_free(size_t from, size_t n, bool dirty) {
    set_range(from, from + n, dirty);
    note_free((int64_t)n, dirty ? (int64_t)n : 0);
}

/* The run of slabs whose pages are just going back: it counts as free, but its bits are clear, so that nobody takes it.
 * One at a time.  Written with the arena's key. */
static size_t going_from;
static ng_atomic going; /* slabs */

static void end_purge(bool dirty) {
    size_t n = ng_load(&going, NG_RELAXED);
    set_range(going_from, going_from + n, dirty);
    note_free(0, dirty ? (int64_t)n : 0);
    ng_store(&going, 0, NG_RELAXED);
}

/* ---- the arena's key ---- */

static struct ng_stack late; /* the first slab of each run that was freed, or was done going back, without the key */
enum { NOT_PURGED, PURGED, PURGED_IN_VAIN };

static ng_atomic *link_of(uint32_t number) { return &ng_slab_info(number - 1)->link; }

static void mark_late(void) {
    for (uint32_t number; (number = ng_stack_pop(&late, link_of)) != 0;) {
        struct ng_slab *s = ng_slab_info(number - 1);
        if (s->purged != NOT_PURGED) {
            end_purge(s->purged == PURGED_IN_VAIN);
            s->purged = NOT_PURGED;
        } else {
            mark_free(number - 1, s->large_slabs, true);
            ng_add(&ng_arena.late_slabs, -(uint64_t)s->large_slabs, NG_RELAXED);
        }
    }
}

static bool entered(bool it_was) {
    if (it_was)
        mark_late();
    return it_was;
}

static void leave(void) { ng_key_leave(&ng_arena_key); }

uint32_t ng_arena_find(uint32_t n, uint32_t align, bool *zero) {
    if (ng_arena_unused() < n || !entered(ng_key_insist(&ng_arena_key)))
        return NG_NO_SLAB;
    size_t first = find_run(n, align);
    if (first != SIZE_MAX)
        *zero = take_range(first, first + n);
    leave();
    return first == SIZE_MAX ? NG_NO_SLAB : (uint32_t)first;
}

/* With the arena's key. */
static bool extend(size_t first, size_t end, bool *zero) {
    size_t known = known_slabs(), free_end = first;
    while (free_end < end && free_end < known && bit_get(ng_slab_bits(free_end / 64)->free, free_end))
        free_end++;
    if (free_end < end) {
        /* What is missing can only come from behind the last slab ever used, where memory is ready already. */
        uint64_t bump = free_end;
        if (free_end != known || end > ng_load(&ng_arena.committed, NG_ACQUIRE) ||
            !ng_cas(&ng_arena.bump, &bump, end, NG_RELAXED))
            return false;
    }
    *zero = free_end == first || take_range(first, free_end);
    return true;
}

bool ng_arena_extend(uint32_t first, uint32_t n, bool *zero) {
    size_t end = (size_t)first + n;
    if (end > ng_arena.slabs || (end > known_slabs() && !ng_arena_ready(end)) || !entered(ng_key_enter(&ng_arena_key)))
        return false;
    bool extended = extend(first, end, zero);
    leave();
    return extended;
}

void ng_arena_free(uint32_t first, uint32_t n, bool dirty) {
    if (entered(ng_key_enter(&ng_arena_key))) {
        mark_free(first, n, dirty);
        leave();
        return;
    }
    ng_slab_info(first)->large_slabs = n;
    ng_add(&ng_arena.late_slabs, n, NG_RELAXED); /* first, so that it never counts below zero */
    ng_stack_push(&late, first + 1, link_of(first + 1));
}

bool ng_arena_chunk_in_use(size_t slab) {
    if (!entered(ng_key_try(&ng_arena_key)))
        return false;
    bool in_use = (ng_slab_bits(slab / 64)->free & mask_in_word(slab / 64, slab, slab + NG_CHUNK_SLABS)) == 0;
    leave();
    return in_use;
}

/* ---- giving back ---- */

static uint64_t claimed_to; /* nothing more goes before this time; with the arena's key */

/* The slabs of word w that lie in a huge page of which a part is in use. */
static uint64_t in_broken_huge(size_t w) {
    uint64_t found = 0;
    for (size_t slab = w * 64; slab < (w + 1) * 64; slab += NG_CHUNK_SLABS) {
        uint64_t mask = mask_in_word(w, slab, slab + NG_CHUNK_SLABS);
        if (ng_collapse_huge(slab) && (ng_slab_bits(w)->free & mask) != mask)
            found |= mask;
    }
    return found;
}

/* The slabs of word w that may go now.  Those that break a huge page go last: a tick later. */
static uint64_t ripe(size_t w, bool all) {
    const struct ng_slab_bits *bits = ng_slab_bits(w);
    if (all || bits->aged == 0)
        return all ? bits->dirty : 0;
    return (bits->aged & ~in_broken_huge(w)) | bits->old;
}

/* The next run of slabs from *at on to give back; false at the end. */
static bool begin_purge(size_t *at, bool all) {
    if (!entered(ng_key_insist(&ng_arena_key)))
        return false;
    size_t end = ng_load(&going, NG_RELAXED) != 0 || (!all && ng_os_now() < claimed_to) ? 0 : known_slabs();
    while (*at < end && !bit_get(ripe(*at / 64, all), *at))
        *at += ripe(*at / 64, all) >> (*at % 64) == 0 ? 64 - *at % 64 : 1;
    size_t from = *at;
    while (*at < end && bit_get(ripe(*at / 64, all), *at) && *at - from < PURGE_SLABS)
        (*at)++;
    bool some = *at > from;
    if (some) {
        note_free(0, -clear_range(from, *at));
        going_from = from;
        ng_store(&going, *at - from, NG_RELAXED);
    }
    leave();
    return some;
}

static void age(void) {
    if (!entered(ng_key_insist(&ng_arena_key)))
        return;
    for (size_t w = 0, words = (known_slabs() + 63) / 64; w < words; w++) {
        ng_slab_bits(w)->old = ng_slab_bits(w)->aged;
        ng_slab_bits(w)->aged = ng_slab_bits(w)->dirty;
    }
    leave();
}

static void note_broken(size_t from, size_t n) {
    for (size_t chunk = from / NG_CHUNK_SLABS; chunk * NG_CHUNK_SLABS < from + n; chunk++)
        ng_collapse_is_broken(chunk * NG_CHUNK_SLABS);
}

bool ng_arena_purge(bool all) {
    bool some = false;
    for (size_t at = 0; begin_purge(&at, all);) {
        uint32_t first = (uint32_t)going_from;
        bool gone = ng_os_purge(ng_slab_start(first), ng_load(&going, NG_RELAXED) << NGRT_SLAB_SHIFT);
        note_broken(first, ng_load(&going, NG_RELAXED));
        ng_slab_info(first)->purged = gone ? PURGED : PURGED_IN_VAIN;
        ng_stack_push(&late, first + 1, link_of(first + 1));
        if (entered(ng_key_insist(&ng_arena_key))) /* else the next one who gets it does this */
            leave();
        some |= gone;
        if (!gone)
            break; /* locked memory: it would fail for every run, at every tick */
    }
    age();
    return some;
}

void ng_arena_claim(void) {
    uint64_t nobody = 0;
    if (entered(ng_key_insist(&ng_arena_key))) {
        claimed_to = ng_os_now() + CLAIM_NS;
        leave();
    }
    for (unsigned nap = 0; ng_load(&going, NG_RELAXED) != 0 && nap < CLAIM_NAPS; nap++) {
        ng_os_sleep(&nobody, 0, CLAIM_NAP_NS);
        if (entered(ng_key_enter(&ng_arena_key)))
            leave();
    }
}

void ng_arena_in_child(void) {
    mark_late();
    if (ng_load(&going, NG_RELAXED) != 0)
        end_purge(true);
}
