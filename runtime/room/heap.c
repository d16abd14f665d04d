/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * heap.c: birth and rest of heaps.  Any core, no lock.
 */
#include "room/heap.h"

static struct ng_stack waiting;
static ng_atomic count, resting;

static ng_atomic *link_of(uint32_t number) { return &ng_heap_at(number)->link; }

static struct ng_heap *heap_new(void) {
    struct ng_heap *h = ng_region_take(&ng_heap_region, (sizeof *h + 63) & ~(size_t)63);
    if (h == NULL)
        return NULL;
    for (unsigned c = 0; c < NGRT_CLASSES; c++)
        for (unsigned r = 0; r < NG_RANKS; r++)
            h->partial[c][r] = NG_NO_SLAB;
    h->number = (uint32_t)(((char *)h - ng_heap_region.base) / (long)((sizeof *h + 63) & ~(size_t)63)) + 1;
    /* Release: who counts heaps up to this one finds it initialised. */
    uint64_t seen = ng_load(&count, NG_RELAXED);
    while (seen < h->number && !ng_cas(&count, &seen, h->number, NG_RELEASE))
        ;
    return h;
}

struct ng_heap *ng_heap_get(void) {
    uint32_t number = ng_stack_pop(&waiting, link_of);
    if (number == 0)
        return heap_new();
    ng_add(&resting, UINT64_MAX, NG_RELAXED);
    return ng_heap_at(number);
}

void ng_heap_put(struct ng_heap *h) {
    ng_add(&resting, 1, NG_RELAXED);
    ng_stack_push(&waiting, h->number, &h->link);
}

uint32_t ng_heap_count(void) { return (uint32_t)ng_load(&count, NG_ACQUIRE); }

uint32_t ng_heap_waiting(void) { return (uint32_t)ng_load(&resting, NG_RELAXED); }
