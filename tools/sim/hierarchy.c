/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * hierarchy.c: caches, TLBs, coherence and prefetcher.  Every set is an array of tags, the one used last in front (true
 * LRU); a tag is the line's number and its state.
 */
#include "hierarchy.h"

/* A line's state in a private cache: shared, or this core's alone, or this core's and changed. */
enum state { INVALID, SHARED, EXCLUSIVE, MODIFIED, STATE_BITS = 2, STATE_MASK = 3 };

enum { PREFETCH_SURE = 2 }; /* steps in one direction before it fetches */

static const uint64_t no_line = UINT64_MAX;

struct cache {
    uint64_t *tags; /* sets times ways; 0: empty */
    uint32_t sets, ways;
};

struct stream {
    uint64_t last; /* line */
    int step, seen;
};

struct core {
    struct cache l1, l2, dtlb, dtlb_huge, stlb, stlb_huge;
    struct stream *streams;
    uint64_t last_line; /* first of its L1 set, so that the next access to it needs no search */
    uint64_t last_page; /* the same for the first TLB; + 1, since 0 is none */
    uint32_t next_stream;
    bool last_written;
};

struct ngsim {
    struct ngsim_geometry geometry;
    void *(*allocate)(size_t);
    struct cache llc;
    struct core *cores[NGSIM_CORES];
    uint32_t core_count; /* the highest used, + 1 */
};

/* ---- one cache ---- */

static bool make_cache(struct cache *c, uint32_t entries, uint32_t ways, void *(*allocate)(size_t)) {
    if (entries == 0)
        return true;
    c->ways = ways;
    c->sets = entries / ways;
    c->tags = allocate((size_t)entries * sizeof(uint64_t));
    return c->tags != NULL;
}

static uint64_t *set_of(const struct cache *c, uint64_t number) {
    return c->tags + (size_t)(number & (c->sets - 1)) * c->ways;
}

/* Puts entry i of a set in front. */
static void to_front(uint64_t *set, uint32_t i) {
    uint64_t tag = set[i];
    for (; i > 0; --i)
        set[i] = set[i - 1];
    set[0] = tag;
}

/* The entry, put in front; NULL where the cache has none. */
static uint64_t *find(const struct cache *c, uint64_t number) {
    uint64_t *set = set_of(c, number);
    for (uint32_t i = 0; i < c->ways; ++i)
        if (set[i] >> STATE_BITS == number && set[i] != 0) {
            if (i != 0)
                to_front(set, i);
            return set;
        }
    return NULL;
}

/* The entry where it is, its age unchanged: for what others do. */
static uint64_t *peek(const struct cache *c, uint64_t number) {
    uint64_t *set = set_of(c, number);
    for (uint32_t i = 0; i < c->ways; ++i)
        if (set[i] >> STATE_BITS == number && set[i] != 0)
            return set + i;
    return NULL;
}

/* Puts a new entry in front; the tag that had to go, or 0. */
static uint64_t insert(const struct cache *c, uint64_t number, enum state state) {
    uint64_t *set = set_of(c, number);
    uint32_t i = 0;
    while (i < c->ways - 1 && set[i] != 0)
        ++i;
    uint64_t gone = set[i];
    set[i] = number << STATE_BITS | state;
    to_front(set, i);
    return gone;
}

/* ---- a machine ---- */

static bool power_of_two(uint32_t n) { return n != 0 && (n & (n - 1)) == 0; }

/* A whole number of ways, and a power of two of sets. */
static bool fits(uint32_t entries, uint32_t ways) {
    return ways != 0 && entries % ways == 0 && power_of_two(entries / ways);
}

const char *ngsim_wrong(const struct ngsim_geometry *g) {
    const uint32_t line = 1U << NGSIM_LINE_SHIFT;
    if (g->l1_bytes % line != 0 || !fits(g->l1_bytes / line, g->l1_ways))
        return "l1_bytes";
    if (g->l2_bytes != 0 && (g->l2_bytes % line != 0 || !fits(g->l2_bytes / line, g->l2_ways)))
        return "l2_bytes";
    if (g->llc_bytes % line != 0 || !fits(g->llc_bytes / line, g->llc_ways))
        return "llc_bytes";
    if (g->llc_victim > 1 || (g->llc_victim == 1 && g->l2_bytes == 0))
        return "llc_victim";
    if (!fits(g->dtlb_entries, g->dtlb_ways))
        return "dtlb_entries";
    if (g->dtlb_huge_entries != 0 && !fits(g->dtlb_huge_entries, g->dtlb_huge_ways))
        return "dtlb_huge_entries";
    if (!fits(g->stlb_entries, g->stlb_ways))
        return "stlb_entries";
    if (g->stlb_huge_entries != 0 && !fits(g->stlb_huge_entries, g->stlb_huge_ways))
        return "stlb_huge_entries";
    if (g->dtlb_event_walk > 1)
        return "dtlb_event_walk";
    if (g->prefetch_streams != 0 && (g->prefetch_lines == 0 || g->l2_bytes == 0))
        return "prefetch_lines";
    return NULL;
}

struct ngsim *ngsim_new(const struct ngsim_geometry *geometry, void *(*allocate)(size_t)) {
    if (ngsim_wrong(geometry) != NULL)
        return NULL;
    struct ngsim *m = allocate(sizeof *m);
    if (m == NULL)
        return NULL;
    m->geometry = *geometry;
    m->allocate = allocate;
    return make_cache(&m->llc, geometry->llc_bytes >> NGSIM_LINE_SHIFT, geometry->llc_ways, allocate) ? m : NULL;
}

static struct core *new_core(struct ngsim *m, unsigned number) {
    const struct ngsim_geometry *g = &m->geometry;
    struct core *c = m->allocate(sizeof *c);
    if (c == NULL || !make_cache(&c->l1, g->l1_bytes >> NGSIM_LINE_SHIFT, g->l1_ways, m->allocate) ||
        !make_cache(&c->l2, g->l2_bytes >> NGSIM_LINE_SHIFT, g->l2_ways, m->allocate) ||
        !make_cache(&c->dtlb, g->dtlb_entries, g->dtlb_ways, m->allocate) ||
        !make_cache(&c->dtlb_huge, g->dtlb_huge_entries, g->dtlb_huge_ways, m->allocate) ||
        !make_cache(&c->stlb, g->stlb_entries, g->stlb_ways, m->allocate) ||
        !make_cache(&c->stlb_huge, g->stlb_huge_entries, g->stlb_huge_ways, m->allocate))
        return NULL;
    if (g->prefetch_streams != 0 && (c->streams = m->allocate(g->prefetch_streams * sizeof *c->streams)) == NULL)
        return NULL;
    c->last_line = no_line;
    m->cores[number] = c;
    if (number >= m->core_count)
        m->core_count = number + 1;
    return c;
}

static struct core *core_of(struct ngsim *m, unsigned number) {
    return m->cores[number] != NULL ? m->cores[number] : new_core(m, number);
}

/* ---- lines ---- */

/* What the other cores have of a line, and what becomes of it: for a store theirs are gone, for a load they are shared.
 * Returns the most that one had. */
static enum state probe(struct ngsim *m, const struct core *self, uint64_t line, bool store) {
    enum state most = INVALID;
    for (uint32_t i = 0; i < m->core_count; ++i) {
        struct core *c = m->cores[i];
        if (c == NULL || c == self)
            continue;
        uint64_t *held[2] = {c->l2.tags != NULL ? peek(&c->l2, line) : NULL, peek(&c->l1, line)};
        for (int k = 0; k < 2; ++k) {
            if (held[k] == NULL)
                continue;
            enum state state = *held[k] & STATE_MASK;
            most = state > most ? state : most;
            *held[k] = store ? 0 : line << STATE_BITS | SHARED;
        }
        if (c->last_line == line && (held[0] != NULL || held[1] != NULL)) {
            c->last_written = false;
            c->last_line = store ? no_line : line;
        }
    }
    return most;
}

/* A line has left the private caches. */
static void leave(struct ngsim *m, uint64_t tag) {
    if (tag != 0 && m->geometry.llc_victim && find(&m->llc, tag >> STATE_BITS) == NULL)
        insert(&m->llc, tag >> STATE_BITS, SHARED);
}

static void fill_l2(struct ngsim *m, struct core *c, uint64_t line, enum state state) {
    uint64_t gone = insert(&c->l2, line, state);
    if (gone == 0)
        return;
    uint64_t *inner = peek(&c->l1, gone >> STATE_BITS);
    if (inner != NULL)
        *inner = 0;
    if (c->last_line == gone >> STATE_BITS)
        c->last_line = no_line;
    leave(m, gone);
}

static void fill_l1(const struct core *c, uint64_t line, enum state state) {
    uint64_t gone = insert(&c->l1, line, state);
    if (c->l2.tags == NULL || (gone & STATE_MASK) != MODIFIED)
        return;
    uint64_t *outer = peek(&c->l2, gone >> STATE_BITS);
    if (outer != NULL)
        *outer = gone;
}

/* The line is in no private cache of this core: where it comes from.  Returns events; *state is what the core may do. */
static unsigned fetch(struct ngsim *m, const struct core *c, uint64_t line, bool store, enum state *state) {
    unsigned events = 0;
    enum state others = probe(m, c, line, store);
    uint64_t *last = find(&m->llc, line);
    if (others == MODIFIED)
        events |= NGSIM_MOVE;
    if (last == NULL && others == INVALID)
        events |= NGSIM_LLC;
    if (m->geometry.llc_victim) {
        if (last != NULL)
            *last = 0;
    } else if (last == NULL) {
        insert(&m->llc, line, SHARED);
    }
    *state = store ? MODIFIED : others != INVALID ? SHARED : EXCLUSIVE;
    return events;
}

/* A miss of L1 teaches the prefetcher; where it is sure it fetches the next lines of the page into L2. */
static void prefetch(struct ngsim *m, struct core *c, uint64_t line) {
    const int page_lines_shift = NGSIM_PAGE_SHIFT - NGSIM_LINE_SHIFT;
    const struct ngsim_geometry *g = &m->geometry;
    struct stream *s = NULL;
    for (uint32_t i = 0; i < g->prefetch_streams && s == NULL; ++i)
        if (c->streams[i].last >> page_lines_shift == line >> page_lines_shift)
            s = &c->streams[i];
    if (s == NULL) {
        c->streams[c->next_stream] = (struct stream){line, 0, 0};
        c->next_stream = (c->next_stream + 1) % g->prefetch_streams;
        return;
    }
    int step = line > s->last ? 1 : -1;
    if (line == s->last)
        return;
    s->seen = step == s->step ? s->seen + 1 : 1;
    s->step = step;
    s->last = line;
    for (uint32_t i = 1; s->seen >= PREFETCH_SURE && i <= g->prefetch_lines; ++i) {
        uint64_t next = line + (uint64_t)(int64_t)(step * (int)i);
        enum state state;
        if (next >> page_lines_shift != line >> page_lines_shift)
            break;
        if (peek(&c->l2, next) != NULL)
            continue;
        fetch(m, c, next, false, &state);
        fill_l2(m, c, next, state);
    }
}

/* A store to a line that the core has but may share. */
static unsigned own(struct ngsim *m, const struct core *c, uint64_t line, uint64_t *tag) {
    unsigned events = 0;
    if ((*tag & STATE_MASK) == SHARED && probe(m, c, line, true) != INVALID)
        events = NGSIM_UPGRADE;
    *tag = line << STATE_BITS | MODIFIED;
    return events;
}

static unsigned access_line(struct ngsim *m, struct core *c, uint64_t line, bool store) {
    if (c->last_line == line && (!store || c->last_written))
        return 0;
    unsigned events = 0;
    uint64_t *tag = find(&c->l1, line);
    if (tag == NULL) {
        enum state state = INVALID;
        events = NGSIM_L1;
        uint64_t *outer = c->l2.tags != NULL ? find(&c->l2, line) : NULL;
        if (outer != NULL) {
            state = *outer & STATE_MASK;
        } else {
            events |= NGSIM_L2 | fetch(m, c, line, store, &state);
            if (c->l2.tags != NULL)
                fill_l2(m, c, line, state);
        }
        fill_l1(c, line, state);
        tag = set_of(&c->l1, line);
        if (c->streams != NULL)
            prefetch(m, c, line);
        tag = *tag >> STATE_BITS == line ? tag : find(&c->l1, line);
    }
    c->last_line = line;
    c->last_written = false;
    if (!store || tag == NULL)
        return events;
    events |= own(m, c, line, tag);
    c->last_written = true;
    return events;
}

/* ---- pages ---- */

static unsigned access_page(struct core *c, uint64_t address, bool huge) {
    uint64_t page = address >> (huge ? NGSIM_HUGE_SHIFT : NGSIM_PAGE_SHIFT);
    uint64_t known = page << 1 | huge;
    if (c->last_page == known + 1)
        return 0;
    c->last_page = known + 1;
    const struct cache *first = huge && c->dtlb_huge.tags != NULL ? &c->dtlb_huge : &c->dtlb;
    const struct cache *second = huge && c->stlb_huge.tags != NULL ? &c->stlb_huge : &c->stlb;
    /* The size is part of the tag, in the bits above any address: the index stays the page's number. */
    uint64_t number = page | (uint64_t)huge << 60;
    if (find(first, number) != NULL)
        return 0;
    unsigned events = NGSIM_TLB;
    if (find(second, number) == NULL) {
        events |= NGSIM_WALK;
        insert(second, number, SHARED);
    }
    insert(first, number, SHARED);
    return events;
}

unsigned ngsim_access(struct ngsim *m, unsigned core, uint64_t address, unsigned bytes, bool store, bool huge) {
    struct core *c = core_of(m, core);
    if (c == NULL)
        return 0;
    uint64_t last = address + (bytes != 0 ? bytes - 1 : 0);
    unsigned events = access_page(c, address, huge);
    if ((address ^ last) >> NGSIM_PAGE_SHIFT != 0)
        events |= access_page(c, last, huge);
    events |= access_line(m, c, ngsim_line(address), store);
    if (ngsim_line(address) != ngsim_line(last))
        events |= access_line(m, c, ngsim_line(last), store);
    return events;
}

unsigned ngsim_clear(struct ngsim *m, unsigned core, uint64_t address, uint64_t bytes) {
    struct core *c = core_of(m, core);
    unsigned missed = 0;
    for (uint64_t a = address; c != NULL && a < address + bytes; a += 1U << NGSIM_LINE_SHIFT)
        missed += (access_line(m, c, ngsim_line(a), true) & NGSIM_LLC) != 0;
    return missed;
}

static void forget_pages(const struct cache *c, uint64_t from, uint64_t to) {
    for (size_t i = 0; c->tags != NULL && i < (size_t)c->sets * c->ways; ++i) {
        uint64_t number = c->tags[i] >> STATE_BITS;
        int shift = number >> 60 ? NGSIM_HUGE_SHIFT : NGSIM_PAGE_SHIFT;
        uint64_t page = number & ((1ULL << 60) - 1);
        if (c->tags[i] != 0 && page >= from >> shift && page <= (to - 1) >> shift)
            c->tags[i] = 0;
    }
}

void ngsim_forget(struct ngsim *m, uint64_t address, uint64_t bytes) {
    if (bytes == 0)
        return;
    for (uint32_t i = 0; i < m->core_count; ++i) {
        struct core *c = m->cores[i];
        if (c == NULL)
            continue;
        c->last_page = 0;
        forget_pages(&c->dtlb, address, address + bytes);
        forget_pages(&c->dtlb_huge, address, address + bytes);
        forget_pages(&c->stlb, address, address + bytes);
        forget_pages(&c->stlb_huge, address, address + bytes);
    }
}
