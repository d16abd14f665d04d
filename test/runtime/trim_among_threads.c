/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Trimming and reading the totals while other threads allocate and free: nothing is lost, nothing is given away twice.
 */
#include "heap.h"

#include <pthread.h>

static bool stop;

static void *work(void *argument) {
    uint64_t random = 3 + (uintptr_t)argument;
    struct {
        void *block;
        size_t size;
    } held[200] = {{NULL, 0}};
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        size_t at = test_random(&random) % 200;
        if (held[at].block != NULL) {
            test_intact(held[at].block, held[at].size, at);
            heap_free(held[at].block);
        }
        held[at].size = test_random_size(&random, (test_random(&random) & 63) == 0 ? 19 : 10);
        held[at].block = heap_alloc(held[at].size);
        CHECK(held[at].block != NULL);
        test_fill(held[at].block, held[at].size, at);
    }
    for (size_t i = 0; i < 200; i++)
        heap_free(held[i].block);
    return NULL;
}

int main(void) {
    test_begin();
    pthread_t thread[3];
    for (size_t i = 0; i < 3; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    uint64_t end = test_now_ns() + 1500000000;
    while (test_now_ns() < end) {
        heap_trim();
#ifdef TEST_PLAIN
        (void)heap_live();
#else
        struct ng_totals totals;
        ng_totals_read(&totals);
#endif
        test_sleep_ms(1);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
