/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program's first blocks of a size may come from a larger class that it uses already.  They are aligned like all others,
 * realloc keeps them where they are, no more than half of one is wasted, and what is allocated often gets its own class.
 */
#include "heap.h"

#include <sys/wait.h>

#define MANY 64

static void check_block(unsigned char *block, size_t align, size_t size) {
    CHECK(block != NULL, "align %zu, size %zu", align, size);
    CHECK(((uintptr_t)block & (align - 1)) == 0, "align %zu, size %zu: %p", align, size, (void *)block);
    CHECK(heap_usable(block) >= size);
    test_fill(block, size, size);
}

/* The first block of each class aligned, when the classes above have blocks of their own. */
static void aligned_first(size_t align) {
    for (size_t size = 4096; size >= 16; size -= 16) {
        unsigned char *block = (unsigned char *)heap_aligned(align, size);
        check_block(block, align, size);
        test_intact(block, size, size);
        for (size_t i = 0; i < MANY; i++)
            check_block((unsigned char *)heap_alloc(size), 16, size);
    }
}

/* A block of one size, when few classes have blocks. */
static void resized_first(size_t size) {
    unsigned char *block = (unsigned char *)heap_alloc(size);
    check_block(block, 16, size);
    size_t usable = heap_usable(block);
    CHECK(usable / 2 <= size, "size %zu: usable %zu", size, usable);
    CHECK(heap_resize(block, size) == block && heap_usable(block) == usable, "size %zu of %zu moved", size, usable);
    test_intact(block, size, size);
    heap_free(block);
}

static void own_class_later(size_t size) {
    unsigned char *block[MANY];
    for (size_t i = 0; i < MANY; i++)
        check_block(block[i] = (unsigned char *)heap_alloc(size), 16, size);
    for (size_t i = 0; i < MANY; i++)
        test_intact(block[i], size, size);
#ifndef TEST_PLAIN
    CHECK(heap_usable(block[MANY - 1]) == ngrt_class_size(ngrt_class_of(size)), "size %zu: usable %zu", size,
          heap_usable(block[MANY - 1]));
#endif
    for (size_t i = 0; i < MANY; i++)
        heap_free(block[i]);
}

int main(void) {
    test_begin();
    for (size_t align = 16; align <= 2048; align *= 2) {
        pid_t pid = fork(); /* whose classes are as new as ours */
        CHECK(pid >= 0);
        if (pid == 0) {
            aligned_first(align);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0, "align %zu: status 0x%x", align, status);
    }
    for (size_t size = 4096; size > 112; size -= 112)
        resized_first(size);
    for (size_t size = 4096; size > 24; size -= 8)
        resized_first(size);
    for (size_t size = 32; size <= 4096; size += 16)
        own_class_later(size);
    return 0;
}
