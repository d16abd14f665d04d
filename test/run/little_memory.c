/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a program does that has little address space: threads, some large blocks, 100 MiB of small ones, and so on again.
 * Started by its command under `ulimit -v`, a refusing kernel, or overcommit_memory=2.
 * Usage: little_memory [MiB of small blocks]
 */
#include "check.h"

#include <pthread.h>

static size_t bytes = 100u << 20;

static void *work(void *argument) {
    uint64_t random = 3 + (uintptr_t)argument;
    size_t have = 0, count = 0;
    void **block = (void **)malloc(bytes / 64 * sizeof(void *));
    CHECK(block != NULL);
    for (count = 0; have < bytes / 2 && count < bytes / 64; count++) {
        size_t size = test_random_size(&random, 12);
        block[count] = malloc(size);
        CHECK(block[count] != NULL, "after %zu MiB", have >> 20);
        memset(block[count], (int)count, size);
        have += size;
    }
    for (size_t i = 0; i < count; i++) {
        CHECK(*(unsigned char *)block[i] == (unsigned char)i);
        free(block[i]);
    }
    free(block);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc > 1)
        bytes = strtoul(argv[1], NULL, 10) << 20;
    test_begin();
    for (int round = 0; round < 4; round++) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 256u << 10);
        pthread_t thread[2];
        for (size_t i = 0; i < 2; i++)
            CHECK(pthread_create(&thread[i], &attributes, work, (void *)i) == 0);
        for (size_t i = 0; i < 2; i++)
            pthread_join(thread[i], NULL);
        for (size_t size = 1u << 20; size <= bytes / 2; size *= 2) {
            char *p = (char *)malloc(size);
            CHECK(p != NULL, "a block of %zu MiB, round %d", size >> 20, round);
            p[0] = p[size - 1] = 1;
            free(p);
        }
    }
    return 0;
}
