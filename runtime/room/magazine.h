/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * magazine.h: magazines, and the stack of empty ones.
 *
 * A magazine belongs to who holds it: a thread (in a bin, in its chain), a ring, an inbox, the room.  Any thread may get
 * and drop empty ones, without the key.  They are never unmapped (stack.h relies on it).
 */
#ifndef NG_ROOM_MAGAZINE_H
#define NG_ROOM_MAGAZINE_H

#include "channel/stack.h"
#include "ngrt/abi.h"

#define NG_MIXED NGRT_CLASSES /* instead of a class: blocks of any class and owner */

struct ng_magazine {
    void *block[NGRT_MAGAZINE_SLOTS];
    ng_atomic next; /* link: on the stack of empty ones, in an inbox, in a thread's chain */
    uint16_t count; /* blocks, where the magazine is not in a bin */
    uint16_t cls;   /* their class, or NG_MIXED */
    uint32_t given; /* in an inbox: bytes of them that the owner's `given` counts */
};

_Static_assert(sizeof(struct ng_magazine) == NGRT_MAGAZINE_BYTES, "the fast path finds a magazine's start by its mask");

/* An empty magazine, count 0; NULL where there is no memory for it. */
struct ng_magazine *ng_magazine_get(void);
void ng_magazine_drop(struct ng_magazine *m);

/* Bytes of memory that magazines have taken. */
size_t ng_magazine_bytes(void);

static inline struct ng_magazine *ng_magazine_next(struct ng_magazine *m) {
    return (struct ng_magazine *)(uintptr_t)ng_load(&m->next, NG_RELAXED);
}

static inline void ng_magazine_link(struct ng_magazine *m, struct ng_magazine *next) {
    ng_store(&m->next, (uint64_t)(uintptr_t)next, NG_RELAXED);
}

/* The magazine whose next word this is (inbox.h hands out next words). */
static inline struct ng_magazine *ng_magazine_of_next(ng_atomic *next) {
    return next == NULL ? NULL : (struct ng_magazine *)(void *)((char *)next - offsetof(struct ng_magazine, next));
}

/* The next one of those that came out of an inbox or stand in a chain, where links are addresses of next words. */
static inline struct ng_magazine *ng_magazine_behind(const struct ng_magazine *m) {
    return ng_magazine_of_next((ng_atomic *)(uintptr_t)ng_load(&m->next, NG_RELAXED));
}

static inline void ng_magazine_put_before(struct ng_magazine *m, struct ng_magazine *rest) {
    ng_store(&m->next, rest == NULL ? 0 : (uint64_t)(uintptr_t)&rest->next, NG_RELAXED);
}

/* The magazine that a bin uses; NULL if none.  top never reaches the magazine's end: the header is there. */
static inline struct ng_magazine *ng_magazine_of_bin(const struct ngrt_bin *b) {
    return (struct ng_magazine *)((uintptr_t)b->top & ~(uintptr_t)(NGRT_MAGAZINE_BYTES - 1));
}

#endif
