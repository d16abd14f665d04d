/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * slab.h: slabs of small blocks and their bitmaps: where free blocks lie while no magazine holds them.
 *
 * Everything here needs the key, but ng_slab_open for a slab that is the caller's own.  A slab is empty, and goes back
 * to the arena, only when all its blocks are back in its bitmap: blocks in magazines count as used.
 */
#ifndef NG_ROOM_SLAB_H
#define NG_ROOM_SLAB_H

#include "room/heap.h"

/* What follows from a class's size, computed once at start from abi.h's table. */
struct ng_class {
    uint32_t size;      /* bytes of a block */
    uint32_t inverse;   /* 2^32 / size, rounded up: offset * inverse >> 32 is the block's number, exact below 64 KiB */
    uint64_t of_odd;    /* the inverse, modulo 2^64, of size / 2^zeros, which is odd */
    uint16_t blocks;    /* in a slab */
    uint16_t words;     /* of the bitmap */
    uint16_t first_cap; /* blocks that a thread may keep at first ... */
    uint16_t most_cap;  /* ... and at most */
    uint16_t most_held; /* returned blocks that wait for one thread */
    uint8_t zeros;      /* size is a multiple of 2^zeros */
};

extern struct ng_class ng_classes[NGRT_CLASSES];
void ng_classes_fill(void);

/* The number of the block that starts at this offset of a slab; where none does, below, in or behind the slab, a number of
 * at least k->blocks.  To multiply by an odd number and to rotate lead no two offsets to one number, and the multiples of the
 * size to the first ones (Granlund, Montgomery: Division by Invariant Integers using Multiplication, section 9). */
static inline uint64_t ng_number_in_slab(const struct ng_class *k, uint64_t offset) {
    uint64_t product = offset * k->of_odd;
#ifdef __clang__
    return __builtin_rotateright64(product, k->zeros); /* of the shifts it would move a part out of the loop */
#else
    return product >> k->zeros | product << (-k->zeros & 63);
#endif
}

/* Makes a slab one of the class and the heap; all its blocks count as used, for the caller to hand out. */
void ng_slab_open(uint32_t slab, uint32_t heap, uint32_t cls);

/* Puts blocks into their slabs' bitmaps.  Ends the program where no block starts there or one is free already.  The array is
 * of no use afterwards. */
void ng_slab_return(void **block, uint32_t n);
/* The same for a slab's last n blocks, which were never handed out; `block` is the first of them.  Thousands at once. */
void ng_slab_return_rest(const char *block, uint32_t n);

/* Blocks of the class for the heap, the lowest address last so that it is handed out first; from the fullest slab, the
 * heap's own before orphans (which it adopts), and from so many slabs at most.  How many; 0: none is free. */
unsigned ng_slab_refill(struct ng_heap *h, uint32_t cls, void **block, unsigned want, unsigned slabs);

/* The heap has no thread any more: its slabs with something free are anybody's. */
void ng_slab_orphan(struct ng_heap *h);

/* Bytes free in bitmaps, and whether orphans of the class have any (a hint that needs no key). */
size_t ng_slab_free_bytes(void);
bool ng_slab_orphans(uint32_t cls);

#endif
