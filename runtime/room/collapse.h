/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * collapse.h: small pages into huge ones, for chunks that filled after they were faulted in: a heap that grew page by page,
 * or whose chunks were given back in part and filled again.
 *
 * Owns what the chunks' pages are, as far as the runtime knows.  turn: the room's thread, without the key.  The notes: any
 * thread; they are hints, so a lost one costs a trial.
 */
#ifndef NG_ROOM_COLLAPSE_H
#define NG_ROOM_COLLAPSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The chunk of this slab is on a huge page; some of its pages went back to the system. */
void ng_collapse_is_huge(size_t slab);
void ng_collapse_is_broken(size_t slab);

/* Whether the slab's chunk is on a huge page. */
bool ng_collapse_huge(size_t slab);

/* Collapses one chunk, or looks for one, if that is due.  Nanoseconds until the next time, 0 where there is nothing to do
 * as long as the heap stays as it is. */
uint64_t ng_collapse_turn(uint64_t now);

/* Small pages of the chunk that starts here into a huge one; false: it failed, and may succeed later.  The room's thread. */
bool ng_collapse_now(char *start);

/* Collapses the chunk that starts at this slab now, full or not, unless more than `most` pages of it are missing; adds how many
 * were to *missing.  False: it failed, and may succeed later.  The room's thread, without the key. */
bool ng_collapse_first(size_t slab, size_t most, size_t *missing);

/* Something has changed: the next turn looks again. */
void ng_collapse_again(void);

#endif
