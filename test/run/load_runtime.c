/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program on glibc's malloc loads libngrt by dlopen, calls its functions through pointers, in threads too, and closes
 * it: static TLS must be small enough, and a thread that ends after dlclose must not run code that is gone.
 * Usage: load_runtime LIBNGRT
 */
#include "check.h"

#include <pthread.h>

static void *(*their_malloc)(size_t);
static void (*their_free)(void *);
static pthread_barrier_t step;

static void *work(void *argument) {
    for (int round = 0; round < 10; round++) {
        void *block[300];
        for (size_t i = 0; i < 300; i++) {
            block[i] = their_malloc(i * 29);
            CHECK(block[i] != NULL);
            test_fill(block[i], i * 29, i);
        }
        for (size_t i = 0; i < 300; i++) {
            test_intact(block[i], i * 29, i);
            their_free(block[i]);
        }
        free(malloc(1000)); /* glibc's own, beside it */
    }
    if (argument != NULL) {
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step); /* closed by now */
    }
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    pthread_barrier_init(&step, NULL, 2);
    for (int i = 0; i < 3; i++) {
        void *library = dlopen(argv[1], RTLD_NOW);
        CHECK(library != NULL, "%s", dlerror());
        their_malloc = (void *(*)(size_t))dlsym(library, "malloc");
        their_free = (void (*)(void *))dlsym(library, "free");
        CHECK(their_malloc != NULL && their_malloc != malloc, "malloc of %s is the program's own", argv[1]);
        work(NULL);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work, (void *)1) == 0);
        their_free(malloc(100)); /* foreign to it: must go to glibc */
        pthread_barrier_wait(&step);
        CHECK(dlclose(library) == 0);
        pthread_barrier_wait(&step);
        pthread_join(thread, NULL);
    }
    return 0;
}
