/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * An old heap whose sizes change: half of its blocks were freed at random, so no slab is empty, and the next ones are a
 * little smaller.  They take the holes, and the heap does not grow; and they are blocks like others.
 */
#include "heap.h"

#include "room/arena.h"

enum { OLD = 800000, OLD_SIZE = 64, NEW_SIZE = 48 };

static void *old[OLD], *fresh[OLD / 3];

int main(void) {
    uint64_t random = 11;
    test_begin();
    for (size_t i = 0; i < OLD; i++) {
        old[i] = heap_alloc(OLD_SIZE);
        CHECK(old[i] != NULL);
    }
    for (size_t i = 0; i < OLD; i++) {
        if ((test_random(&random) & 1) == 0)
            continue;
        heap_free(old[i]);
        old[i] = NULL;
    }
    size_t before = ng_arena_in_use();
    for (size_t i = 0; i < OLD / 3; i++) {
        fresh[i] = heap_alloc(NEW_SIZE);
        CHECK(fresh[i] != NULL && heap_usable(fresh[i]) >= NEW_SIZE);
        test_fill(fresh[i], NEW_SIZE, i);
    }
    size_t after = ng_arena_in_use();
    dprintf(1, "%zu slabs in use before, %zu after\n", before, after);
    CHECK(after <= before + before / 20, "the heap grew from %zu slabs to %zu", before, after);
    for (size_t i = 0; i < OLD / 3; i++) {
        test_intact(fresh[i], NEW_SIZE, i);
        fresh[i] = heap_resize(fresh[i], NEW_SIZE - 8);
        CHECK(fresh[i] != NULL);
        test_intact(fresh[i], NEW_SIZE - 8, i);
        heap_free(fresh[i]);
    }
    for (size_t i = 0; i < OLD; i++)
        heap_free(old[i]);
    return 0;
}
