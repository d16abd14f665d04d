/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * 256 threads at once, far more than processors: all make progress, and the blocks stay whole.
 */
#include "heap.h"

#include <pthread.h>

#define THREADS 256
#define SLOTS 64

static pthread_barrier_t start;
static size_t rounds;

static void *work(void *argument) {
    uint64_t random = 5 + (uintptr_t)argument * 15485863;
    void *block[SLOTS] = {NULL};
    size_t size[SLOTS];
    pthread_barrier_wait(&start);
    for (size_t i = 0; i < rounds; i++) {
        size_t at = test_random(&random) % SLOTS;
        if (block[at] != NULL) {
            test_intact(block[at], size[at], (uintptr_t)argument + at);
            heap_free(block[at]);
        }
        size[at] = test_random_size(&random, 12);
        block[at] = heap_alloc(size[at]);
        CHECK(block[at] != NULL);
        test_fill(block[at], size[at], (uintptr_t)argument + at);
    }
    pthread_barrier_wait(&start);
    for (size_t i = 0; i < SLOTS; i++)
        heap_free(block[i]);
    return NULL;
}

int main(void) {
    test_begin();
    rounds = test_rounds(4000);
    pthread_barrier_init(&start, NULL, THREADS);
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
