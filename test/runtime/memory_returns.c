/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Memory that was freed goes back to the system: at once by a trim, and by itself after the decay, without a call from
 * the program where the room's thread is there, and with a little work where it is not.
 * Usage: memory_returns trim|idle|busy [bits of the largest size]
 */
#include "heap.h"

#include <pthread.h>

#define TOTAL (200u << 20)

static void **block;
static size_t count;

static void allocate(unsigned bits) {
    uint64_t random = 8128;
    size_t sum = 0;
    for (count = 0; sum < TOTAL; count++) {
        size_t size = test_random_size(&random, bits);
        block[count] = heap_alloc(size);
        CHECK(block[count] != NULL);
        memset(block[count], 1, size);
        sum += size;
    }
}

static void *free_half(void *argument) {
    for (size_t i = (uintptr_t)argument; i < count; i += 2)
        heap_free(block[i]);
    return NULL;
}

static void free_all(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, free_half, (void *)1) == 0);
    free_half((void *)0);
    pthread_join(thread, NULL);
}

/* More than a thread keeps for itself, so that some calls miss: hits are no occasion to look at the clock. */
static void work_a_little(void) {
    static void *kept[2000];
    for (size_t k = 0; k < 2000; k++)
        kept[k] = test_launder(heap_alloc(16 + k));
    for (size_t k = 0; k < 2000; k++)
        heap_free(kept[k]);
}

int main(int argc, char **argv) {
    CHECK(argc > 1, "trim, idle or busy?");
    unsigned bits = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 13;
    if (TEST_SANITIZED)
        test_skip("a sanitizer's own memory hides the allocator's");
    test_begin();
    size_t array = sizeof(void *) * (TOTAL / 32);
    block = (void **)heap_alloc(array);
    CHECK(block != NULL);
    memset(block, 0, array);
    size_t before = test_rss();
    allocate(bits);
    size_t full = test_rss();
    CHECK(full >= before + TOTAL / 2, "the figures show nothing: %zu KiB before, %zu KiB full", before >> 10,
          full >> 10);
    free_all();
    /* Metadata, and slabs that a block in a cache keeps; jemalloc, the best of the others, is at 32 MiB here. */
    size_t allowed = before + TOTAL / 10;
    size_t after = test_rss();
    if (strcmp(argv[1], "trim") == 0) {
        heap_trim();
        after = test_rss();
    } else {
        bool busy = strcmp(argv[1], "busy") == 0;
        for (int i = 0; i < 500 && after > allowed; i++) {
            test_sleep_ms(10);
            if (busy)
                work_a_little();
            after = test_rss();
        }
    }
    dprintf(1, "resident: %zu KiB before, %zu KiB full, %zu KiB after\n", before >> 10, full >> 10, after >> 10);
    CHECK(after <= allowed, "%zu KiB before, %zu KiB full, %zu KiB after", before >> 10, full >> 10, after >> 10);
    allocate(bits); /* and what was given back can be used again */
    free_all();
    heap_free(block);
    return 0;
}
