/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * large.h: blocks over NGRT_SMALL_MAX: runs of whole slabs.
 *
 * Any thread may get one: from the free slabs if it gets the key, else fresh ones.  A block's size is written by who
 * allocates or resizes it, and read by who frees it; the program orders the two.
 */
#ifndef NG_ROOM_LARGE_H
#define NG_ROOM_LARGE_H

#include <stdbool.h>
#include <stddef.h>

/* A block of at least `size` bytes at a multiple of `align` (a power of two); zero: all its bytes are zero.  NULL where
 * there is no memory. */
void *ng_large_get(size_t size, size_t align, bool zero);

/* One that was requested to grow to at least `size` bytes: realloc then finds the slabs behind it its own.  NULL where there
 * is none. */
void *ng_large_grown(size_t size);

/* With the key. */
void ng_large_put(void *block);

/* The bytes that the block may use. */
size_t ng_large_usable(const void *block);

/* The same block, larger or smaller, where it stands or with its pages moved; NULL: neither went, the block is whole and
 * the caller copies. */
void *ng_large_resize(void *block, size_t size);

#endif
