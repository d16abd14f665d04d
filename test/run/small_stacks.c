/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The allocator needs little stack: threads with the smallest one there is do everything, and a deep recursion allocates
 * at every level.
 */
#include "check.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void *everything(void *argument) {
    void *block[40];
    for (size_t i = 0; i < 40; i++) {
        size_t size = (i + 1) * (i + 1) * (i + 1) * 3;
        block[i] = i % 3 == 0 ? malloc(size) : i % 3 == 1 ? calloc(1, size) : memalign(64, size);
        CHECK(block[i] != NULL);
        memset(block[i], 1, size);
    }
    for (size_t i = 0; i < 40; i++) {
        block[i] = realloc(block[i], 5000 - i * 100);
        CHECK(block[i] != NULL);
    }
    for (size_t i = 0; i < 40; i++)
        free(block[i]);
    for (size_t i = 0; i < 20000; i++) {
        void *p = malloc(i % 2000);
        void *q = malloc(i % 30000);
        free(p);
        free(q);
    }
    free(argument); /* another thread's */
    return NULL;
}

__attribute__((noinline)) static size_t go_deeper(size_t depth, size_t most) {
    char pad[256];
    unsigned char *p = (unsigned char *)malloc(depth % 700 + 1);
    CHECK(p != NULL);
    p[0] = (unsigned char)depth;
    pad[depth % 256] = (char)depth;
    size_t sum = depth == most ? 0 : go_deeper(depth + 1, most);
    CHECK(p[0] == (unsigned char)depth && *(char *)test_launder(&pad[depth % 256]) == (char)depth);
    free(p);
    return sum + 1;
}

static void *recurse(void *argument) {
    (void)argument;
    CHECK(go_deeper(0, 100000) == 100001);
    return NULL;
}

int main(void) {
    test_begin();
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, 16384) == 0 || PTHREAD_STACK_MIN > 16384);
    for (int round = 0; round < 25; round++) {
        pthread_t thread[4];
        for (int i = 0; i < 4; i++)
            CHECK(pthread_create(&thread[i], &attributes, everything, malloc(100)) == 0);
        for (int i = 0; i < 4; i++)
            pthread_join(thread[i], NULL);
    }
    CHECK(pthread_attr_setstacksize(&attributes, 64u << 20) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, recurse, NULL) == 0);
    pthread_join(thread, NULL);
    return 0;
}
