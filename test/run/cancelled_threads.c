/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Threads that are cancelled at their cancellation points, that end by pthread_exit, and detached ones that nobody joins:
 * their blocks stay, and their caches are given back.
 */
#include "check.h"

#include <pthread.h>

static unsigned cleaned;

static void clean(void *block) {
    free(block);
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
}

static void *work(void *argument) {
    void *block = malloc(1000);
    pthread_cleanup_push(clean, block);
    for (;;) {
        void *p[20];
        for (size_t i = 0; i < 20; i++)
            p[i] = malloc(i * 100);
        for (size_t i = 0; i < 20; i++)
            free(p[i]);
        if ((uintptr_t)argument % 2)
            pthread_exit(NULL);
        pthread_testcancel();
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void *detached(void *argument) {
    free(argument);
    free(malloc(3000));
    __atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void) {
    test_begin();
    size_t early = 0;
    for (unsigned i = 0; i < 2000; i++) {
        pthread_t thread, alone;
        CHECK(pthread_create(&thread, NULL, work, (void *)(uintptr_t)i) == 0);
        if (i % 2 == 0)
            CHECK(pthread_cancel(thread) == 0);
        CHECK(pthread_create(&alone, NULL, detached, malloc(50)) == 0);
        pthread_detach(alone);
        pthread_join(thread, NULL);
        if (i == 200)
            early = test_rss();
    }
    for (int i = 0; i < 1000 && __atomic_load_n(&cleaned, __ATOMIC_RELAXED) < 4000; i++)
        test_sleep_ms(5);
    CHECK(cleaned == 4000, "%u of 4000 ends seen", cleaned);
    size_t late = test_rss();
    CHECK(late < early + (16u << 20), "resident %zu KiB, then %zu KiB", early >> 10, late >> 10);
    return 0;
}
