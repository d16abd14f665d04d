/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Cached memory is bounded: what lies free in thread caches, channels and the depot is at most 5 % of the live heap and
 * 512 KiB for each thread, at any moment of programs that grow, shrink, exchange blocks, and leave threads idle.
 */
#include "heap.h"

#include "front/cache.h"
#include "room/heap.h"

#include <pthread.h>

#define THREADS 6
#define BLOCKS 20000

static void *block[THREADS][BLOCKS];
static uint64_t own[THREADS]; /* what each thread holds itself: only the thread may read it */
static pthread_barrier_t step;
static struct ng_totals worst;
static uint64_t worst_cached, worst_excess;

static void count_own(size_t me) {
    const struct ng_heap *h = (const struct ng_heap *)ngrt_cache.heap;
    own[me] = h->outgoing_bytes;
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        own[me] += ng_cache_holds(h, c) * ngrt_class_size(c);
}

static void look(void) {
    struct ng_totals now;
    uint64_t cached = 0;
    ng_totals_read(&now);
    for (size_t i = 0; i < THREADS; i++)
        cached += own[i];
    for (uint32_t n = ng_heap_count(); n > 0; n--) { /* on its way to each, in the room's hands */
        int64_t way = (int64_t)(ng_heap_at(n)->given - ng_load(&ng_heap_at(n)->taken, NG_RELAXED));
        cached += way > 0 ? (uint64_t)way : 0;
    }
    uint64_t allowed = now.live / 20 + THREADS * (512u << 10);
    if (cached > allowed && cached - allowed > worst_excess) {
        worst_excess = cached - allowed;
        worst_cached = cached;
        worst = now;
    }
}

static void *work(void *argument) {
    size_t me = (uintptr_t)argument;
    uint64_t random = me + 3;
    for (int round = 0; round < 6; round++) {
        size_t other = (me + (size_t)round) % THREADS; /* own blocks, then each of the others' */
        for (size_t i = 0; i < BLOCKS; i++) {
            block[me][i] = heap_alloc(test_random_size(&random, round % 3 == 2 ? 14 : 9));
            CHECK(block[me][i] != NULL);
        }
        count_own(me);
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step); /* looked at: full */
        for (size_t i = 0; i < BLOCKS; i++)
            heap_free(block[other][i]);
        count_own(me);
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step); /* looked at: empty */
    }
    return NULL;
}

int main(void) {
    test_begin();
    pthread_barrier_init(&step, NULL, THREADS + 1);
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < 12; i++) {
        pthread_barrier_wait(&step);
        test_sleep_ms(20); /* what is on its way arrives; the threads stay idle */
        look();
        pthread_barrier_wait(&step);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    CHECK(worst_excess == 0, "%llu KiB cached by %u threads with %llu KiB live: %llu KiB too much",
          (unsigned long long)(worst_cached >> 10), THREADS, (unsigned long long)(worst.live >> 10),
          (unsigned long long)(worst_excess >> 10));
    return 0;
}
