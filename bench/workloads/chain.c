/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * chain.c: a pipeline of four threads.  The first allocates, each of the next reads the block and writes it anew, the last
 * frees it: packets or frames that pass through stages.  Stresses frees far from where the block was made.
 */
#include "threads.h"

enum { STAGES = 4 };

static struct ring rings[STAGES - 1];
static size_t count;
static uint64_t total;

static void *first(void *unused) {
    (void)unused;
    for (size_t i = 0; i < count; i++)
        ring_put(&rings[0], make_block(mixed(i)));
    return NULL;
}

/* The tag stays: the block's size follows from it. */
static void *middle(void *argument) {
    struct ring *from = argument, *to = from + 1;
    for (size_t i = 0; i < count; i++) {
        void *block = ring_take(from);
        size_t size = size_of(tag_of(block));
        fill_block(block, size, check_block(block, size));
        ring_put(to, block);
    }
    return NULL;
}

static void *last(void *unused) {
    (void)unused;
    for (size_t i = 0; i < count; i++)
        total += drop_block(ring_take(&rings[STAGES - 2]));
    return NULL;
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, STAGES, 0);
    count = workload_scaled(&w, 4000000);
    pthread_t threads[STAGES];
    double start = workload_now();
    start_thread(&threads[0], first, NULL);
    for (size_t t = 1; t < STAGES - 1; t++)
        start_thread(&threads[t], middle, &rings[t - 1]);
    start_thread(&threads[STAGES - 1], last, NULL);
    for (size_t t = 0; t < STAGES; t++)
        pthread_join(threads[t], NULL);
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)count);
    workload_checksum(total);
    return 0;
}
