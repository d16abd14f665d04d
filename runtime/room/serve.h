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
#include "room/keys.h"

/* Takes back what the heap's ring holds, at most `most` words; how many there were. */
unsigned ng_serve_ring(struct ng_heap *h, unsigned most);

/* Puts a magazine's blocks where they belong: bitmaps, or their owners' returned magazines.  Empties it; it stays the
 * caller's. */
void ng_serve_magazine(struct ng_magazine *m);

/* The same for all that are linked from this one's next word on, and drops them. */
void ng_serve_list(uint64_t first);

/* What waits for the heap in returned magazines and inboxes of the class, back to the bitmaps. */
void ng_serve_held(struct ng_heap *h, uint32_t cls);

/* Blocks of the class for the heap into an empty magazine, at most `want`: what came back from other threads, else from
 * so many of its slabs.  How many. */
unsigned ng_serve_refill(struct ng_heap *h, uint32_t cls, struct ng_magazine *m, unsigned want, unsigned slabs);

/* The first blocks of a fresh slab, which becomes the heap's; false where there is no memory. */
bool ng_serve_fresh(struct ng_heap *h, uint32_t cls, struct ng_magazine *m);

/* A block that was freed where no heap was to be had (a signal handler in the middle of a miss): any thread, without the
 * key; who gets the key next serves it. */
void ng_late_free(void *block);
/* The same for a whole magazine, of a class or mixed. */
void ng_late_put(struct ng_magazine *m);
void ng_serve_late(void);
bool ng_late_waiting(void);

/* For when the key is stuck; who gets it next takes back what the owners did not.  The first puts a magazine of the heap's
 * own blocks into its inbox; the second sorts linked mixed magazines into the inboxes of all owners, which leaves them
 * empty and the caller's, if there is memory. */
void ng_deliver_without_key(struct ng_heap *h, struct ng_magazine *m);
void ng_sort_without_key(struct ng_magazine *from);

#endif
