/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Threads that allocate a few dozen blocks and end, as servers with a thread for each request have them: those that come
 * later find what earlier ones left, and seldom need the key.
 */
#include "heap.h"

#include "room/heap.h"

#include <pthread.h>

enum { THREADS = 2000, AT_ONCE = 4, BLOCKS = 30 };
static const uint64_t most_misses = 6; /* a thread */

static void *live_and_die(void *argument) {
    uint64_t random = 7 + (uintptr_t)argument * 104729;
    void *block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        block[i] = heap_alloc(test_random_size(&random, 13));
        CHECK(block[i] != NULL);
    }
    for (int i = 0; i < BLOCKS; i++)
        heap_free(block[i]);
    return NULL;
}

int main(void) {
    test_begin();
    for (size_t i = 0; i < THREADS; i += AT_ONCE) {
        pthread_t thread[AT_ONCE];
        for (size_t k = 0; k < AT_ONCE; k++)
            CHECK(pthread_create(&thread[k], NULL, live_and_die, (void *)(i + k)) == 0);
        for (size_t k = 0; k < AT_ONCE; k++)
            pthread_join(thread[k], NULL);
    }
    uint64_t misses = 0;
    for (uint32_t n = ng_heap_count(); n > 0; n--)
        misses += ng_load(&ng_heap_at(n)->counts.misses, NG_RELAXED);
    CHECK(misses <= most_misses * THREADS, "%lu refills by the key or from fresh slabs in %d threads", misses, THREADS);
    return 0;
}
