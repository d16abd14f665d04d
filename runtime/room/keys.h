/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * keys.h: the two keys, and for how long a thread tries to get one.
 *
 * Any thread.  Whoever gets false goes on without: nothing here waits for another thread's work, but that of a fork, in
 * which the kernel holds up whatever touches fresh memory anyway.
 */
#ifndef NG_ROOM_KEYS_H
#define NG_ROOM_KEYS_H

#include "channel/key.h"

extern struct ng_key ng_key;       /* the room's metadata */
extern struct ng_key ng_arena_key; /* which slabs are free (arena.h); who holds both took ng_key first */

/* Waits for nothing longer than a round trip between cores; false where the key is still held then. */
bool ng_key_enter(struct ng_key *k);

/* The same, but lets whoever has the key run a few times, for it was probably preempted, and waits for a fork to be over.
 * For what a failure makes dear.  Keeps errno. */
bool ng_key_insist(struct ng_key *k);

/* Waits for a second; false where its holder does not run for so long, stopped by a debugger: then a millisecond at most
 * from now on.  For what is rare and would rather not do without. */
bool ng_key_wait(struct ng_key *k);

/* The same, for the time of a fork, which ng_key_leave_fork ends in parent and child. */
bool ng_key_take_for_fork(struct ng_key *k);
void ng_key_leave_fork(struct ng_key *k);

#endif
