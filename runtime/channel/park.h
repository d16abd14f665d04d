/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * park.h: how the room's thread goes to sleep without missing work, and how a thread wakes it.
 *
 * Owns: the parking word.  begin/end: the room's thread.  wake: any thread, after it has made work visible (a word put
 * on its ring, a mark set).
 *
 * Ordering (Dekker).  The room stores PARKED, then looks for work once more; a thread makes its work visible, then looks
 * at the parking word; both with a full fence in between.  So at least one of them sees the other: either the room finds
 * the work and does not sleep, or the thread finds PARKED and wakes it.  The CAS lets one thread alone pay for the
 * system call.  The futex compares the word itself, so that a wake between the last look and the sleep is not lost.
 */
#ifndef NG_CHANNEL_PARK_H
#define NG_CHANNEL_PARK_H

#include "channel/atomic.h"

/* RESTING: asleep for a while, and not to be woken: threads do without, as if there were no room. */
enum { NG_ABSENT = 0, NG_AWAKE = 1, NG_PARKED = 2, NG_RESTING = 3 };

struct ng_park {
    _Alignas(64) ng_atomic word;
};

/* The room: from here on threads wake it.  Look for work after this, before sleeping on the word. */
static inline void ng_park_begin(struct ng_park *p) {
    ng_store(&p->word, NG_PARKED, NG_RELAXED);
    ng_fence();
}

/* The same for a rest. */
static inline void ng_park_rest(struct ng_park *p) {
    ng_store(&p->word, NG_RESTING, NG_RELAXED);
    ng_fence();
}

/* The room: awake again, whoever woke it. */
static inline void ng_park_end(struct ng_park *p) { ng_store(&p->word, NG_AWAKE, NG_RELAXED); }

/* A thread: true where it must make the system call that wakes the room. */
static inline bool ng_park_wake(struct ng_park *p) {
    ng_fence();
    uint64_t parked = NG_PARKED;
    return ng_load(&p->word, NG_RELAXED) == NG_PARKED && ng_cas(&p->word, &parked, NG_AWAKE, NG_RELAXED);
}

/* What the room's thread does now, as far as can be told without waiting. */
static inline uint64_t ng_park_state(const struct ng_park *p) { return ng_load(&p->word, NG_RELAXED); }

#endif
