/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * churn_threads.c: a program that starts a thread for each small job, 10,000 in all, four at a time.  Each allocates a
 * little, frees most of it and leaves one block to the main thread, which frees it after the thread's end.  Stresses what
 * a thread's birth and death cost, and whether the memory of dead threads is used again.
 */
#include "threads.h"

enum { AT_ONCE = 4, BLOCKS = 30 };

struct job {
    pthread_t thread;
    size_t number;
    void *left;
    uint64_t sum;
};

static void *work(void *argument) {
    struct job *mine = argument;
    void *blocks[BLOCKS];
    uint64_t state = seed_of(mine->number), sum = 0;
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = make_block(next_random(&state));
    for (size_t i = 1; i < BLOCKS; i++)
        sum += drop_block(blocks[i]);
    mine->left = blocks[0];
    mine->sum = sum;
    return NULL;
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, AT_ONCE, 0);
    size_t groups = workload_scaled(&w, 10000.0 / AT_ONCE);
    struct job jobs[AT_ONCE];
    uint64_t sum = 0;
    double start = workload_now();
    for (size_t g = 0; g < groups; g++) {
        for (size_t t = 0; t < AT_ONCE; t++) {
            jobs[t].number = g * AT_ONCE + t;
            start_thread(&jobs[t].thread, work, &jobs[t]);
        }
        for (size_t t = 0; t < AT_ONCE; t++) {
            pthread_join(jobs[t].thread, NULL);
            sum += jobs[t].sum + drop_block(jobs[t].left);
        }
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)(groups * AT_ONCE));
    workload_checksum(sum);
    return 0;
}
