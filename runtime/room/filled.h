/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * filled.h: whether the program fills its fresh large blocks, which it may as well never touch.  One block of each octave of sizes
 * is left as it came and looked at later; as long as those turn out full, whoever gets the next one has it faulted in by one
 * call instead of a fault for each page (docs/decisions/0016-only-what-will-be-touched.md).
 *
 * Any thread, no lock: a block that two watch at a time is one look less.
 */
#ifndef NG_ROOM_FILLED_H
#define NG_ROOM_FILLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before a fresh block of so many bytes is handed out: how many of them the program will fill, as far as one can know. */
size_t ng_filled_next(size_t bytes);

/* It begins at this slab; not all of it has been touched, and it may be looked at later. */
void ng_filled_watch(uint32_t slab, size_t bytes);

/* Whether blocks of so many bytes are filled as a rule. */
bool ng_filled_usually(size_t bytes);

/* A block is about to be freed: the last time that it can be looked at. */
void ng_filled_end(uint32_t slab, size_t bytes);

/* A look at a block, or a slab of some, of so many pages that was left to the program: how many such blocks in a row it has filled by now, where there
 * were in_a_row before; as many as before where the block is gone. */
unsigned ng_filled_judge(uint32_t slab, size_t pages, unsigned in_a_row);

#endif
