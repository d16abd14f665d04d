/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Of each class every offset of a slab, and those of the slabs before and behind it: each block's start is its number, and nothing
 * else is the number of a block.
 */
#include "heap.h"

#include "room/slab.h"

static void check_offset(const struct ng_class *k, int64_t offset) {
    uint64_t number = ng_number_in_slab(k, (uint64_t)offset);
    bool starts = offset >= 0 && offset % k->size == 0 && offset / k->size < k->blocks;
    CHECK(starts ? number == (uint64_t)offset / k->size : number >= k->blocks, "size %u, offset %lld: block %llu of %u",
          k->size, (long long)offset, (unsigned long long)number, k->blocks);
}

int main(void) {
    const int64_t slab = NG_SLAB_BYTES;
    static const int64_t far[] = {INT64_MIN,           INT64_MIN + 1,    INT64_MAX,
                                  -(INT64_C(1) << 46), INT64_C(1) << 46, -(INT64_C(1) << 20)};
    test_begin();
    heap_free(heap_alloc(1)); /* fills the table of classes */
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        const struct ng_class *k = &ng_classes[c];
        for (int64_t offset = -slab; offset < 2 * slab; offset++)
            check_offset(k, offset);
        for (size_t i = 0; i < sizeof far / sizeof *far; i++)
            check_offset(k, far[i]);
    }
    return 0;
}
