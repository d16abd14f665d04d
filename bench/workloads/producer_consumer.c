/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * producer_consumer.c: a stage of a pipeline: in each of THREADS pairs (1 to 8) one thread allocates and fills blocks,
 * another checks and frees them.  Stresses frees by a thread that never allocates, and how memory gets back.
 * The blocks of all pairs together are the same number, whatever THREADS is.
 */
#include "threads.h"

enum { MOST_PAIRS = 8 };

struct pair {
    struct ring ring;
    size_t number, count;
    uint64_t sum;
    pthread_t producer, consumer;
};

static struct pair pairs[MOST_PAIRS];

/* The tag of a block follows from its number alone, so that the checksum is the same for every number of pairs. */
static void *produce(void *argument) {
    struct pair *mine = argument;
    for (size_t i = 0; i < mine->count; i++)
        ring_put(&mine->ring, make_block(mixed(mine->number + i)));
    return NULL;
}

static void *consume(void *argument) {
    struct pair *mine = argument;
    uint64_t sum = 0;
    for (size_t i = 0; i < mine->count; i++)
        sum += drop_block(ring_take(&mine->ring));
    mine->sum = sum;
    return NULL;
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 1, MOST_PAIRS);
    size_t count = workload_scaled(&w, 8000000);
    double start = workload_now();
    uint64_t sum = 0;
    for (size_t t = 0; t < w.threads; t++) {
        pairs[t].number = count * t / w.threads;
        pairs[t].count = count * (t + 1) / w.threads - pairs[t].number;
        start_thread(&pairs[t].consumer, consume, &pairs[t]);
        start_thread(&pairs[t].producer, produce, &pairs[t]);
    }
    for (size_t t = 0; t < w.threads; t++) {
        pthread_join(pairs[t].producer, NULL);
        pthread_join(pairs[t].consumer, NULL);
        sum += pairs[t].sum;
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)count);
    workload_checksum(sum);
    return 0;
}
