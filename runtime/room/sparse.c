/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * sparse.c: see sparse.h.
 */
#include "room/sparse.h"

#include "os/os.h"
#include "room/collapse.h"
#include "room/keys.h"
#include "room/slab.h"

enum {
    /* A chunk gives pages back where one in so many of its pages can go: less is not worth the system calls, nor the
     * huge page that the chunk may be. */
    WORTH = 8,
    HUGE_WORTH = 2, /* times as much, where it breaks a huge page */
};

/* Where a pass is.  With the key. */
struct pass {
    size_t at;   /* the next slab */
    bool all;    /* whatever is free, not only what was at the last pass */
    bool giving; /* the chunk that `at` lies in is worth it */
    bool again;  /* something was free that was not before */
    bool some;   /* something was given back */
};

static struct pass ticking;
static ng_atomic under_way, wanted, returned; /* written with the key */

bool ng_sparse_wanted(void) { return ng_load(&wanted, NG_RELAXED) != 0; }

void ng_sparse_returned(void) {
    if (ng_load(&returned, NG_RELAXED) == 0) {
        ng_store(&returned, 1, NG_RELAXED);
        ng_store(&wanted, 1, NG_RELAXED);
    }
}

void ng_sparse_taken(struct ng_slab *s, char *start, void *const *block, unsigned n) {
    size_t page = ng_os_page(), size = ng_classes[s->cls].size;
    s->aged_pages = 0;
    for (unsigned i = 0; s->gone_pages != 0 && i < n; i++) {
        size_t offset = (size_t)((char *)block[i] - start);
        for (size_t p = offset / page; p <= (offset + size - 1) / page; p++)
            s->gone_pages = (uint16_t)(s->gone_pages & ~(1u << p));
    }
}

static bool all_set(const uint64_t *bits, size_t first, size_t last) {
    for (size_t w = first / 64; w <= last / 64; w++) {
        uint64_t mask = UINT64_MAX;
        if (w == first / 64)
            mask &= UINT64_MAX << first % 64;
        if (w == last / 64)
            mask &= UINT64_MAX >> (63 - last % 64);
        if ((~bits[w] & mask) != 0)
            return false;
    }
    return true;
}

/* The pages of the slab that no block in use touches and that were not given back yet, a bit each. */
static uint32_t free_pages(const struct ng_slab *s) {
    size_t page = ng_os_page(), size = ng_classes[s->cls].size;
    uint32_t found = 0;
    if (s->free * size < page)
        return 0;
    for (size_t p = 0; p < NG_SLAB_BYTES / page; p++) {
        size_t first = p * page / size, last = ((p + 1) * page - 1) / size;
        last = last < s->blocks ? last : s->blocks - 1u;
        if ((s->gone_pages >> p & 1) == 0 && first < s->blocks && all_set(s->bits, first, last))
            found |= 1u << p;
    }
    return found;
}

static bool has_something_free(size_t slab) { return (ng_slab_bits(slab / 64)->partial >> slab % 64 & 1) != 0; }

/* What of them may go in this pass. */
static uint32_t ripe(const struct pass *p, const struct ng_slab *s, uint32_t found) {
    return p->all ? found : found & s->aged_pages;
}

static void look_at_chunk(struct pass *p, size_t end) {
    size_t ready = 0, young = 0, worth = NG_CHUNK_BYTES / ng_os_page() / WORTH;
    if (ng_collapse_huge(p->at) && !p->all)
        worth *= HUGE_WORTH;
    for (size_t i = p->at; i < end; i++) {
        if (!has_something_free(i))
            continue;
        const struct ng_slab *s = ng_slab_info(i);
        uint32_t found = free_pages(s), now = ripe(p, s, found);
        ready += (size_t)__builtin_popcount(now);
        young += (size_t)__builtin_popcount(found & ~now);
    }
    p->giving = ready >= worth;
    p->again |= p->giving ? young != 0 : ready + young >= worth;
}

/* False where the system takes nothing back (locked memory). */
static bool give(char *start, uint32_t pages) {
    size_t page = ng_os_page();
    while (pages != 0) {
        unsigned first = (unsigned)__builtin_ctz(pages), n = (unsigned)__builtin_ctz(~(pages >> first));
        if (!ng_os_purge(start + first * page, n * page))
            return false;
        pages &= ~(((1u << n) - 1) << first);
    }
    return true;
}

static void visit(struct pass *p, size_t slab) {
    struct ng_slab *s = ng_slab_info(slab);
    uint32_t found = free_pages(s), now = p->giving ? ripe(p, s, found) : 0;
    if (now != 0 && give(ng_slab_start((uint32_t)slab), now)) {
        s->gone_pages = (uint16_t)(s->gone_pages | now);
        ng_collapse_is_broken(slab);
        p->some = true;
    }
    s->aged_pages = (uint16_t)(found & ~now);
}

/* One slab that gives pages, or a chunk that gives none.  With the key; false at the end. */
static bool step(struct pass *p) {
    size_t end = ng_load(&ng_arena.bump, NG_RELAXED);
    if (p->at >= end)
        return false;
    size_t chunk_end = (p->at / NG_CHUNK_SLABS + 1) * NG_CHUNK_SLABS;
    end = chunk_end < end ? chunk_end : end;
    if (p->at % NG_CHUNK_SLABS == 0)
        look_at_chunk(p, end);
    while (p->at < end) {
        size_t slab = p->at++;
        if (has_something_free(slab)) {
            visit(p, slab);
            if (p->giving)
                break;
        }
    }
    return true;
}

void ng_sparse_begin(bool all) {
    if (!ng_sparse_wanted() || !ng_key_enter(&ng_key))
        return;
    if (ng_load(&under_way, NG_RELAXED) == 0) {
        ticking = (struct pass){.all = all};
        ng_store(&returned, 0, NG_RELAXED);
        ng_store(&under_way, 1, NG_RELAXED);
    }
    ng_key_leave(&ng_key);
}

bool ng_sparse_go_on(uint64_t until) {
    while (ng_load(&under_way, NG_RELAXED) != 0) {
        if (ng_os_now() >= until || !ng_key_enter(&ng_key))
            return false;
        if (ng_load(&under_way, NG_RELAXED) != 0 && !step(&ticking)) {
            ng_store(&wanted, ticking.again || ng_load(&returned, NG_RELAXED) != 0, NG_RELAXED);
            ng_store(&under_way, 0, NG_RELAXED);
        }
        ng_key_leave(&ng_key);
    }
    return true;
}

bool ng_sparse_purge_all(void) {
    struct pass p = {.all = true};
    for (bool more = true; more && ng_key_insist(&ng_key);) {
        more = step(&p);
        ng_key_leave(&ng_key);
    }
    return p.some;
}
