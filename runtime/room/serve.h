/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * serve.h: what the holder of the key does for threads: takes magazines back, sorts foreign blocks, refills.
 *
 * The room's thread and a thread that serves itself do the same work through these functions.  All need the key.
 */
#ifndef NG_ROOM_SERVE_H
#define NG_ROOM_SERVE_H

#include "room/heap.h"

/* Takes back what the heap's ring holds, at most `most` words; how many there were. */
unsigned ng_serve_ring(struct ng_heap *h, unsigned most);

/* Puts a magazine's blocks where they belong: bitmaps, or their owners' returned magazines.  Empties it; it stays the
 * caller's. */
void ng_serve_magazine(struct ng_magazine *m);

/* Blocks of the class for the heap into an empty magazine, at most `want`: what came back from other threads, else from
 * its slabs.  How many. */
unsigned ng_serve_refill(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, unsigned want);

/* A magazine into the heap's inbox for its next miss, if it has none there and within its bounds. */
void ng_serve_ahead(struct ng_heap *h, uint32_t cls);

/* Blocks that were freed where neither a heap nor the key was to be had (a signal handler in the middle of a miss, a large
 * block): any thread, without the key; who gets the key next serves it. */
void ng_late_free(void *block);
void ng_serve_late(void);

/* A large block of `slabs` slabs or little more from among those, for who does not get the key either; NULL if none. */
void *ng_late_take(uint32_t slabs);

/* Waits for nothing longer than a round trip between cores; false where the key is still held then. */
bool ng_key_enter(void);

/* Sorts a mixed magazine without the key, straight into the owners' inboxes: for when the key is stuck. */
void ng_deliver_without_key(struct ng_magazine *m);

#endif
