/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * calloc's blocks are zero, whatever lay there before: in every class, in large blocks, after pages went back.
 */
#include "heap.h"

static void dirty_then_zeroed(size_t size, size_t count) {
    void *block[256];
    for (size_t i = 0; i < count; i++) {
        block[i] = heap_alloc(size);
        CHECK(block[i] != NULL);
        memset(block[i], 0xA5, size);
    }
    for (size_t i = 0; i < count; i++)
        heap_free(block[i]);
    for (size_t i = 0; i < count; i++) {
        unsigned char *p = (unsigned char *)heap_zeroed(size);
        CHECK(p != NULL);
        for (size_t k = 0; k < size; k++)
            CHECK(p[k] == 0, "byte %zu of %zu", k, size);
        memset(p, 0x5A, size);
        block[i] = p;
    }
    for (size_t i = 0; i < count; i++)
        heap_free(block[i]);
}

int main(void) {
    test_begin();
    for (int again = 0; again < 2; again++) {
        for (size_t size = 1; size <= 40000; size = size * 9 / 8 + 1)
            dirty_then_zeroed(size, size < 1000 ? 256 : 16);
        for (size_t size = 40000; size <= (16u << 20); size *= 3)
            dirty_then_zeroed(size, 3);
        heap_trim();
    }
    return 0;
}
