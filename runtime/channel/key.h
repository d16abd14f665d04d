/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * key.h: a lock that one may try: on the room's metadata, and one on which slabs are free.
 *
 * Owns: who may write that.  Any thread may try; nobody sleeps on it, and nobody needs it to get on: without the key a
 * thread carves fresh slabs and puts its frees aside (front/miss.c).
 *
 * Ordering.  try acquires what the last holder's leave released: all metadata, and all rings' tails.  Reading first
 * keeps the line shared while it is held by another.
 */
#ifndef NG_CHANNEL_KEY_H
#define NG_CHANNEL_KEY_H

#include "channel/atomic.h"

struct ng_key {
    _Alignas(64) ng_atomic held;
    ng_atomic forks;   /* who holds it for the time of a fork, or waits for it to fork (room/keys.c); else 0 */
    ng_atomic in_vain; /* hints: some patience did not help the last time, ... */
    ng_atomic lost;    /* ... nor did much */
};

static inline bool ng_key_try(struct ng_key *k) {
    uint64_t free_word = 0;
    return ng_load(&k->held, NG_RELAXED) == 0 && ng_cas(&k->held, &free_word, 1, NG_ACQUIRE);
}

static inline void ng_key_leave(struct ng_key *k) { ng_store(&k->held, 0, NG_RELEASE); }

#endif
