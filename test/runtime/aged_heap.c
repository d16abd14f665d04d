/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A heap that was freed in random order serves again from what it has: memory does not grow with age, neither with the
 * same sizes nor with others.
 * Usage: aged_heap [rounds [percent that it may grow by]]
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

int main(int argc, char **argv) {
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4;
    size_t percent = argc > 2 ? strtoul(argv[2], NULL, 10) : 12;
    test_begin();
    uint64_t random = 271828;
    block = (void **)heap_alloc(BLOCKS * sizeof(void *));
    CHECK(block != NULL);
    fill_heap(64);
    size_t young = test_rss();
    for (unsigned i = 0; i < rounds; i++) {
        free_in_random_order(&random);
        fill_heap(64);
    }
    size_t aged = test_rss();
    CHECK(TEST_SANITIZED || aged <= young + young / 100 * percent + (4u << 20), "resident %zu KiB young, %zu KiB aged",
          young >> 10, aged >> 10);
    free_in_random_order(&random);
    fill_heap(80);
    size_t other = test_rss();
    dprintf(1, "resident: %zu KiB young, %zu KiB aged, %zu KiB with another size\n", young >> 10, aged >> 10,
            other >> 10);
    CHECK(TEST_SANITIZED || other <= young * (150 + percent * 4) / 100,
          "resident %zu KiB for 64 bytes, then %zu KiB for 80", young >> 10, other >> 10);
    free_in_random_order(&random);
    heap_free(block);
    return 0;
}
