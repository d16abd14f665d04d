/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * heap.h: the heap under test by one set of names, so that each test of test/runtime is one source and two programs:
 * linked with ngrt_core it calls ng_* beside the sanitizer's or glibc's malloc; with TEST_PLAIN it calls malloc, and
 * runs preloaded (or on glibc, to check the test itself).
 */
#ifndef NGRT_TEST_HEAP_H
#define NGRT_TEST_HEAP_H

#include "check.h"

#ifdef TEST_PLAIN

#include <malloc.h>

static inline void *heap_alloc(size_t size) { return malloc(size); }
static inline void *heap_zeroed(size_t size) { return calloc(1, size); }
static inline void *heap_aligned(size_t align, size_t size) { return memalign(align, size); }
static inline void *heap_resize(void *p, size_t size) { return realloc(p, size); }
static inline void heap_free(void *p) { free(p); }
static inline size_t heap_usable(void *p) { return malloc_usable_size(p); }
static inline bool heap_trim(void) { return malloc_trim(0) != 0; }
/* Bytes that the allocator keeps free, and those in live blocks, as the program can see them. */
static inline size_t heap_live(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

#else

#include "front/alloc.h"

/* The room is invited as the exported entry points do it. */
static inline void *heap_alloc(size_t size) {
    if (__atomic_load_n(&ng_room_wanted, __ATOMIC_RELAXED) != 0)
        ng_room_invite(__builtin_return_address(0));
    return ng_malloc(size);
}
static inline void *heap_zeroed(size_t size) { return ng_calloc(size); }
static inline void *heap_aligned(size_t align, size_t size) { return ng_aligned(align, size); }
static inline void *heap_resize(void *p, size_t size) {
    if (p == NULL)
        return ng_malloc(size);
    if (size == 0) {
        ng_free(p);
        return NULL;
    }
    return ng_realloc(p, size);
}
static inline void heap_free(void *p) { ng_free(p); }
static inline size_t heap_usable(void *p) { return p == NULL ? 0 : ng_usable(p); }
static inline bool heap_trim(void) { return ng_trim(0); }

#endif

#endif
