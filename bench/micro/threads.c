/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * threads.c: one thread frees what another allocates.  The threads are made anew each round and their start is timed with
 * it, as a program's own would be.  (Threads that exchange blocks both ways: bench/workloads/exchange.c.  Here the slots
 * that they exchange through would cost more than the allocations.)
 */
#define _GNU_SOURCE
#include "micro.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096 };

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

const struct micro micro_threads[] = {
    {"producer-consumer", producer_consumer, 1000000, "one thread allocates 64 bytes, another frees them"},
    {0},
};
