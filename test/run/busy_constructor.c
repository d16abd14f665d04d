/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A library whose constructor allocates a lot, itself and in threads that it waits for: whoever loads it holds the
 * loader's lock meanwhile, so a thread that the allocator starts there could wait for ever.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *work(void *argument) {
    void **block = (void **)malloc(60000 * sizeof(void *));
    if (block == NULL)
        abort();
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < 60000; i++) {
            block[i] = malloc(i % 2000 + 1);
            if (block[i] == NULL)
                abort();
            memset(block[i], 1, i % 2000 + 1);
        }
        for (size_t i = 0; i < 60000; i++)
            free(block[i]);
    }
    free(block);
    return argument;
}

__attribute__((constructor)) static void construct(void) {
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread[i], NULL, work, NULL) != 0)
            abort();
    work(NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
}
