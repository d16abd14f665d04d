/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * exchange.c: a server whose sessions move from thread to thread (the idea is that of Larson and Krishnan's benchmark).
 * Each of THREADS threads (1 to 16) has an array of blocks of its own; it frees one at random and puts a new one there.
 * Every 20,000 operations all meet and each takes over its neighbour's whole array, so that most blocks are freed by
 * another thread than made them, and yet no line of the arrays is written by two threads at a time.
 */
#include "threads.h"

enum { MOST_THREADS = 16, BLOCKS = 10000, TURN = 20000 };

struct worker {
    pthread_t thread;
    size_t number;
    uint64_t sum;
};

static void **arrays[MOST_THREADS];
static struct worker workers[MOST_THREADS];
static size_t threads, turns;
static pthread_barrier_t meeting;

static void *work(void *argument) {
    struct worker *mine = argument;
    uint64_t state = seed_of(mine->number), sum = 0;
    for (size_t turn = 0; turn < turns; turn++) {
        void **blocks = arrays[(mine->number + turn) % threads];
        for (size_t i = 0; i < TURN; i++) {
            uint64_t r = next_random(&state);
            size_t at = (size_t)(r >> 32) % BLOCKS;
            sum += drop_block(blocks[at]);
            blocks[at] = make_block(r);
        }
        pthread_barrier_wait(&meeting);
    }
    mine->sum = sum;
    return NULL;
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 2, MOST_THREADS);
    threads = w.threads;
    turns = workload_scaled(&w, 600.0 / (double)threads);
    pthread_barrier_init(&meeting, NULL, (unsigned)threads);
    for (size_t t = 0; t < threads; t++)
        arrays[t] = checked(calloc(BLOCKS, sizeof(void *)));
    double start = workload_now();
    for (size_t t = 0; t < threads; t++) {
        workers[t].number = t;
        start_thread(&workers[t].thread, work, &workers[t]);
    }
    uint64_t sum = 0;
    for (size_t t = 0; t < threads; t++) {
        pthread_join(workers[t].thread, NULL);
        sum += workers[t].sum;
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)(turns * TURN * threads));
    for (size_t t = 0; t < threads; t++) {
        for (size_t i = 0; i < BLOCKS; i++)
            sum += drop_block(arrays[t][i]);
        free(arrays[t]);
    }
    workload_checksum(sum);
    return 0;
}
