/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pages.h: what lies behind the arena's addresses: huge pages, faulting ahead of use, giving back after a decay.
 *
 * ahead, tick: the room's thread (tick also a thread that serves itself).  committed, slab: any thread.
 */
#ifndef NG_ROOM_PAGES_H
#define NG_ROOM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Slabs [from, to) can be written from now on. */
void ng_pages_committed(size_t from, size_t to);

/* A free slab, else, if the program will touch every page of it, one that the room has faulted in, else a fresh one; NG_NO_SLAB
 * where there is none.  in_memory: its pages are there. */
uint32_t ng_pages_slab(bool filled, bool *in_memory);

/* A slab that may not be filled was taken for small blocks: more may follow it.  Wakes the room where it should fault in more. */
void ng_pages_asked(void);

/* Faults the pages [from, to) of a slab in by one call, for the thread that will fill them. */
void ng_pages_fill(uint32_t slab, size_t from, size_t to);

/* Faults in one more piece of fresh memory if too little is ready; true if it did.  Without the key: it takes long. */
bool ng_pages_ahead(void);

/* Faults in so many fresh pages from this slab on, as a huge page where they are a chunk and that is the cheaper kind.  How
 * many page faults that was.  The room's thread, without the key. */
uint64_t ng_pages_fault_in(uint32_t slab, size_t pages);

/* The program will fill this fresh block: whole chunks of it on huge pages, as long as the room finds them cheap. */
void ng_pages_want_huge(char *start, size_t bytes);

/* Whether ng_pages_ahead would do something. */
bool ng_pages_wanted(void);

/* ns until too little will be ready, as threads take it now, so that the room need not be woken for it: that costs the waker a
 * system call, and more in a virtual machine.  0: nobody takes any, or slowly.  The room's thread, before each sleep. */
uint64_t ng_pages_nap(uint64_t now);

/* In the child of a fork: the room's thread is gone, perhaps in the middle of it. */
void ng_pages_in_child(void);

/* Page faults taken by ng_pages_ahead. */
uint64_t ng_pages_faults(void);

/* Whether there is anything to give back, now or later. */
bool ng_pages_waiting(void);

/* Gives back what was free for the decay time, if it is due; better without the key.  Nanoseconds until the next time something
 * is due, 0 if nothing waits. */
uint64_t ng_pages_tick(uint64_t now);

#endif
