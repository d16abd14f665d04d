/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What threads keep and do not use comes back while they sleep: their chains are empty after the decay, and what was in
 * them is handed out again, once.  Then they go on, with the heap whole.
 */
#include "heap.h"

#include "room/heap.h"

#include <pthread.h>

#define THREADS 20
#define BLOCKS 4000
#define ROUNDS 3

static pthread_barrier_t step;

static void work(uint64_t seed) {
    static __thread void *block[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        block[i] = heap_alloc(16 + i % 8 * 16);
        CHECK(block[i] != NULL);
        test_fill(block[i], 16, seed + i);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        test_intact(block[i], 16, seed + i);
        heap_free(block[i]);
    }
}

static void *sleeper(void *argument) {
    for (int round = 0; round < ROUNDS; round++) {
        work((uintptr_t)argument << 32);
        pthread_barrier_wait(&step); /* all have full caches */
        pthread_barrier_wait(&step); /* they were looked at */
    }
    return NULL;
}

/* Classes of all threads that have a chain. */
static size_t chains(void) {
    size_t n = 0;
    for (uint32_t number = ng_heap_count(); number > 0; number--)
        for (uint32_t c = 0; c < NGRT_CLASSES; c++)
            n += !ng_chain_empty(&ng_heap_at(number)->chain[c]);
    return n;
}

int main(void) {
    test_begin();
    heap_free(heap_alloc(1)); /* so that the first thread has the first heap */
    pthread_barrier_init(&step, NULL, THREADS + 1);
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, sleeper, (void *)i) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&step);
        size_t before = chains(), after = before;
        CHECK(before >= THREADS, "%zu chains of %u threads: the test shows nothing", before, THREADS);
        for (int i = 0; i < 100 && (after = chains()) != 0; i++)
            test_sleep_ms(50);
        CHECK(after == 0, "after 5 s of sleep %zu chains of %zu are left", after, before);
        work(7);
        pthread_barrier_wait(&step);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
