/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * arena.h: the one range of addresses, the slab map beside it, and which slabs are free.
 *
 * Owns: the reservation, the bump counter, the map's words, the free/dirty/aged bits.
 *
 *   arena   |-- in use or free: bits tell --|-- never used --------|-- not committed ----------------|
 *           base                            bump (atomic)          committed (atomic)                base + slabs
 *
 * Any thread may call anything here, with the key or without.  Which slabs are free is under a key of its own, the
 * arena's, which the functions take themselves for the time that a few words of bits take to change, and never through a
 * system call: so runs of slabs and large blocks are to be had while the key is held for longer work
 * (docs/decisions/0007-arena-key.md).  Who holds both took the key first.
 */
#ifndef NG_ROOM_ARENA_H
#define NG_ROOM_ARENA_H

#include "channel/atomic.h"
#include "channel/stack.h"
#include "ngrt/abi.h"
#include "os/os.h"

#include <string.h>

#define NG_SLAB_BYTES ((size_t)1 << NGRT_SLAB_SHIFT)
#define NG_CHUNK_SLABS (NG_CHUNK_BYTES / NG_SLAB_BYTES)
#define NG_NO_SLAB UINT32_MAX
#define NG_ARENA_GAP                                                                                                   \
    NG_SLAB_BYTES /* never used, below the arena: a program's writes before its first block hit nothing */

/* What the room knows of a slab, in one cache line.  Written by who opens the slab, later by the key's holder alone. */
struct ng_slab {
    _Alignas(64) uint64_t *bits; /* a set bit: that block is free and lies here; NULL: no block was returned yet */
    uint64_t large_bytes;        /* a large block that starts here: what it may use */
    uint32_t large_slabs;        /* and the slabs it covers; 0: a slab of small blocks, or free */
    uint32_t next, prev;         /* neighbours in the owner's list of its class and rank */
    uint32_t heap;               /* the owner's number */
    uint16_t free;               /* set bits */
    uint16_t blocks;             /* blocks in the slab */
    uint8_t cls;
    uint8_t rank;        /* which list it is in (slab.c) */
    uint8_t listed;      /* whether it is in a list */
    uint8_t moved;       /* pages came by mremap: renewed when freed, so that mappings can merge again */
    uint16_t aged_pages; /* a bit a page: free since before the last pass (sparse.c) ... */
    uint16_t gone_pages; /* ... and given back, not touched since */
    uint16_t marked;     /* blocks whose bits were just set, not counted in `free` yet (slab.c) */
    uint8_t purged;      /* its pages went back just now, or could not: the next holder of the arena's key must know */
    ng_atomic link;      /* on the stack of slabs freed late, or faulted in; others may read it at any time (stack.h) */
};

_Static_assert(sizeof(struct ng_slab) == 64, "a line for each slab");

/* Everything zero but the link. */
static inline void ng_slab_reset(struct ng_slab *s) { memset(s, 0, offsetof(struct ng_slab, link)); }

/* Bits of 64 slabs, one a slab. */
struct ng_slab_bits {
    uint64_t free;    /* and below bump */
    uint64_t dirty;   /* free, and its pages may hold something */
    uint64_t aged;    /* dirty since before the last tick ... */
    uint64_t old;     /* ... and since before the one before */
    uint64_t partial; /* it has blocks in its bitmap, and is in a list.  With ng_key */
    uint8_t kind[64 / (NG_CHUNK_BYTES >> NGRT_SLAB_SHIFT)]; /* of each chunk (collapse.c) */
};

struct ng_arena {
    char *base;    /* NULL until there is a heap */
    size_t slabs;  /* reserved */
    uint32_t *map; /* abi.h says what a word means */
    size_t lowest; /* no free slab in a word of bits below this one */
    size_t limit;  /* slabs that may be in use at once (NGRT_LIMIT) */
    _Alignas(64) ng_atomic bump;
    ng_atomic committed;
    ng_atomic ahead; /* slabs that the room has faulted in and nobody has taken yet: for small blocks (pages.c) ... */
    ng_atomic ahead_large;  /* ... and for a large one (expect.c) */
    ng_atomic free_slabs;   /* by the bits ... */
    ng_atomic dirty_slabs;  /* ... and of those dirty */
    ng_atomic late_slabs;   /* freed while the arena's key was taken: the next holder marks them */
    ng_atomic large_blocks; /* over NGRT_SMALL_MAX, and their bytes */
    ng_atomic large_bytes;
};

extern struct ng_arena ng_arena;

/* What is known of slabs lies below the map, their bits below the arena, the first of each next to it (arena.c). */
static inline struct ng_slab *ng_slab_info(size_t slab) { return (struct ng_slab *)(void *)ng_arena.map - 1 - slab; }

static inline struct ng_slab_bits *ng_slab_bits(size_t word) {
    return (struct ng_slab_bits *)(void *)(ng_arena.base - NG_ARENA_GAP) - 1 - word;
}

/* A range that grows by committing more of it, from base upwards or downwards; for metadata in numbered pieces. */
struct ng_region {
    char *base;
    size_t bytes;
    bool down;
    ng_atomic used;
    ng_atomic committed;
    ng_atomic populated; /* faulted in, or left to faults */
};

extern struct ng_region ng_magazine_region, ng_heap_region, ng_bits_region;

/* Reserves everything.  Once, before any other call; false where not even a small arena fits. */
bool ng_arena_reserve(size_t limit_bytes);

/* n bytes of a region, never given back; NULL where it is used up.  Any thread. */
void *ng_region_take(struct ng_region *r, size_t n);

/* Makes the chunk writable that the first magazines and heaps share; its start, NULL where it is none of 2 MiB.  Any thread. */
char *ng_arena_metadata_chunk(void);

/* n slabs that were never used (they read as zero), whose addresses are multiples of `align` slabs; NG_NO_SLAB where the
 * arena ends.  One compare-and-swap.  Any thread. */
uint32_t ng_arena_bump(uint32_t n, uint32_t align);

/* Makes slabs up to `end` writable ahead of their use; false where the arena or memory ends before.  Any thread. */
bool ng_arena_ready(size_t end);

/* The same from the free slabs; *zero says whether they read as zero.  NG_NO_SLAB also where the arena's key is held for
 * long: its holder was preempted, or a signal handler came in between. */
uint32_t ng_arena_find(uint32_t n, uint32_t align, bool *zero);

/* Whether the n slabs from `first` on are free (or never used), and takes them. */
bool ng_arena_extend(uint32_t first, uint32_t n, bool *zero);

/* Gives slabs back.  dirty: their pages may hold something. */
void ng_arena_free(uint32_t first, uint32_t n, bool dirty);

/* Returns pages of free slabs to the system: all, or those that were dirty at the last call already (a tick).  True if
 * something was returned.  Better without the key: it makes system calls. */
bool ng_arena_purge(bool all);

/* Whether every slab of the chunk that starts here is in use; false also where that cannot be told at once. */
bool ng_arena_chunk_in_use(size_t slab);

/* For whoever is about to be told that there is no memory: waits until the pages that are just going back are gone and their
 * slabs to be had again, and holds up what would go next for a tenth of a second, but not ng_arena_purge(true). */
void ng_arena_claim(void);

/* In the child of a fork, with the arena's key: the thread that was giving pages back is gone. */
void ng_arena_in_child(void);

/* Slabs that are free; about. */
static inline size_t ng_arena_unused(void) {
    return ng_load(&ng_arena.free_slabs, NG_RELAXED) + ng_load(&ng_arena.late_slabs, NG_RELAXED);
}

/* Free slabs whose pages were not given back; about. */
static inline size_t ng_arena_dirty(void) {
    return ng_load(&ng_arena.dirty_slabs, NG_RELAXED) + ng_load(&ng_arena.late_slabs, NG_RELAXED);
}

/* Slabs in use: handed out by bump, neither free nor only faulted in. */
static inline size_t ng_arena_in_use(void) {
    uint64_t bump = ng_load(&ng_arena.bump, NG_RELAXED);
    uint64_t gone =
        ng_arena_unused() + ng_load(&ng_arena.ahead, NG_RELAXED) + ng_load(&ng_arena.ahead_large, NG_RELAXED);
    return bump > gone ? bump - gone : 0;
}

static inline bool ng_arena_within_limit(size_t n) { return ng_arena_in_use() + n <= ng_arena.limit; }

static inline uint32_t ng_slab_of(const void *p) {
    return (uint32_t)(((uintptr_t)p - (uintptr_t)ng_arena.base) >> NGRT_SLAB_SHIFT);
}

static inline char *ng_slab_start(uint32_t slab) { return ng_arena.base + ((size_t)slab << NGRT_SLAB_SHIFT); }

static inline bool ng_arena_holds(const void *p) {
    return (((uintptr_t)p - (uintptr_t)ng_arena.base) >> NGRT_SLAB_SHIFT) < ng_arena.slabs;
}

/* The map's word for a pointer that the arena holds. */
static inline uint32_t ng_arena_word(const void *p) {
    return __atomic_load_n(&ng_arena.map[ng_slab_of(p)], __ATOMIC_RELAXED);
}

/* Sets it, and says what it was: of two threads that free one block twice, one finds out. */
static inline uint32_t ng_arena_swap_word(uint32_t slab, uint32_t word) {
    return __atomic_exchange_n(&ng_arena.map[slab], word, __ATOMIC_RELAXED);
}

static inline void ng_arena_set_word(uint32_t slab, uint32_t word) {
    __atomic_store_n(&ng_arena.map[slab], word, __ATOMIC_RELAXED);
}

#endif
