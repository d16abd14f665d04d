/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * inbox.h: magazines on their way to one thread, one inbox a class.
 *
 * Owns: the list from the inbox's word through the magazines' next words.  put: anyone who has a magazine of the
 * inbox's owner and class (the key's holder; a thread with foreign blocks while the key is stuck).  take: the owner, or the
 * key's holder where too much came while it was stuck; always the whole list, so that no ABA can arise.  Neither waits;
 * put repeats only if another put or take got in between, which is progress for that one.
 *
 * Ordering.  The next words are atomic (relaxed) only because a magazine's next word is also its link on the stack of
 * empty magazines, where a loser may still read it (stack.h).  put writes the magazine's blocks, then releases the
 * word; take acquires it: the taker sees the magazine whole, and every write that the blocks' last users made before
 * they freed them.
 */
#ifndef NG_CHANNEL_INBOX_H
#define NG_CHANNEL_INBOX_H

#include "channel/atomic.h"

struct ng_inbox {
    ng_atomic first; /* address of the newest magazine's next word, 0 if none */
};

static inline void ng_inbox_put(struct ng_inbox *in, ng_atomic *next) {
    uint64_t first = ng_load(&in->first, NG_RELAXED);
    do
        ng_store(next, first, NG_RELAXED);
    while (!ng_cas(&in->first, &first, (uint64_t)(uintptr_t)next, NG_RELEASE));
}

/* The newest magazine's next word, through which the others hang; NULL where there is none. */
static inline ng_atomic *ng_inbox_take(struct ng_inbox *in) {
    if (ng_load(&in->first, NG_RELAXED) == 0)
        return 0;
    return (ng_atomic *)(uintptr_t)ng_swap(&in->first, 0, NG_ACQUIRE);
}

static inline bool ng_inbox_empty(const struct ng_inbox *in) { return ng_load(&in->first, NG_RELAXED) == 0; }

#endif
