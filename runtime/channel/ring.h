/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ring.h: the single-producer single-consumer ring on which a thread sends words to the key's holder.
 *
 * Owns: the order of the words.  put: the owning thread alone.  take: whoever holds the key (the key orders one holder
 * after the other).  Neither waits.
 *
 *       tail                 head
 *        v                    v
 *   [..][w][w][w][w][w][w][w][..][..]     slot i % NG_RING_SLOTS;  head - tail words are in it
 *
 * Ordering.  put writes the slot, then releases head; take acquires head, then reads the slot: a word and everything
 * written before it was put (blocks, magazines) are seen by the taker.  take reads the slot, then releases tail; put
 * acquires tail before it writes a slot again: no slot is overwritten before it was read.  The producer keeps the last
 * tail it saw, so that it reads the consumer's line only when the ring looks full.  Each index has one writer; both only
 * grow, 64 bits do not wrap.
 */
#ifndef NG_CHANNEL_RING_H
#define NG_CHANNEL_RING_H

#include "channel/atomic.h"

#ifndef NG_RING_SLOTS
#define NG_RING_SLOTS 64u
#endif

struct ng_ring {
    /* The producer's line; the consumer polls head and nothing else. */
    _Alignas(64) ng_atomic head;
    uint64_t tail_seen;
    /* The consumer's line. */
    _Alignas(64) ng_atomic tail;
    _Alignas(64) uint64_t slot[NG_RING_SLOTS];
};

/* False where the ring is full; nothing changed then. */
static inline bool ng_ring_put(struct ng_ring *r, uint64_t word) {
    uint64_t head = ng_load(&r->head, NG_RELAXED);
    if (head - r->tail_seen == NG_RING_SLOTS) {
        r->tail_seen = ng_load(&r->tail, NG_ACQUIRE);
        if (head - r->tail_seen == NG_RING_SLOTS)
            return false;
    }
    ng_data_write(&r->slot[head % NG_RING_SLOTS], word);
    ng_store(&r->head, head + 1, NG_RELEASE);
    return true;
}

/* False where the ring is empty. */
static inline bool ng_ring_take(struct ng_ring *r, uint64_t *word) {
    uint64_t tail = ng_load(&r->tail, NG_RELAXED);
    if (ng_load(&r->head, NG_ACQUIRE) == tail)
        return false;
    *word = ng_data_read(&r->slot[tail % NG_RING_SLOTS]);
    ng_store(&r->tail, tail + 1, NG_RELEASE);
    return true;
}

/* Words in the ring, for its producer; some of them may have been taken just now. */
static inline uint64_t ng_ring_length(const struct ng_ring *r) {
    return ng_load(&r->head, NG_RELAXED) - ng_load(&r->tail, NG_RELAXED);
}

/* Whether a taker would find something; a hint unless the caller holds the key. */
static inline bool ng_ring_waiting(const struct ng_ring *r) {
    return ng_load(&r->head, NG_ACQUIRE) != ng_load(&r->tail, NG_RELAXED);
}

#endif
