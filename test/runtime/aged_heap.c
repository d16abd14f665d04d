/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A heap that was freed in random order serves again from what it has: memory does not grow with age, neither with the
 * same sizes nor with others.  Done several times over, each time with an empty heap, and the best time counts: while
 * whoever has the key is descheduled a thread carves fresh slabs rather than wait, but age would show every time.
 * Usage: aged_heap [rounds [percent that it may grow by [times]]]
 */
#include "heap.h"

#define BLOCKS 400000

static void **block;

static void fill_heap(size_t size) {
    for (size_t i = 0; i < BLOCKS; i++) {
        block[i] = heap_alloc(size);
        CHECK(block[i] != NULL);
        memset(block[i], 1, size);
    }
}

static void free_in_random_order(uint64_t *random) {
    for (size_t i = BLOCKS - 1; i > 0; i--) {
        size_t k = test_random(random) % (i + 1);
        void *p = block[i];
        block[i] = block[k];
        block[k] = p;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        heap_free(block[i]);
}

struct growth {
    size_t young, aged, other; /* resident bytes: filled once, after the rounds, and filled with another size */
};

static struct growth grow_old(unsigned rounds, uint64_t *random) {
    struct growth g;
    fill_heap(64);
    g.young = test_rss();
    for (unsigned i = 0; i < rounds; i++) {
        free_in_random_order(random);
        fill_heap(64);
    }
    g.aged = test_rss();
    free_in_random_order(random);
    fill_heap(80);
    g.other = test_rss();
    free_in_random_order(random);
    return g;
}

static bool grew(const struct growth *g, size_t percent) {
    return g->aged > g->young + g->young / 100 * percent + (4u << 20) ||
           g->other > g->young * (150 + percent * 4) / 100;
}

int main(int argc, char **argv) {
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4;
    size_t percent = argc > 2 ? strtoul(argv[2], NULL, 10) : 12;
    unsigned times = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 3;
    test_begin();
    uint64_t random = 271828;
    block = (void **)heap_alloc(BLOCKS * sizeof(void *));
    CHECK(block != NULL);
    bool kept = TEST_SANITIZED;
    for (unsigned i = 0; i < times; i++) {
        struct growth g = grow_old(rounds, &random);
        dprintf(1, "resident: %zu KiB young, %zu KiB aged, %zu KiB with another size\n", g.young >> 10, g.aged >> 10,
                g.other >> 10);
        kept |= !grew(&g, percent);
        heap_trim();
    }
    CHECK(kept, "grew by more than %zu %% each time", percent);
    heap_free(block);
    return 0;
}
