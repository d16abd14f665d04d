/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Blocks of glibc's own malloc (taken by its handle, and by a library that RTLD_DEEPBIND binds to it) go to free,
 * realloc, malloc_usable_size: what they hold stays, and glibc gets them back.  Also from threads with and without a
 * cache, and in code that the pass built.
 * Usage: foreign_pointers LIBRARY
 */
#include "check.h"

#include <malloc.h>
#include <pthread.h>

static void *(*theirs)(size_t);
static void *(*theirs_aligned)(size_t, size_t);
static char *(*deep_copy)(const char *);

static const size_t sizes[] = {0, 1, 24, 100, 1000, 5000, 33000, 140000, 3000000};
#define SIZES (sizeof sizes / sizeof sizes[0])

static void hand_over(void) {
    for (size_t i = 0; i < SIZES; i++) {
        unsigned char *p = (unsigned char *)theirs(sizes[i]);
        CHECK(p != NULL);
        CHECK(malloc_usable_size(p) >= sizes[i]);
        test_fill(p, sizes[i], i);
        test_intact(p, sizes[i], i);
        errno = 55;
        free(p);
        CHECK(errno == 55, "free changed errno");
        p = (unsigned char *)theirs_aligned(256, sizes[i]);
        CHECK(p != NULL && malloc_usable_size(p) >= sizes[i]);
        free(p);
        for (size_t k = 1; k < SIZES; k++) {
            p = (unsigned char *)theirs(sizes[i]);
            test_fill(p, sizes[i], i);
            p = (unsigned char *)realloc(p, sizes[k]);
            CHECK(p != NULL && malloc_usable_size(p) >= sizes[k]);
            test_intact(p, (sizes[i] < sizes[k] ? sizes[i] : sizes[k]) & ~(size_t)7, i);
            test_fill(p, sizes[k], k);
            p = (unsigned char *)realloc(p, sizes[k] * 2);
            CHECK(p != NULL);
            test_intact(p, sizes[k] & ~(size_t)7, k);
            free(p);
        }
        p = (unsigned char *)theirs(sizes[i]);
        free(realloc(p, 0));
    }
    char *copy = deep_copy("a block of the library's malloc");
    CHECK(strcmp(copy, "a block of the library's malloc") == 0);
    copy = (char *)realloc(copy, 1000);
    CHECK(strcmp(copy, "a block of the library's malloc") == 0);
    free(copy);
    free(deep_copy("another"));
}

static void *first_thing_in_a_thread(void *argument) {
    free(argument); /* before this thread has a cache */
    hand_over();
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    test_begin();
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    CHECK(libc != NULL);
    theirs = (void *(*)(size_t))dlsym(libc, "malloc");
    theirs_aligned = (void *(*)(size_t, size_t))dlsym(libc, "aligned_alloc");
    Dl_info info;
    CHECK(theirs != NULL && dladdr((void *)theirs, &info) != 0 && strstr(info.dli_fname, "libc.so") != NULL);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND);
    CHECK(library != NULL, "%s", dlerror());
    deep_copy = (char *(*)(const char *))dlsym(library, "plugin_copy");
    void *(*deep_malloc)(void) = (void *(*)(void))dlsym(library, "plugin_malloc_address");
    CHECK(deep_copy != NULL && deep_malloc != NULL);
    CHECK(deep_malloc() == (void *)theirs, "the library is not bound to glibc's malloc: the test would show nothing");

    free(theirs(64)); /* the first free of all */
    hand_over();
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, first_thing_in_a_thread, theirs(100 + (size_t)i)) == 0);
        pthread_join(thread, NULL);
    }
    /* A lot of them, so that a leak would show. */
    size_t before = test_rss();
    for (int i = 0; i < 3000; i++) {
        char *p = (char *)theirs(100000);
        memset(p, 1, 100000);
        free(p);
    }
    size_t after = test_rss();
    CHECK(after < before + (32u << 20), "glibc did not get its blocks back: %zu KiB, then %zu KiB", before >> 10,
          after >> 10);
    return 0;
}
