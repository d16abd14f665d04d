/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * threads.c: two threads that free each other's blocks.  The threads are made anew each round and their start is timed
 * with it, as a program's own would be.
 */
#define _GNU_SOURCE
#include "micro.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096, SLOTS = 4096, THREADS = 2 };

static void start(pthread_t *thread, void *(*body)(void *), void *argument) {
    if (pthread_create(thread, NULL, body, argument) != 0)
        micro_out_of_memory();
}

/* A single-producer single-consumer ring; each index on a line of its own. */
static struct {
    void *slots[RING];
    size_t head __attribute__((aligned(64)));
    size_t tail __attribute__((aligned(64)));
} ring;

static void *consume(void *argument) {
    size_t n = *(size_t *)argument;
    for (size_t i = 0; i < n; i++) {
        while (__atomic_load_n(&ring.head, __ATOMIC_ACQUIRE) == i)
            sched_yield();
        free(ring.slots[i % RING]);
        __atomic_store_n(&ring.tail, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* One thread allocates 64 bytes and writes them, the other frees them. */
static void producer_consumer(size_t n) {
    pthread_t consumer;
    ring.head = ring.tail = 0;
    start(&consumer, consume, &n);
    for (size_t i = 0; i < n; i++) {
        while (i - __atomic_load_n(&ring.tail, __ATOMIC_ACQUIRE) == RING)
            sched_yield();
        char *block = checked(malloc(64));
        memset(block, 1, 64);
        ring.slots[i % RING] = block;
        __atomic_store_n(&ring.head, i + 1, __ATOMIC_RELEASE);
    }
    pthread_join(consumer, NULL);
}

static void *shared[SLOTS];

struct exchange {
    size_t n;
    uint64_t seed;
};

/* Swaps new blocks against whatever lies in a random slot and frees that: half of them are the other thread's. */
static void *exchange(void *argument) {
    struct exchange *mine = argument;
    uint64_t state = mine->seed;
    for (size_t i = 0; i < mine->n; i++) {
        uint64_t r = next_random(&state);
        size_t size = 16 + (r >> 8) % 496;
        char *block = checked(malloc(size));
        block[0] = block[size - 1] = 1;
        free(__atomic_exchange_n(&shared[(r >> 32) % SLOTS], block, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

static void larson(size_t n) {
    pthread_t threads[THREADS];
    struct exchange work[THREADS];
    for (int t = 0; t < THREADS; t++) {
        work[t] = (struct exchange){n / THREADS, 88172645463325252u + (uint64_t)t * 7919};
        start(&threads[t], exchange, &work[t]);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (size_t k = 0; k < SLOTS; k++) {
        free(shared[k]);
        shared[k] = NULL;
    }
}

const struct micro micro_threads[] = {
    {"producer-consumer", producer_consumer, 1000000, "one thread allocates 64 bytes, another frees them"},
    {"exchange", larson, 1000000, "two threads swap blocks of 16 to 511 bytes through 4096 shared slots"},
    {0},
};
