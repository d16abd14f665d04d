/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fills.h: which pages of a slab its thread will fill.  Those the room has faulted in where it could; where it has not, or
 * there is none, the thread has them faulted in by few calls, each of which costs about as much as one fault
 * (docs/decisions/0043-faults-by-the-slab.md).  Blocks over a page need evidence: a server's idle buffers are of these sizes.
 *
 * The heap's thread, on the app's core; no lock.
 */
#ifndef NG_FRONT_FILLS_H
#define NG_FRONT_FILLS_H

#include "room/heap.h"

/* Before the class gets a slab: whether the thread will fill all of it. */
bool ng_fills(struct ng_heap *h, uint32_t cls);

/* The class got this slab, to carve blocks from.  fills: what ng_fills said. */
void ng_fills_open(struct ng_heap *h, uint32_t cls, uint32_t slab, bool fills, bool in_memory);

/* Before the class's blocks [from, to) of that slab are handed out. */
void ng_fills_carve(struct ng_heap *h, uint32_t cls, const char *from, const char *to);

#endif
