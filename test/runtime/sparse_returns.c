/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A heap of which a few blocks are left everywhere gives back the pages between them: at once by a trim, and by itself after
 * the decay.  What is left keeps its contents, and so does what comes into the gaps, while pages go and come.
 * Usage: sparse_returns trim|idle|busy
 */
#include "heap.h"

enum { BLOCKS = 120000, ONE_IN = 16, GAP = 64 * ONE_IN };

static struct {
    unsigned char *at;
    size_t size;
} block[BLOCKS];

static unsigned char mark(size_t i) { return (unsigned char)(i * 7 + 1); }

static void allocate(size_t i, uint64_t *random) {
    block[i].size = 64 + test_random(random) % 4000;
    block[i].at = heap_alloc(block[i].size);
    CHECK(block[i].at != NULL);
    memset(block[i].at, mark(i), block[i].size);
}

static void check(size_t i) {
    for (size_t k = 0; k < block[i].size; k++)
        CHECK(block[i].at[k] == mark(i), "block %zu of %zu bytes changed at %zu", i, block[i].size, k);
}

static size_t free_most(void) {
    size_t left = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i % ONE_IN != 0)
            heap_free(block[i].at);
        else
            left += block[i].size;
    }
    return left;
}

/* A few of the gaps are filled and left again, so that pages that are gone, or about to go, come into use. */
static void use_gaps(uint64_t *random) {
    for (size_t i = 1; i < BLOCKS; i += GAP)
        allocate(i, random);
    for (size_t i = 1; i < BLOCKS; i += GAP) {
        check(i);
        heap_free(block[i].at);
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 1, "trim, idle or busy?");
    if (TEST_SANITIZED)
        test_skip("a sanitizer's own memory hides the allocator's");
    test_begin();
    uint64_t random = 31415;
    memset(block, 0, sizeof block);
    size_t before = test_rss();
    for (size_t i = 0; i < BLOCKS; i++)
        allocate(i, &random);
    size_t full = test_rss(), left = free_most();
    CHECK(full >= before + (150u << 20), "the figures show nothing: %zu KiB before, %zu KiB full", before >> 10,
          full >> 10);
    /* Each block that is left keeps the pages that it touches, one or two. */
    size_t allowed = before + left + (size_t)(BLOCKS / ONE_IN) * 6144 + (8u << 20), after = test_rss();
    if (strcmp(argv[1], "trim") == 0) {
        heap_trim();
        after = test_rss();
    }
    for (int i = 0; i < 500 && after > allowed; i++) {
        test_sleep_ms(10);
        if (strcmp(argv[1], "busy") == 0)
            use_gaps(&random);
        after = test_rss();
    }
    dprintf(1, "resident: %zu KiB before, %zu KiB full, %zu KiB after, %zu KiB in blocks\n", before >> 10, full >> 10,
            after >> 10, left >> 10);
    CHECK(after <= allowed, "%zu KiB, allowed are %zu KiB", after >> 10, allowed >> 10);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i % ONE_IN != 0)
            allocate(i, &random);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        check(i);
        heap_free(block[i].at);
    }
    return 0;
}
