/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pages.c: for each chunk of 2 MiB how it is mapped, what was advised, and which of its small pages are there.
 */
#include "pages.h"

enum { CHUNK_SHIFT = 21, PAGE_SHIFT = 12, PAGES = 1 << (CHUNK_SHIFT - PAGE_SHIFT), LEAF_SHIFT = 10, ADDRESS_BITS = 48 };

static const uint64_t chunk_bytes = 1ULL << CHUNK_SHIFT, page_bytes = 1ULL << PAGE_SHIFT;

enum advice { NONE, WANTED, REFUSED };

struct chunk {
    uint8_t huge;   /* one huge page */
    uint8_t small;  /* some of its small pages are there, so that it does not become huge by a touch */
    uint8_t advice; /* of the whole chunk */
    uint64_t there[PAGES / 64];
};

struct ngsim_pages {
    enum ngsim_thp thp;
    bool disabled;
    bool (*whole)(uint64_t, uint64_t);
    void *(*allocate)(size_t);
    struct chunk *leaves[1 << (ADDRESS_BITS - CHUNK_SHIFT - LEAF_SHIFT)];
};

struct ngsim_pages *ngsim_pages_new(enum ngsim_thp thp, bool (*whole)(uint64_t, uint64_t), void *(*allocate)(size_t)) {
    struct ngsim_pages *p = allocate(sizeof *p);
    if (p != NULL) {
        p->thp = thp;
        p->whole = whole;
        p->allocate = allocate;
    }
    return p;
}

void ngsim_pages_disable(struct ngsim_pages *p, bool disabled) { p->disabled = disabled; }

/* The chunk; NULL where nothing is known of it, or where there is no memory to know it. */
static struct chunk *chunk_at(struct ngsim_pages *p, uint64_t address, bool make) {
    uint64_t number = address >> CHUNK_SHIFT;
    uint64_t leaf = number >> LEAF_SHIFT;
    if (leaf >= sizeof p->leaves / sizeof p->leaves[0])
        return NULL;
    if (p->leaves[leaf] == NULL && make)
        p->leaves[leaf] = p->allocate(sizeof(struct chunk) << LEAF_SHIFT);
    return p->leaves[leaf] != NULL ? &p->leaves[leaf][number & ((1U << LEAF_SHIFT) - 1)] : NULL;
}

static bool page_there(const struct chunk *c, uint64_t page) { return c->there[page / 64] >> (page % 64) & 1; }

static void set_page(struct chunk *c, uint64_t page, bool there) {
    uint64_t bit = 1ULL << (page % 64);
    c->there[page / 64] = there ? c->there[page / 64] | bit : c->there[page / 64] & ~bit;
}

static void set_all(struct chunk *c, bool there) {
    for (size_t i = 0; i < PAGES / 64; ++i)
        c->there[i] = there ? UINT64_MAX : 0;
}

static bool none_there(const struct chunk *c) {
    for (size_t i = 0; i < PAGES / 64; ++i)
        if (c->there[i] != 0)
            return false;
    return true;
}

/* Calls one for every chunk that the range meets and that is known (make: known or not), with the part of the range in it. */
static void each_chunk(struct ngsim_pages *p, uint64_t address, uint64_t bytes, bool make,
                       void (*one)(struct chunk *, uint64_t from, uint64_t to, int value), int value) {
    uint64_t end = address + bytes;
    for (uint64_t a = address; a < end;) {
        uint64_t base = a & ~(chunk_bytes - 1);
        uint64_t to = end < base + chunk_bytes ? end : base + chunk_bytes;
        struct chunk *c = chunk_at(p, a, make);
        if (c != NULL)
            one(c, a - base, to - base, value);
        /* A leaf of which nothing is known is left out whole: reservations are large. */
        a = c != NULL ? to : ((a >> (CHUNK_SHIFT + LEAF_SHIFT)) + 1) << (CHUNK_SHIFT + LEAF_SHIFT);
    }
}

static bool is_whole(uint64_t from, uint64_t to) { return from == 0 && to == chunk_bytes; }

static void split(struct chunk *c) {
    if (c->huge) {
        c->huge = 0;
        c->small = 1;
        set_all(c, true);
    }
}

static void drop(struct chunk *c, uint64_t from, uint64_t to, int advice_too) {
    if (is_whole(from, to)) {
        c->huge = c->small = 0;
        set_all(c, false);
        if (advice_too)
            c->advice = NONE;
        return;
    }
    split(c);
    for (uint64_t page = from >> PAGE_SHIFT; page < (to + page_bytes - 1) >> PAGE_SHIFT; ++page)
        set_page(c, page, false);
    if (c->small && none_there(c))
        c->small = 0;
    if (advice_too && c->advice == WANTED)
        c->advice = NONE; /* a part of it is another mapping now */
}

static void split_part(struct chunk *c, uint64_t from, uint64_t to, int unused) {
    (void)unused;
    if (!is_whole(from, to))
        split(c);
}

static void advise(struct chunk *c, uint64_t from, uint64_t to, int advice) {
    if (is_whole(from, to) || advice == REFUSED)
        c->advice = (uint8_t)advice;
}

static void collapse(struct chunk *c, uint64_t from, uint64_t to, int unused) {
    (void)unused;
    if (!is_whole(from, to))
        return;
    c->huge = 1;
    c->small = 0;
    set_all(c, true);
}

void ngsim_pages_map(struct ngsim_pages *p, uint64_t address, uint64_t bytes) {
    each_chunk(p, address, bytes, false, drop, true);
}

void ngsim_pages_drop(struct ngsim_pages *p, uint64_t address, uint64_t bytes, bool advice_too) {
    each_chunk(p, address, bytes, false, drop, advice_too);
}

void ngsim_pages_split(struct ngsim_pages *p, uint64_t address, uint64_t bytes) {
    each_chunk(p, address, bytes, false, split_part, 0);
}

void ngsim_pages_advise(struct ngsim_pages *p, uint64_t address, uint64_t bytes, bool huge) {
    each_chunk(p, address, bytes, true, advise, huge ? WANTED : REFUSED);
}

void ngsim_pages_collapse(struct ngsim_pages *p, uint64_t address, uint64_t bytes) {
    each_chunk(p, address, bytes, true, collapse, 0);
}

static bool may_be_huge(const struct ngsim_pages *p, const struct chunk *c, uint64_t base) {
    if (c->small || p->disabled || c->advice == REFUSED || p->thp == NGSIM_THP_NEVER)
        return false;
    return (p->thp == NGSIM_THP_ALWAYS || c->advice == WANTED) && p->whole(base, chunk_bytes);
}

struct ngsim_touch ngsim_pages_touch(struct ngsim_pages *p, uint64_t address) {
    struct ngsim_touch touch = {false, false, address & ~(page_bytes - 1), page_bytes};
    struct chunk *c = chunk_at(p, address, true);
    if (c == NULL)
        return touch;
    uint64_t base = address & ~(chunk_bytes - 1), page = (address - base) >> PAGE_SHIFT;
    if (c->huge || page_there(c, page)) {
        touch.huge = c->huge;
        return touch;
    }
    touch.fresh = true;
    if (may_be_huge(p, c, base)) {
        c->huge = 1;
        set_all(c, true);
        touch.huge = true;
        touch.page = base;
        touch.bytes = chunk_bytes;
        return touch;
    }
    c->small = 1;
    set_page(c, page, true);
    return touch;
}
