/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * magazine.c: see magazine.h.  Any core, no lock.
 */
#include "room/magazine.h"

#include "room/arena.h"

static struct ng_stack empty;

static struct ng_magazine *magazine_at(uint32_t number) {
    return (struct ng_magazine *)(void *)(ng_magazine_region.base - (size_t)number * NGRT_MAGAZINE_BYTES);
}

static uint32_t number_of(const struct ng_magazine *m) {
    return (uint32_t)((ng_magazine_region.base - (const char *)m) / NGRT_MAGAZINE_BYTES);
}

static ng_atomic *link_of(uint32_t number) { return &magazine_at(number)->next; }

struct ng_magazine *ng_magazine_get(void) {
    uint32_t number = ng_stack_pop(&empty, link_of);
    struct ng_magazine *m = number != 0
                                ? magazine_at(number)
                                : (struct ng_magazine *)ng_region_take(&ng_magazine_region, NGRT_MAGAZINE_BYTES);
    if (m != NULL)
        m->count = 0;
    return m;
}

void ng_magazine_drop(struct ng_magazine *m) { ng_stack_push(&empty, number_of(m), &m->next); }

size_t ng_magazine_bytes(void) {
    uint64_t used = ng_load(&ng_magazine_region.used, NG_RELAXED);
    return used < ng_magazine_region.bytes ? used : ng_magazine_region.bytes;
}
