/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * false_sharing_active.c: does the allocator itself put small blocks of two threads on one cache line?  (The idea is that
 * of Berger's cache-thrash.)  Each of THREADS threads (1 to 16) allocates a small block, writes it many times, frees it,
 * again and again: a counter of references, whose atomic writes must own the line.  (Plain writes wait in the processor's
 * store buffer, which hides most of it.)  Shows as time only where two threads really run at once.
 */
#include "threads.h"

enum { MOST_THREADS = 16, SIZE = 16, WRITES = 10000 };

static size_t rounds;

static void *work(void *argument) {
    uint64_t *sum = argument, mine = 0;
    for (size_t i = 0; i < rounds; i++) {
        uint64_t *block = checked(malloc(SIZE));
        block[0] = i;
        for (size_t k = 0; k < WRITES; k++)
            __atomic_fetch_add(block, 1, __ATOMIC_RELAXED);
        mine += mixed(block[0]);
        free(block);
    }
    *sum = mine;
    return NULL;
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 2, MOST_THREADS);
    pthread_t threads[MOST_THREADS];
    struct {
        _Alignas(64) uint64_t sum;
    } results[MOST_THREADS];
    uint64_t sum = 0;
    rounds = workload_scaled(&w, 10000);
    double start = workload_now();
    for (size_t t = 0; t < w.threads; t++)
        start_thread(&threads[t], work, &results[t].sum);
    for (size_t t = 0; t < w.threads; t++) {
        pthread_join(threads[t], NULL);
        sum += results[t].sum;
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)rounds / WRITES);
    workload_checksum(sum);
    return 0;
}
