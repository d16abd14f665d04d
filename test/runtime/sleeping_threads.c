/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * 1000 threads that allocate once and sleep: a thread that allocated little keeps little.  The threads exist before the
 * first figure is taken, so that only what the allocator adds is counted.
 */
#include "heap.h"

#include <pthread.h>

#define THREADS 1000
#define MOST_FOR_EACH (64u << 10)

static pthread_barrier_t step;

static void *sleeper(void *argument) {
    size_t sizes[3] = {24, 200, 3000};
    pthread_barrier_wait(&step); /* all exist */
    pthread_barrier_wait(&step); /* the figure is taken */
    char *p = (char *)heap_alloc(sizes[(uintptr_t)argument % 3]);
    CHECK(p != NULL);
    p[0] = 1;
    pthread_barrier_wait(&step); /* all have allocated */
    pthread_barrier_wait(&step); /* the figure is taken */
    heap_free(p);
    return NULL;
}

int main(void) {
    if (TEST_SANITIZED)
        test_skip("a sanitizer's own memory for each thread hides the allocator's");
    test_begin();
    pthread_barrier_init(&step, NULL, THREADS + 1);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64u << 10);
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], &attributes, sleeper, (void *)i) == 0);
    pthread_barrier_wait(&step);
    test_sleep_ms(200); /* the stacks of those that wait have settled */
    size_t before = test_rss();
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    size_t after = test_rss();
    pthread_barrier_wait(&step);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    size_t each = after > before ? (after - before) / THREADS : 0;
    dprintf(1, "each thread's first block cost %zu bytes of resident memory\n", each);
    CHECK(each <= MOST_FOR_EACH, "%zu bytes for each thread, at most %u are allowed", each, MOST_FOR_EACH);
    CHECK(each > 0, "the figures show nothing");
    return 0;
}
