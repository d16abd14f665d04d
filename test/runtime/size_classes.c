/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Every size gives a block that is aligned, holds at least what was asked for, and overlaps no other.
 */
#include "heap.h"
#include "shadow.h"

#define WINDOW 512

static struct {
    unsigned char *block;
    size_t size, usable;
} window[WINDOW];

static void release(size_t at) {
    if (window[at].block == NULL)
        return;
    test_intact(window[at].block, window[at].size, window[at].size);
    CHECK(heap_usable(window[at].block) == window[at].usable, "the usable size of a live block changed");
    shadow_release(window[at].block, window[at].usable);
    heap_free(window[at].block);
    window[at].block = NULL;
}

static void take(size_t at, size_t size) {
    release(at);
    unsigned char *block = (unsigned char *)heap_alloc(size);
    CHECK(block != NULL, "size %zu", size);
    CHECK(((uintptr_t)block & 15) == 0, "size %zu: block %p is not aligned to 16 bytes", size, (void *)block);
    size_t usable = heap_usable(block);
    CHECK(usable >= size && usable > 0, "size %zu: usable %zu", size, usable);
#ifndef TEST_PLAIN
    if (ngrt_is_small(size)) {
        uint32_t c = ngrt_class_of(size);
        CHECK(c < NGRT_CLASSES && ngrt_class_size(c) >= size && (c == 0 || ngrt_class_size(c - 1) < size));
        CHECK(usable == ngrt_class_size(c), "size %zu: usable %zu, class's %u", size, usable, ngrt_class_size(c));
    }
#endif
    shadow_claim(block, usable);
    test_fill(block, size, size);
    window[at].block = block;
    window[at].size = size;
    window[at].usable = usable;
}

static void aligned_blocks(void) {
    for (size_t align = 16; align <= (4u << 20); align *= 2)
        for (size_t size = 0; size <= 200000; size = size * 3 / 2 + 7) {
            size_t at = size % WINDOW;
            release(at);
            unsigned char *block = (unsigned char *)heap_aligned(align, size);
            CHECK(block != NULL, "align %zu, size %zu", align, size);
            CHECK(((uintptr_t)block & (align - 1)) == 0, "align %zu, size %zu: %p", align, size, (void *)block);
            size_t usable = heap_usable(block);
            CHECK(usable >= size);
            shadow_claim(block, usable);
            test_fill(block, size, size);
            window[at].block = block;
            window[at].size = size;
            window[at].usable = usable;
        }
}

int main(void) {
    test_begin();
    shadow_start();
    for (size_t size = 0; size <= 40000; size++)
        take(size % WINDOW, size);
    for (size_t size = 40000; size <= (64u << 20); size = size * 5 / 4 + 1) {
        take(size % 8, size - 1);
        take(8 + size % 8, size);
    }
    for (unsigned bits = 4; bits < 26; bits++)
        for (int delta = -1; delta <= 1; delta++)
            take(bits * 3 + (unsigned)(delta + 1), ((size_t)1 << bits) + (size_t)delta);
    for (size_t at = 0; at < WINDOW; at++)
        release(at);
    aligned_blocks();
    for (size_t at = 0; at < WINDOW; at++)
        release(at);
    return 0;
}
