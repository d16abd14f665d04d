/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Two live threads never hold blocks of one 64 KiB slab that each allocated itself: neither at first, nor after they
 * have freed each other's blocks and allocated again.
 */
#include "heap.h"

#include <pthread.h>

#define THREADS 6
#define BLOCKS 3000
#define SLABS (1u << 20)

static void *block[THREADS][BLOCKS];
static pthread_barrier_t step;
static unsigned char owner[SLABS]; /* of slab number modulo SLABS: 64 GiB of addresses without a clash */
static const size_t sizes[] = {16, 48, 100, 256, 700, 2048, 5000};

static void allocate(size_t me, size_t first, size_t stride, uint64_t *random) {
    for (size_t i = first; i < BLOCKS; i += stride) {
        block[me][i] = heap_alloc(sizes[test_random(random) % (sizeof sizes / sizeof sizes[0])]);
        CHECK(block[me][i] != NULL);
        memset(block[me][i], (int)me, 16);
    }
}

static void check_slabs(const char *when) {
    memset(owner, 0, sizeof owner);
    size_t shared = 0;
    for (size_t t = 0; t < THREADS; t++)
        for (size_t i = 0; i < BLOCKS; i++) {
            unsigned char *o = &owner[((uintptr_t)block[t][i] >> 16) % SLABS];
            shared += *o != 0 && *o != t + 1;
            *o = (unsigned char)(t + 1);
        }
    CHECK(shared == 0, "%s: %zu of %u blocks lie in a slab beside another thread's", when, shared, THREADS * BLOCKS);
}

static void *work(void *argument) {
    size_t me = (uintptr_t)argument;
    uint64_t random = me + 17;
    allocate(me, 0, 1, &random);
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    for (int round = 0; round < 20; round++) {
        size_t other = (me + 1 + (size_t)round) % THREADS;
        for (size_t i = (size_t)round % 2; i < BLOCKS; i += 2)
            heap_free(block[other][i]);
        pthread_barrier_wait(&step);
        allocate(me, (size_t)round % 2, 2, &random);
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step);
    }
    return NULL;
}

int main(void) {
    test_begin();
    pthread_barrier_init(&step, NULL, THREADS + 1);
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    pthread_barrier_wait(&step);
    check_slabs("at first");
    pthread_barrier_wait(&step);
    for (int round = 0; round < 20; round++) {
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step);
        check_slabs("after foreign frees");
        pthread_barrier_wait(&step);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
