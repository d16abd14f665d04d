/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * sparse.h: gives back the free pages of slabs that are partly in use.  Free slabs go back whole (ng_arena_purge).
 *
 * A pass looks at every slab that has something free, 2 MiB of them at a time, and gives back the pages that were free at
 * the last pass too and still are.  Called on the room's core, or by a thread where there is no room; takes the key for
 * one slab at a time, and with it makes the system calls: nobody else can take those blocks meanwhile.
 */
#ifndef NG_ROOM_SPARSE_H
#define NG_ROOM_SPARSE_H

#include "room/arena.h"

/* Blocks came back to bitmaps since the last pass, or that pass left something for the next.  Any thread; a hint. */
bool ng_sparse_wanted(void);

/* With the key: blocks came back; n blocks of the slab were taken out of its bitmap. */
void ng_sparse_returned(void);
void ng_sparse_taken(struct ng_slab *s, char *start, void *const *block, unsigned n);

/* Begins a pass where none is under way.  all: for whatever is free, not only what was at the last pass too. */
void ng_sparse_begin(bool all);

/* Goes on with it until it is over (true), the time is, or the key is not to be had. */
bool ng_sparse_go_on(uint64_t until);

/* A whole pass of its own, for all that is free now.  True if something was. */
bool ng_sparse_purge_all(void);

#endif
