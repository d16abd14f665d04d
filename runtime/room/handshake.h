/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * handshake.h: NGRT_MODE=handshake, as the paper's prototype works: for each block the thread asks the room and waits for
 * its answer.  There to show what queues and requests gain over it (docs/decisions/0019-handshake.md).
 *
 * take, give: the app's core, the calling thread's own heap.  The rest: with the key.
 */
#ifndef NG_ROOM_HANDSHAKE_H
#define NG_ROOM_HANDSHAKE_H

#include "room/heap.h"
#include "room/options.h"

static inline bool ng_handshake_mode(void) { return __builtin_expect(ng_options.mode == NG_MODE_HANDSHAKE, 0); }

/* A block from the room; NULL where it does not answer in time, and the thread does without. */
void *ng_handshake_take(struct ng_heap *h, uint32_t cls);

/* A small block back to the room, whoever's it is; false where it does not answer in time. */
bool ng_handshake_give(struct ng_heap *h, void *block);

/* Answers the heap's question, if it has one. */
bool ng_handshake_serve(struct ng_heap *h);

static inline bool ng_handshake_waiting(const struct ng_heap *h) {
    return ng_handshake_mode() && ng_mailbox_look(&h->mailbox) != 0;
}

#endif
