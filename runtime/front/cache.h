/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * cache.h: the thread cache behind its bins: chains of magazines, carve ranges, blocks on their way out.
 *
 * The calling thread's own heap only, with heap->busy set by the caller (miss.c); takes the key where it is free, waits
 * for nothing.
 */
#ifndef NG_FRONT_CACHE_H
#define NG_FRONT_CACHE_H

#include "room/slab.h"

enum { NG_OUTGOING_BYTES = 32 << 10 };

static inline struct ngrt_bin *ng_bin(struct ng_heap *h, uint32_t cls) { return &h->bin[cls]; }

/* Blocks into the class's bin, which is empty.  False where there is no memory. */
bool ng_cache_refill(struct ng_heap *h, uint32_t cls);

/* The class whose block is to serve a request of this class: mostly itself, at first perhaps a larger one. */
uint32_t ng_cache_lender(struct ng_heap *h, uint32_t cls);

/* A free slot in the class's bin, which is full.  False where there is no magazine to be had. */
bool ng_cache_make_room(struct ng_heap *h, uint32_t cls);

/* A block of another thread's slab, or a large one that found the key taken: towards its owner.  False where there is
 * no magazine to be had. */
bool ng_cache_send(struct ng_heap *h, void *block, uint32_t bytes);

/* The same while the magazine has room for more than this one: the last of each takes the longer way. */
static inline bool ng_cache_append(struct ng_heap *h, void *block, uint32_t cls) {
    struct ng_magazine *m = h->outgoing;
    uint32_t bytes = h->outgoing_bytes + ng_classes[cls].size;
    if (m == NULL || m->count + 1u >= NGRT_MAGAZINE_SLOTS || bytes >= NG_OUTGOING_BYTES)
        return false;
    m->block[m->count++] = block;
    h->outgoing_bytes = bytes;
    ng_count(&h->counts.foreign, 1);
    return true;
}

/* Blocks of the class that are at hand without asking anybody. */
size_t ng_cache_holds(const struct ng_heap *h, uint32_t cls);

/* Everything that the thread holds back into the bitmaps.  With the key. */
void ng_cache_flush(struct ng_heap *h);

/* The thread ends: little stays with the heap for the next thread, much goes back. */
void ng_cache_put_away(struct ng_heap *h);

/* The thread is gone without putting anything away (fork). */
void ng_cache_forget(struct ng_heap *h);

#endif
