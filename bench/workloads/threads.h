/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * threads.h: threads and the rings between them, for the workloads that have some.
 */
#ifndef NGRT_BENCH_THREADS_H
#define NGRT_BENCH_THREADS_H

#include "workload.h"

#include <pthread.h>
#include <sched.h>

static inline void start_thread(pthread_t *thread, void *(*body)(void *), void *argument) {
    int error = pthread_create(thread, NULL, body, argument);
    if (error)
        workload_failed("a thread cannot be started", error);
}

enum { RING = 1024 };

/* Single producer, single consumer.  Whoever must wait yields: there may be fewer processors than threads. */
struct ring {
    void *slots[RING];
    size_t head __attribute__((aligned(64)));
    size_t tail __attribute__((aligned(64)));
};

static inline void ring_put(struct ring *ring, void *block) {
    size_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);
    while (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) == RING)
        sched_yield();
    ring->slots[head % RING] = block;
    __atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
}

static inline void *ring_take(struct ring *ring) {
    size_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
    while (__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) == tail)
        sched_yield();
    void *block = ring->slots[tail % RING];
    __atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
    return block;
}

#endif
