/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Many short threads: each allocates, leaves some blocks to be freed by others, and ends.  Memory stays bounded, and the
 * blocks of dead threads stay whole.
 * Usage: thread_churn [threads]
 */
#include "heap.h"

#include <pthread.h>

#define LEFT 256

struct left {
    void *block;
    size_t size;
};
static struct left left[LEFT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *live_and_die(void *argument) {
    uint64_t random = 99 + (uintptr_t)argument * 104729;
    void *block[50];
    size_t size[50];
    for (int i = 0; i < 50; i++) {
        size[i] = test_random_size(&random, 11);
        block[i] = heap_alloc(size[i]);
        CHECK(block[i] != NULL);
        test_fill(block[i], size[i], size[i]);
    }
    for (int i = 0; i < 50; i++) {
        struct left old = {block[i], size[i]};
        if (i % 10 == 0) { /* leave it to a thread to come */
            pthread_mutex_lock(&lock);
            struct left *at = &left[test_random(&random) % LEFT];
            struct left mine = old;
            old = *at;
            *at = mine;
            pthread_mutex_unlock(&lock);
        }
        if (old.block == NULL)
            continue;
        test_intact(old.block, old.size, old.size);
        heap_free(old.block);
    }
    return NULL;
}

int main(int argc, char **argv) {
    size_t threads = argc > 1 ? strtoul(argv[1], NULL, 10) : test_rounds(10000);
    test_begin();
    size_t early = 0;
    for (size_t i = 0; i < threads; i += 4) {
        pthread_t thread[4];
        for (size_t k = 0; k < 4; k++)
            CHECK(pthread_create(&thread[k], NULL, live_and_die, (void *)(i + k)) == 0);
        for (size_t k = 0; k < 4; k++)
            pthread_join(thread[k], NULL);
        if (early == 0 && i >= threads / 10)
            early = test_rss();
    }
    size_t late = test_rss();
    CHECK(TEST_SANITIZED || late <= early + (8u << 20), "resident %zu KiB after a tenth of the threads, %zu after all",
          early >> 10, late >> 10);
    for (size_t i = 0; i < LEFT; i++)
        heap_free(left[i].block);
    return 0;
}
