/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * stack.h: a stack of numbered things (empty magazines, heaps without a thread) that any thread may push and pop.
 *
 * Owns: the stack's word and the link word of each thing that lies on it.  Things are never unmapped, so that reading
 * the link of one that another thread just popped is harmless; its value is then not used, since the count in the
 * stack's word has moved on (Treiber's stack with a version, as in IBM's System/370 manual).
 *
 *   word:  |-- version, 32 bits --|-- number of the top thing, 32 bits; 0: empty --|
 *
 * Ordering.  push releases the word after the link; pop acquires it before it reads the link, and with it everything
 * written to the thing before it was pushed.  A version would have to wrap (2^32 operations) between a pop's read and
 * its CAS to be mistaken.
 */
#ifndef NG_CHANNEL_STACK_H
#define NG_CHANNEL_STACK_H

#include "channel/atomic.h"

struct ng_stack {
    _Alignas(64) ng_atomic top;
};

/* link: the link word of the thing with that number. */
static inline void ng_stack_push(struct ng_stack *s, uint32_t number, ng_atomic *link) {
    uint64_t top = ng_load(&s->top, NG_RELAXED);
    do
        ng_store(link, top & UINT32_MAX, NG_RELAXED);
    while (!ng_cas(&s->top, &top, ((top >> 32) + 1) << 32 | number, NG_RELEASE));
}

/* The number popped, or 0.  link_of(number) gives a thing's link word. */
static inline uint32_t ng_stack_pop(struct ng_stack *s, ng_atomic *(*link_of)(uint32_t)) {
    uint64_t top = ng_load(&s->top, NG_ACQUIRE);
    while ((uint32_t)top != 0) {
        uint64_t below = ng_load(link_of((uint32_t)top), NG_RELAXED);
        if (ng_cas(&s->top, &top, ((top >> 32) + 1) << 32 | below, NG_ACQUIRE))
            return (uint32_t)top;
        top = ng_load(&s->top, NG_ACQUIRE);
    }
    return 0;
}

#endif
