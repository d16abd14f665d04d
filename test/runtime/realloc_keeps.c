/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * realloc keeps the bytes up to the smaller of the two sizes, from every size to every other; where it cannot serve, the
 * old block stays as it was.
 */
#include "heap.h"

int main(void) {
    test_begin();
    for (size_t from = 1; from <= (3u << 20); from = from * 7 / 4 + 1)
        for (size_t to = 1; to <= (3u << 20); to = to * 9 / 4 + 3) {
            void *p = heap_alloc(from);
            CHECK(p != NULL);
            test_fill(p, from, 3);
            void *q = heap_resize(p, to);
            CHECK(q != NULL && heap_usable(q) >= to && ((uintptr_t)q & 15) == 0);
            test_intact(q, (from < to ? from : to) & ~(size_t)7, 3);
            test_fill(q, to, 4);
            test_intact(q, to, 4);
            heap_free(q);
        }
    void *p = heap_alloc(1000);
    CHECK(p != NULL);
    test_fill(p, 1000, 5);
    errno = 0;
    volatile size_t too_much = PTRDIFF_MAX;
    void *q = heap_resize(p, too_much);
    CHECK(q == NULL && errno == ENOMEM);
    test_intact(p, 1000, 5);
    heap_free(p);
    /* A buffer that grows a little at a time stays whole, small and large. */
    p = NULL;
    for (size_t size = 8; size < (8u << 20); size += size / 8 + 8) {
        size_t old = size == 8 ? 0 : heap_usable(p);
        p = heap_resize(p, size);
        CHECK(p != NULL);
        if (old > 0)
            test_intact(p, 8, 6);
        test_fill(p, size, 6);
    }
    heap_free(p);
    return 0;
}
