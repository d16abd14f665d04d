/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * false_sharing_passive.c: does a line whose blocks were handed to several threads stay torn between them?  (The idea is
 * that of Berger's cache-scratch.)  The main thread allocates small blocks side by side and gives one to each of THREADS
 * threads (1 to 16); each frees it, then allocates, writes many times and frees blocks of that size.  An allocator that
 * gives a thread its freed block back has two threads write one line from then on.  Writes are atomic, as in
 * false_sharing_active.c.  Shows as time only where two threads really run at once.
 */
#include "threads.h"

enum { MOST_THREADS = 16, SIZE = 16, WRITES = 10000, ROUNDS = 100 };

struct worker {
    _Alignas(64) pthread_t thread;
    void *given;
    uint64_t sum;
};

static struct worker workers[MOST_THREADS];
static pthread_barrier_t handed;

static void *work(void *argument) {
    struct worker *mine = argument;
    uint64_t sum = mixed(check_block(mine->given, SIZE));
    free(mine->given);
    pthread_barrier_wait(&handed); /* so that no thread is done before another starts */
    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t *block = checked(malloc(SIZE));
        block[0] = i;
        for (size_t k = 0; k < WRITES; k++)
            __atomic_fetch_add(block, 1, __ATOMIC_RELAXED);
        sum += mixed(block[0]);
        free(block);
    }
    mine->sum = sum;
    return NULL;
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 2, MOST_THREADS);
    size_t repeats = workload_scaled(&w, 100);
    uint64_t sum = 0;
    pthread_barrier_init(&handed, NULL, (unsigned)w.threads);
    double start = workload_now();
    for (size_t i = 0; i < repeats; i++) {
        for (size_t t = 0; t < w.threads; t++) {
            workers[t].given = checked(malloc(SIZE));
            fill_block(workers[t].given, SIZE, mixed(i * MOST_THREADS + t));
        }
        for (size_t t = 0; t < w.threads; t++)
            start_thread(&workers[t].thread, work, &workers[t]);
        for (size_t t = 0; t < w.threads; t++) {
            pthread_join(workers[t].thread, NULL);
            sum += workers[t].sum;
        }
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)repeats / ROUNDS / WRITES);
    workload_checksum(sum);
    return 0;
}
