/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * expect.h: fresh memory for large blocks.  A program may never touch most of such a block, and one rarely ends where a slab
 * does, so it is not taken from what the room has faulted in for small ones.  Instead, as long as such blocks turn out full
 * (filled.h), the room keeps one more of the same size ready, faulted in.
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

/* A fresh block of so many bytes was handed out, and the program will fill it; the second of a size may have a third. */
void ng_expect_note(size_t bytes);

/* Whether ng_expect_serve would do something. */
bool ng_expect_waiting(void);

/* Has another of the size last noted ready, unless there is one, while such blocks are filled.  most: slabs that may be faulted in.
 * How many pages were.  Without the key: it takes long. */
uint64_t ng_expect_serve(uint64_t most);

/* In the child of a fork. */
void ng_expect_in_child(void);

#endif
