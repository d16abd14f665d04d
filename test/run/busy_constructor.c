/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A library whose constructor and destructor allocate a lot, the constructor also in threads that it waits for: whoever
 * loads it holds the loader's lock meanwhile, and must not start the room's thread.
 */
#include "check.h"
#include "tasks.h"

#include <pthread.h>

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

static void work_alone(void) {
    int before = tasks_count(getpid());
    work(NULL);
    int after = tasks_count(getpid());
    CHECK(after == before, "%d threads, under the loader's lock %d", before, after);
}

__attribute__((constructor)) static void construct(void) {
    pthread_t thread[2];
    work_alone();
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread[i], NULL, work, NULL) != 0)
            abort();
    work(NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
}

__attribute__((destructor)) static void destruct(void) { work_alone(); }
