/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The program's own malloc of own_malloc.c: a bump allocator that frees nothing, and knows its blocks.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

unsigned long user_allocations;
bool user_owns(const void *p);

static char area[16u << 20] __attribute__((aligned(16)));
static size_t used;

bool user_owns(const void *p) { return (const char *)p >= area && (const char *)p < area + sizeof area; }

EXPORT void *malloc(size_t size) {
    size_t need = ((size + 15) & ~(size_t)15) + 16;
    size_t at = __atomic_fetch_add(&used, need, __ATOMIC_RELAXED);
    if (at + need > sizeof area)
        return NULL;
    memcpy(area + at, &size, sizeof size);
    __atomic_fetch_add(&user_allocations, 1, __ATOMIC_RELAXED);
    return area + at + 16;
}
EXPORT void free(void *p) {
    if (p != NULL && !user_owns(p))
        abort();
}
EXPORT void *calloc(size_t n, size_t size) { return malloc(n * size); /* the area is zero, and never used twice */ }
EXPORT void *realloc(void *p, size_t size) {
    void *q = malloc(size);
    if (p != NULL && q != NULL) {
        size_t old;
        memcpy(&old, (char *)p - 16, sizeof old);
        memcpy(q, p, old < size ? old : size);
    }
    return q;
}
EXPORT void *aligned_alloc(size_t align, size_t size) {
    char *p = (char *)malloc(size + align);
    if (p == NULL)
        return NULL;
    size_t shift = (align - (size_t)p % align) % align;
    return p + shift;
}
EXPORT void *memalign(size_t align, size_t size) { return aligned_alloc(align, size); }
EXPORT int posix_memalign(void **p, size_t align, size_t size) {
    *p = aligned_alloc(align, size);
    return *p == NULL;
}
EXPORT size_t malloc_usable_size(void *p) {
    size_t size;
    if (p == NULL)
        return 0;
    memcpy(&size, (char *)p - 16, sizeof size);
    return size;
}
