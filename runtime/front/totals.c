/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * totals.c: adds the heap's numbers up.  Any core; takes the key.
 */
#include "front/totals.h"

#include "front/cache.h"
#include "room/claim.h"
#include "room/heap.h"
#include "room/keys.h"
#include "room/pages.h"
#include "room/room.h"
#include "room/slab.h"

#include <string.h>

static uint64_t get(const ng_atomic *a) { return ng_load(a, NG_RELAXED); }

/* Exact for the calling thread; for others, whose bins only they may read, what they can hold at most. */
static size_t cached_bytes(const struct ng_heap *h) {
    if (h != ngrt_cache.heap)
        return get(&h->threads) != 0 ? get(&h->cap_bytes) : 0;
    size_t bytes = 0;
    for (uint32_t c = 0; c < NGRT_CLASSES; c++)
        bytes += ng_cache_holds(h, c) * ng_classes[c].size;
    return bytes + h->outgoing_bytes;
}

static void add_heap(struct ng_totals *t, struct ng_heap *h) {
    const struct ng_counts *c = &h->counts;
    t->allocations += get(&c->allocations) + get(&c->large);
    t->frees += get(&c->frees);
    t->ready += get(&c->ready);
    t->late += get(&c->late);
    t->self_served += get(&c->self) + get(&c->large);
    t->foreign_frees += get(&c->foreign);
    t->requests += get(&c->requests);
    t->requests_fulfilled += get(&c->fulfilled);
    t->requested_blocks += get(&c->asked);
    t->requested_used += get(&c->asked_used);
    t->requested_ready += get(&c->asked_ready);
    t->magazines += get(&c->inbox_magazines) + get(&h->ring.head);
    t->handshakes += get(&c->handshakes);
    t->threads += get(&h->threads);
    t->cached += cached_bytes(h) + (size_t)(h->given - get(&h->taken));
}

/* Small blocks' slabs count as live but for what is free in them; large blocks by their size. */
static void add_slabs(struct ng_totals *t) {
    size_t small = 0;
    for (size_t i = 0, n = get(&ng_arena.bump); i < n; i++) {
        uint32_t word = __atomic_load_n(&ng_arena.map[i], __ATOMIC_RELAXED);
        if (word != 0 && word != NGRT_BIN_LARGE) {
            const struct ng_class *k = &ng_classes[ng_word_class(word)];
            small += (size_t)k->blocks * k->size;
        }
    }
    t->large_blocks = get(&ng_arena.large_blocks);
    t->large = get(&ng_arena.large_bytes);
    size_t idle = ng_slab_free_bytes() + t->cached;
    t->live = t->large + (small > idle ? small - idle : 0);
}

static void add_large_requests(struct ng_totals *t) {
    struct ng_claim_counts counts = ng_claim_counts();
    t->requested_large = counts.requested;
    t->requested_large_used = counts.used;
    t->requested_large_ready = counts.ready;
    t->requested_large_faulted = counts.faulted;
}

void ng_totals_read(struct ng_totals *t) {
    memset(t, 0, sizeof *t);
    if (ng_arena.base == NULL)
        return;
    bool entered = ng_key_wait(&ng_key); /* without it some figures may be off */
    t->reserved = ng_arena.slabs << NGRT_SLAB_SHIFT;
    t->committed = get(&ng_arena.bump) << NGRT_SLAB_SHIFT;
    t->dirty = ng_arena_dirty() << NGRT_SLAB_SHIFT;
    t->slabs = ng_arena_in_use();
    t->metadata = get(&ng_magazine_region.used) + get(&ng_heap_region.used) + get(&ng_bits_region.used) +
                  get(&ng_arena.bump) * (sizeof(struct ng_slab) + sizeof(uint32_t));
    for (uint32_t n = ng_heap_count(); n > 0; n--)
        add_heap(t, ng_heap_at(n));
    add_slabs(t);
    add_large_requests(t);
    if (entered)
        ng_key_leave(&ng_key);
    t->room_faults = ng_pages_faults();
    struct ng_room_counts room = ng_room_counts();
    t->room_wakes = room.wakes;
    t->room_beside = room.beside;
    t->room_starts = room.starts;
}
