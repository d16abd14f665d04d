/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ng-sim's model (tools/sim/hierarchy.c, pages.c) on patterns of accesses whose misses can be counted by hand.
 */
#include "check.h"

#include "hierarchy.h"
#include "pages.h"

enum { LINE = 64, PAGE = 4096, CHUNK = 2 << 20 };

static void *zeroed(size_t bytes) { return calloc(1, bytes); }

/* L1 of 2 sets and 2 ways, L2 of 4 sets and 2 ways, a last level of 8 sets and 2 ways; TLBs of 2 and of 4 entries. */
static const struct ngsim_geometry small = {
    .l1_bytes = 4 * LINE,
    .l1_ways = 2,
    .l2_bytes = 8 * LINE,
    .l2_ways = 2,
    .llc_bytes = 16 * LINE,
    .llc_ways = 2,
    .dtlb_entries = 2,
    .dtlb_ways = 2,
    .stlb_entries = 4,
    .stlb_ways = 4,
};

static struct ngsim *machine(struct ngsim_geometry g) {
    struct ngsim *m = ngsim_new(&g, zeroed);
    CHECK(m != NULL, "%s", ngsim_wrong(&g));
    return m;
}

/* One access of 8 bytes to a line; only the events of caches, or only those of TLBs. */
enum { CACHES = NGSIM_L1 | NGSIM_L2 | NGSIM_LLC | NGSIM_MOVE | NGSIM_UPGRADE, TLBS = NGSIM_TLB | NGSIM_WALK };

static void expect(struct ngsim *m, unsigned core, uint64_t line, bool store, unsigned events) {
    unsigned got = ngsim_access(m, core, line * LINE, 8, store, false) & CACHES;
    CHECK(got == events, "core %u, line %lu, %s: events %u, not %u", core, (unsigned long)line,
          store ? "store" : "load", got, events);
}

static void test_levels(void) {
    struct ngsim *m = machine(small);
    const unsigned memory = NGSIM_L1 | NGSIM_L2 | NGSIM_LLC;
    expect(m, 0, 0, false, memory);
    expect(m, 0, 0, false, 0);
    expect(m, 0, 0, true, 0);
    /* Lines 0, 2 and 4 meet in L1's set 0 (2 ways): 4 drives 0 out, which L2 still has (its sets are 0, 2 and 0). */
    expect(m, 0, 2, false, memory);
    expect(m, 0, 4, false, memory);
    expect(m, 0, 0, false, NGSIM_L1);
    expect(m, 0, 4, false, 0);
    expect(m, 0, 2, false, NGSIM_L1);
    /* Line 8 is the third in L2's set 0; the one used last by L2 is 0 (the hit of 4 above was L1's), so 4 goes. */
    expect(m, 0, 8, false, memory);
    expect(m, 0, 4, false, NGSIM_L1 | NGSIM_L2);
    /* Lines 0, 8 and 16 meet in the last level's set 0: 0 was the first. */
    expect(m, 0, 16, false, memory);
    expect(m, 0, 24, false, memory);
    expect(m, 0, 0, false, memory);
}

static void test_lines(void) {
    struct ngsim *m = machine(small);
    /* Two lines at once, one of them there: one miss. */
    expect(m, 0, 1, false, NGSIM_L1 | NGSIM_L2 | NGSIM_LLC);
    CHECK((ngsim_access(m, 0, LINE * 2 - 4, 8, false, false) & CACHES) == (NGSIM_L1 | NGSIM_L2 | NGSIM_LLC));
    CHECK((ngsim_access(m, 0, LINE * 2 - 4, 8, false, false) & CACHES) == 0);
}

static void test_victim(void) {
    struct ngsim_geometry g = small;
    g.llc_victim = 1;
    struct ngsim *m = machine(g);
    const unsigned memory = NGSIM_L1 | NGSIM_L2 | NGSIM_LLC;
    expect(m, 0, 0, false, memory);
    expect(m, 0, 4, false, memory);
    expect(m, 0, 8, false, memory);              /* 0 goes to the last level, */
    expect(m, 0, 0, false, NGSIM_L1 | NGSIM_L2); /* comes back from it, and 4 takes its place there */
    expect(m, 0, 4, false, NGSIM_L1 | NGSIM_L2);
}

static void test_coherence(void) {
    struct ngsim *m = machine(small);
    const unsigned memory = NGSIM_L1 | NGSIM_L2 | NGSIM_LLC;
    expect(m, 0, 0, true, memory);
    expect(m, 1, 0, false, NGSIM_L1 | NGSIM_L2 | NGSIM_MOVE); /* 0 had changed it */
    expect(m, 0, 0, false, 0);
    expect(m, 1, 0, false, 0);
    expect(m, 0, 0, true, NGSIM_UPGRADE); /* 1 loses it */
    expect(m, 0, 0, true, 0);
    expect(m, 1, 0, true, NGSIM_L1 | NGSIM_L2 | NGSIM_MOVE);
    expect(m, 0, 0, true, NGSIM_L1 | NGSIM_L2 | NGSIM_MOVE);
    /* Read by both and never written: no move, nothing from memory the second time. */
    expect(m, 0, 1, false, memory);
    expect(m, 1, 1, false, NGSIM_L1 | NGSIM_L2);
    /* Alone: a store to what was only read asks nobody. */
    expect(m, 0, 3, false, memory);
    expect(m, 0, 3, true, 0);
}

static unsigned pages(struct ngsim *m, uint64_t address, bool huge) {
    return ngsim_access(m, 0, address, 8, false, huge) & TLBS;
}

static void test_tlb(void) {
    struct ngsim *m = machine(small);
    CHECK(pages(m, 0, false) == TLBS);
    CHECK(pages(m, 8, false) == 0);
    CHECK(pages(m, PAGE, false) == TLBS);
    CHECK(pages(m, 2 * PAGE, false) == TLBS); /* page 0 leaves the first */
    CHECK(pages(m, 0, false) == NGSIM_TLB);
    CHECK(pages(m, 3 * PAGE, false) == TLBS);
    CHECK(pages(m, 4 * PAGE, false) == TLBS); /* page 1, the oldest, leaves the second */
    CHECK(pages(m, PAGE, false) == TLBS);
    /* One entry for 512 pages. */
    CHECK(pages(m, CHUNK, true) == TLBS);
    CHECK(pages(m, CHUNK + 300 * PAGE, true) == 0);
    CHECK(pages(m, CHUNK + 511 * PAGE, true) == 0);
    ngsim_forget(m, CHUNK + PAGE, PAGE);
    CHECK(pages(m, CHUNK + 511 * PAGE, true) == TLBS);
    /* Two pages at once. */
    CHECK((ngsim_access(m, 0, 9 * PAGE - 4, 8, false, false) & TLBS) == TLBS);
    CHECK(pages(m, 9 * PAGE, false) == 0);
    CHECK(pages(m, 8 * PAGE, false) == 0);
}

static void test_prefetch(void) {
    struct ngsim_geometry g = small;
    g.l2_bytes = 64 * LINE;
    g.l2_ways = 64;
    g.llc_bytes = 64 * LINE;
    g.llc_ways = 64;
    g.prefetch_streams = 4;
    g.prefetch_lines = 2;
    struct ngsim *m = machine(g);
    unsigned missed = 0;
    for (uint64_t line = 0; line < 64; ++line)
        missed += (ngsim_access(m, 0, line * LINE, 8, false, false) & NGSIM_LLC) != 0;
    /* Lines 0, 1 and 2 teach it (the second step is sure); then each is there, but not beyond the page. */
    CHECK(missed == 3, "%u", missed);
    CHECK((ngsim_access(m, 0, 64 * LINE, 8, false, false) & NGSIM_LLC) != 0);
}

static void test_clear(void) {
    struct ngsim_geometry g = small;
    g.l2_bytes = 64 * LINE;
    g.l2_ways = 64;
    struct ngsim *m = machine(g);
    CHECK(ngsim_clear(m, 0, 0, PAGE) == 64);
    CHECK((ngsim_access(m, 0, 40 * LINE, 8, true, false) & NGSIM_LLC) == 0);
    CHECK((ngsim_access(m, 1, 40 * LINE, 8, false, false) & NGSIM_MOVE) != 0);
}

static void test_wrong(void) {
    static const struct {
        const char *field;
        struct ngsim_geometry g;
    } none = {"l1_bytes", {.l1_ways = 1}};
    struct ngsim_geometry g = small;
    CHECK(strcmp(ngsim_wrong(&none.g), none.field) == 0);
    g.llc_ways = 3;
    CHECK(strcmp(ngsim_wrong(&g), "llc_bytes") == 0);
    CHECK(ngsim_new(&g, zeroed) == NULL);
    g = small;
    g.stlb_entries = 0;
    CHECK(strcmp(ngsim_wrong(&g), "stlb_entries") == 0);
    CHECK(ngsim_wrong(&small) == NULL);
}

/* ---- pages ---- */

static bool mapped_whole = true;
static bool whole(uint64_t address, uint64_t bytes) {
    CHECK(address % CHUNK == 0 && bytes == CHUNK);
    return mapped_whole;
}

static void touch(struct ngsim_pages *p, uint64_t address, bool fresh, bool huge) {
    struct ngsim_touch t = ngsim_pages_touch(p, address);
    CHECK(t.fresh == fresh && t.huge == huge, "%lx: fresh %d, huge %d", (unsigned long)address, t.fresh, t.huge);
}

static void test_pages(void) {
    const uint64_t a = 40ULL << 30;
    struct ngsim_pages *p = ngsim_pages_new(NGSIM_THP_MADVISE, whole, zeroed);
    touch(p, a, true, false); /* nothing advised */
    touch(p, a, false, false);
    touch(p, a + PAGE, true, false);
    ngsim_pages_advise(p, a, 3 * (uint64_t)CHUNK, true);
    touch(p, a + 2 * PAGE, true, false); /* too late: small pages are there */
    touch(p, a + CHUNK + 5, true, true);
    touch(p, a + CHUNK + 400 * PAGE, false, true);
    ngsim_pages_collapse(p, a, CHUNK);
    touch(p, a + 9 * PAGE, false, true);
    /* A page of it goes: the rest stays, small. */
    ngsim_pages_drop(p, a + CHUNK + PAGE, PAGE, false);
    touch(p, a + CHUNK, false, false);
    touch(p, a + CHUNK + PAGE, true, false);
    /* All of it goes; the advice stays. */
    ngsim_pages_drop(p, a + CHUNK, CHUNK, false);
    touch(p, a + CHUNK, true, true);
    ngsim_pages_split(p, a + CHUNK, PAGE);
    touch(p, a + CHUNK, false, false);
    /* munmap takes the advice too. */
    ngsim_pages_drop(p, a + 2 * (uint64_t)CHUNK, CHUNK, true);
    touch(p, a + 2 * (uint64_t)CHUNK, true, false);
}

static void test_page_settings(void) {
    const uint64_t a = 1ULL << 46;
    struct ngsim_pages *p = ngsim_pages_new(NGSIM_THP_ALWAYS, whole, zeroed);
    touch(p, a, true, true);
    ngsim_pages_advise(p, a + CHUNK, CHUNK, false);
    touch(p, a + CHUNK, true, false);
    mapped_whole = false; /* the mapping ends within the chunk */
    touch(p, a + 2 * (uint64_t)CHUNK, true, false);
    mapped_whole = true;
    ngsim_pages_disable(p, true);
    touch(p, a + 3 * (uint64_t)CHUNK, true, false);
    p = ngsim_pages_new(NGSIM_THP_NEVER, whole, zeroed);
    ngsim_pages_advise(p, a, CHUNK, true);
    touch(p, a, true, false);
}

int main(void) {
    test_levels();
    test_lines();
    test_victim();
    test_coherence();
    test_tlb();
    test_prefetch();
    test_clear();
    test_wrong();
    test_pages();
    test_page_settings();
    return 0;
}
