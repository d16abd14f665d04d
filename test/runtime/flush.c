/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a thread holds goes back whole: whatever part of a slab was handed out before, the rest is free after, each of its
 * blocks once, and an empty slab is nobody's.
 */
#include "heap.h"

#include "front/cache.h"
#include "room/keys.h"
#include "room/slab.h"

enum { MOST = NG_SLAB_BYTES / 16 };

static void *block[MOST];

static void flush(void) {
    CHECK(ng_key_enter(&ng_key));
    ng_cache_flush((struct ng_heap *)ngrt_cache.heap);
    ng_key_leave(&ng_key);
}

static void take(uint32_t cls, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        block[i] = heap_alloc(ng_classes[cls].size);
        CHECK(block[i] != NULL);
        test_fill(block[i], ng_classes[cls].size, i);
    }
}

static void flush_after(uint32_t cls, uint32_t taken) {
    const struct ng_class *k = &ng_classes[cls];
    take(cls, 0, taken);
    flush();
    size_t free_bytes = (size_t)(k->blocks - taken) * k->size;
    CHECK(ng_slab_free_bytes() == free_bytes, "%u of %u blocks of %u bytes in use: %zu bytes are free, not %zu", taken,
          k->blocks, k->size, ng_slab_free_bytes(), free_bytes);
    take(cls, taken, k->blocks);
    CHECK(ng_arena_in_use() == 1, "a slab's %u blocks of %u bytes lie in %zu slabs", k->blocks, k->size,
          ng_arena_in_use());
    for (uint32_t i = 0; i < k->blocks; i++)
        test_intact(block[i], k->size, i);
    for (uint32_t i = 0; i < k->blocks; i++)
        heap_free(block[i]);
    flush();
    CHECK(ng_slab_free_bytes() == 0 && ng_arena_in_use() == 0,
          "%u blocks of %u bytes, all free: %zu bytes in %zu slabs", k->blocks, k->size, ng_slab_free_bytes(),
          ng_arena_in_use());
}

int main(void) {
    test_begin();
    heap_free(heap_alloc(1));
    flush();
    for (uint32_t c = 0; c < NGRT_CLASSES; c++) {
        const uint32_t all = ng_classes[c].blocks, parts[] = {1, 2, 33, 63, 64, 65, all / 2, all - 64, all - 1, all};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            if (parts[i] > 0 && parts[i] <= all)
                flush_after(c, parts[i]);
    }
    return 0;
}
