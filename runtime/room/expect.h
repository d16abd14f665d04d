/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * expect.h: fresh memory for large blocks.  A program may never touch most of such a block, and one rarely ends where a slab
 * does, so it is not taken from what the room has faulted in for small ones.  Instead the room looks at some of these
 * blocks a while later; as long as they turn out full, it keeps one more of the same size ready, faulted in.
 *
 * take, note: any thread.  waiting, serve: the room's thread.
 */
#ifndef NG_ROOM_EXPECT_H
#define NG_ROOM_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The block of so many slabs that the room has ready: its first slab; NG_NO_SLAB where it has none. */
uint32_t ng_expect_take(uint32_t slabs);

/* So many fresh bytes from this slab on were handed out.  by_take: they came from ng_expect_take. */
void ng_expect_note(uint32_t slab, size_t bytes, bool by_take);

/* Whether ng_expect_serve would do something. */
bool ng_expect_waiting(void);

/* Looks at the last block noted, and does what follows from it.  most: slabs that may be faulted in.  How many pages were.
 * Without the key: it takes long. */
uint64_t ng_expect_serve(uint64_t most);

/* A look at a large block of so many pages that was left to the program: how many such blocks in a row it has filled by now,
 * where there were in_a_row before; as many as before where the block is gone. */
unsigned ng_expect_judge(uint32_t slab, size_t pages, unsigned in_a_row);

/* In the child of a fork. */
void ng_expect_in_child(void);

#endif
