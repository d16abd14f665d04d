/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * alloc.h: allocation as the rest of front/ sees it: the entry points of libc and C++ are thin covers of this.
 *
 * On the app's core, in any state of the process.  NULL comes with errno ENOMEM; frees keep errno.
 */
#ifndef NG_FRONT_ALLOC_H
#define NG_FRONT_ALLOC_H

#include "front/totals.h"
#include "ngrt/abi.h"
#include "room/arena.h"
#include "room/room.h"

#include <stdbool.h>

/* Any size, 0 included. */
void *ng_malloc(size_t size);
/* Zeroed; the caller has checked the product. */
void *ng_calloc(size_t bytes);
/* align: a power of two. */
void *ng_aligned(size_t align, size_t size);
/* p is ours, size is not 0; on failure p stays as it is. */
void *ng_realloc(void *p, size_t size);
/* Whether realloc leaves a block where it is: the new size fits, and fills at least half of it. */
static inline bool ng_realloc_keeps(size_t usable, size_t size) { return size <= usable && size >= usable / 2; }
/* Any pointer: NULL, ours, another malloc's. */
void ng_free(void *p);
/* p is ours. */
size_t ng_usable(const void *p);

/* Whether p lies in the arena. */
static inline bool ng_is_ours(const void *p) { return ng_arena_holds(p); }

/* The slow halves, out of line. */
void *ng_malloc_miss(size_t size);
void ng_free_miss(void *p);

/* `blocks` blocks of the bin will be wanted soon; non-binding. */
void ng_request(uint32_t bin, size_t blocks);

/* malloc_trim: gives back what can be given, true if something was. */
bool ng_trim(size_t keep);

#endif
