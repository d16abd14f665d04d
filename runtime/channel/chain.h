/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * chain.h: a thread's full magazines of one class, which the key's holder may take away as a whole while the thread is
 * idle: asleep in a system call for hours, perhaps.
 *
 * begin, end: the owner, always in this order.  steal: one thread at a time, with the key.
 *
 * Ordering.  Who swaps the word to 0 has the whole list; the owner alone ever stores another value, and only while it has
 * the list, so its store overwrites 0 and loses nothing.  The owner's release hands the magazines' contents over to the
 * thief's acquire.  The owner reads only what it wrote itself: relaxed.  Nobody waits: the owner finds the chain as it left
 * it, or empty.
 */
#ifndef NG_CHANNEL_CHAIN_H
#define NG_CHANNEL_CHAIN_H

#include "channel/atomic.h"

struct ng_chain {
    ng_atomic first; /* address of the newest magazine's next word, 0 if none */
};

static inline bool ng_chain_empty(const struct ng_chain *c) { return ng_load(&c->first, NG_RELAXED) == 0; }

static inline uint64_t ng_chain_begin(struct ng_chain *c) {
    return ng_chain_empty(c) ? 0 : ng_swap(&c->first, 0, NG_RELAXED);
}

static inline void ng_chain_end(struct ng_chain *c, uint64_t first) { ng_store(&c->first, first, NG_RELEASE); }

static inline uint64_t ng_chain_steal(struct ng_chain *c) {
    return ng_chain_empty(c) ? 0 : ng_swap(&c->first, 0, NG_ACQUIRE);
}

#endif
