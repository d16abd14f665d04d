/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * claim.h: large blocks in two halves.  A request says that a block of so many bytes will be wanted; the room finds it and,
 * while the program fills the blocks that it requests, faults it in, piece by piece; whoever then allocates that size claims it,
 * finished or not.  A request binds nobody: what
 * nobody claims goes back within the decay.
 *
 * request, take, drop: any thread.  waiting, serve: the room's thread.  tick: one thread at a time (pages.c sees to it).
 */
#ifndef NG_ROOM_CLAIM_H
#define NG_ROOM_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block of so many bytes will be allocated; grows: or one that grows to them, by realloc. */
void ng_claim_request(size_t bytes, bool grows);

/* The requested block of so many slabs: its first slab, pages all zero; NG_NO_SLAB where there is none. */
uint32_t ng_claim_take(uint32_t slabs);

/* The same of one that grows: of so many slabs or more; *slabs is then how many. */
uint32_t ng_claim_take_growing(uint32_t *slabs);

/* Gives back what nobody has claimed; true if there was something. */
bool ng_claim_drop(void);

/* Whether a requested block waits for its owner, so that ticks are wanted. */
bool ng_claim_held(void);

/* Gives back what was there at the last tick already; all: everything. */
void ng_claim_tick(bool all);

/* Whether ng_claim_serve would do something. */
bool ng_claim_waiting(void);

/* Finds the next requested block, or faults in the next piece of the last.  How many page faults that was.  Without the
 * key: it takes long. */
uint64_t ng_claim_serve(void);

/* Requests that a room could serve; those of them that were then allocated, a growing one where realloc moved into it; those of
 * these that the room had ready, or that had free slabs of their size in memory before; those of these that were in memory as a
 * whole.  Any thread. */
struct ng_claim_counts {
    uint64_t requested, used, ready, faulted;
};
struct ng_claim_counts ng_claim_counts(void);

/* In the child of a fork. */
void ng_claim_in_child(void);

#endif
