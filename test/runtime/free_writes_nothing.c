/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The allocator never writes into a block, free or not, but to zero it for calloc.  A page of a free block may go back
 * to the system, and then reads as zeros; it never holds anything else.
 */
#include "heap.h"

#include <pthread.h>

#define BLOCKS 2000

static struct {
    unsigned char *block;
    size_t size;
} freed[BLOCKS];

/* The bytes of a freed block: its own, or a returned page of zeros. */
static void check_unwritten(size_t at, const char *when) {
    const unsigned char *p = (const unsigned char *)test_launder(freed[at].block);
    size_t size = freed[at].size;
    size_t different = test_first_difference(p, size, at);
    if (different == size)
        return;
    for (size_t i = different; i < size; i++)
        CHECK(p[i] == 0, "%s, byte %zu of a freed block of %zu bytes is %u", when, i, size, p[i]);
}

static void *free_all(void *argument) {
    (void)argument;
    for (size_t i = 0; i < BLOCKS; i++)
        heap_free(freed[i].block);
    return NULL;
}

int main(void) {
    test_begin();
    uint64_t random = 4711;
    for (int by_other = 0; by_other <= 1; by_other++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            freed[i].size = test_random_size(&random, 15);
            freed[i].block = (unsigned char *)heap_alloc(freed[i].size);
            CHECK(freed[i].block != NULL);
            test_fill(freed[i].block, freed[i].size, i);
        }
        if (by_other) {
            pthread_t thread;
            CHECK(pthread_create(&thread, NULL, free_all, NULL) == 0);
            pthread_join(thread, NULL);
        } else {
            free_all(NULL);
        }
        for (size_t i = 0; i < BLOCKS; i++)
            check_unwritten(i, "at once");
        test_sleep_ms(50);
        for (size_t i = 0; i < BLOCKS; i++)
            check_unwritten(i, "50 ms later");
    }
    /* Handed out again, a block still holds what its last owner left. */
    for (size_t i = 0; i < 1000; i++) {
        unsigned char *p = (unsigned char *)heap_alloc(256);
        CHECK(p != NULL);
        test_fill(p, 256, 1);
        heap_free(p);
        unsigned char *q = (unsigned char *)heap_alloc(256);
        if (q == p)
            test_intact(q, 256, 1);
        heap_free(q);
    }
    return 0;
}
