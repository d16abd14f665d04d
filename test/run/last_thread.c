/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A process ends with its last thread, also where main left by pthread_exit: the room's thread does not keep it.
 */
#include "check.h"

#include <pthread.h>

static void allocate(size_t blocks) {
    for (size_t i = 0; i < blocks; i++)
        free(test_launder(malloc(i % 4000)));
}

static void *last(void *unused) {
    allocate(1000);
    test_sleep_ms(100);
    return unused;
}

int main(void) {
    test_begin();
    pthread_t thread;
    allocate(100000);
    CHECK(pthread_create(&thread, NULL, last, NULL) == 0 && pthread_detach(thread) == 0);
    pthread_exit(NULL);
}
