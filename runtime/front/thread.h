/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * thread.h: birth and death of a thread's cache.  On the app's core, the calling thread's own; no lock.
 */
#ifndef NG_FRONT_THREAD_H
#define NG_FRONT_THREAD_H

#include "room/heap.h"

#include <stdbool.h>

/* The calling thread's heap; gives it one if it has none.  NULL where there is none to give. */
struct ng_heap *ng_heap_here(void);

/* The calling thread's heap, if it has one. */
static inline struct ng_heap *ng_heap_if_any(void) { return ngrt_cache.heap; }

/* Whether the thread has had its last turn of destructors: then nobody would take a cache from it, and who got one for a
 * call releases it after the call. */
bool ng_thread_ending(void);
void ng_heap_release(void);

/* From now on threads (the calling one too) get no fast path: every call takes the slow one. */
void ng_thread_all_slow(void);

/* In a fork's child: the other threads are gone; their heaps wait for new ones.  With the key. */
void ng_thread_only_this_one(void);

/* Threads that have a heap. */
unsigned ng_thread_count(void);

/* The heap exists, or exists now; false where there is no memory for one. */
bool ng_init(void);

#endif
