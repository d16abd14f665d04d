/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * heap.h: what one thread owns: its magazines, its channel to the room, and the room's lists of its slabs.
 *
 * A heap outlives its thread: it waits, slabs and all, for the next thread that starts.  So an owner tag never dangles,
 * and a heap is never unmapped.  The structure is in four parts, each with one kind of writer:
 *
 *   the thread's    bins, carve ranges, blocks set aside   the thread alone, no lock
 *   chains          full magazines                         the thread; taken away: with the key, while it is idle
 *   ring            words to the key's holder                      put: the thread; take: with the key
 *   inboxes         magazines for the thread                       put: anyone; take: the thread
 *   mailbox         a question and its answer                      ask: the thread; reply: with the key
 *   the room's      lists of slabs, returned magazines             with the key
 */
#ifndef NG_ROOM_HEAP_H
#define NG_ROOM_HEAP_H

#include "channel/chain.h"
#include "channel/inbox.h"
#include "channel/mailbox.h"
#include "channel/ring.h"
#include "room/arena.h"
#include "room/magazine.h"

#define NG_RANKS 4u /* lists of partly free slabs by how full they are: 0 is the fullest */

/* Words on the ring, their kind in the low bits: a magazine's address, or a request, of so many blocks of a class. */
enum { NG_WORD_MAGAZINE = 0, NG_WORD_REQUEST = 1, NG_WORD_KIND = 7 };

static inline uint64_t ng_request_word(uint32_t cls, size_t blocks) {
    return (blocks < UINT32_MAX ? (uint64_t)blocks : UINT32_MAX) << 16 | (uint64_t)cls << 3 | NG_WORD_REQUEST;
}
static inline uint32_t ng_request_class(uint64_t word) { return (uint32_t)(word & 0xffff) >> 3; }
static inline uint32_t ng_request_blocks(uint64_t word) { return (uint32_t)(word >> 16); }

/* Counts for statistics.  One writer, the thread; read by anyone, so relaxed. */
struct ng_counts {
    ng_atomic allocations, frees;  /* calls; only while every call takes the slow path (NGRT_STATS, NGRT_SLOW) */
    ng_atomic ready, late, self;   /* of those: block was in a magazine; the room runs but had none; no room */
    ng_atomic misses;              /* refills from outside of the thread's own magazines */
    ng_atomic inbox_magazines;     /* refills that the room had ready */
    ng_atomic handshakes;          /* blocks that the room answered with, or took by one */
    ng_atomic foreign;             /* frees of other threads' blocks */
    ng_atomic requests, fulfilled; /* requests; those whose blocks were there at the next miss */
    ng_atomic asked, asked_used;   /* blocks requested; of those the ones that were then allocated ... */
    ng_atomic asked_ready;         /* ... and found in a magazine.  All three while every call takes the slow path */
    ng_atomic large, fresh_slabs;
};

/* Of a class (front/fills.c). */
struct ng_fills {
    bool by_pieces;   /* the slab to carve is faulted in as its blocks are handed out */
    bool full;        /* blocks over a page: the last slab looked at was */
    uint8_t since;    /* slabs opened since the next one came */
    uint32_t watched; /* the slab that came as it was and is to be looked at, + 1; 0: none */
};

struct ng_heap {
    /* -- the thread's -- */
    uint32_t number;
    uint32_t busy;                /* a slow path of this thread is under way: a signal handler came in between */
    struct ngrt_bin *bin;         /* the cache's, or shadow where the fast path is switched off */
    struct ng_magazine *blank;    /* one empty magazine kept at hand */
    struct ng_magazine *outgoing; /* foreign blocks */
    struct ng_magazine *aside;    /* magazines that neither room nor key took */
    uint32_t asides;
    uint32_t outgoing_bytes;
    ng_atomic cap_bytes;               /* sum of cap * block size: what the bins and chains can hold at most */
    uint32_t victim;                   /* where the search for a class to shrink goes on */
    uint32_t largest_cap;              /* no class may keep more bytes (one block aside) */
    uint16_t cap[NGRT_CLASSES];        /* blocks of the class that the thread may keep */
    uint32_t chained[NGRT_CLASSES];    /* blocks in the chain, unless it was taken away */
    ng_atomic turns;                   /* changes of any chain; read with the key */
    char *carve[NGRT_CLASSES];         /* blocks of a slab of ours that were never handed out: from here ... */
    uint32_t carve_left[NGRT_CLASSES]; /* ... so many */
    uint64_t carve_in_memory;          /* classes whose slab to carve has its pages already */
    uint64_t requested;                /* classes with a request since the last miss */
    uint64_t owed[NGRT_CLASSES];       /* blocks requested and not allocated yet */
    ng_atomic taken;                   /* bytes taken from returned and inbox, ever; read with the key */
    uint64_t debt, debt_since;         /* nanoseconds of the room's work that the thread did itself, since when */
    ng_atomic threads;                 /* 1 while a thread has it */
    uint8_t streak[NGRT_CLASSES];      /* refills by the key since blocks of the class were last too many (cache.c) */
    uint8_t borrowed[NGRT_CLASSES];    /* blocks of larger classes handed out before the class had any (cache.c) */
    struct ng_fills fills[NGRT_CLASSES];
    uint32_t emptied_at;  /* slabs in use when idle classes were last emptied (cache.c) */
    uint32_t without;     /* so many calls without a question to the room (handshake.c) */
    uint32_t busy_spells; /* settled debts that were heavy (cache.c) */
    struct ng_counts counts;
    struct ngrt_bin shadow[NGRT_CLASSES];

    /* -- channel -- */
    struct ng_ring ring;
    _Alignas(64) struct ng_inbox inbox[NGRT_CLASSES];
    struct ng_chain chain[NGRT_CLASSES]; /* the last filled first */
    struct ng_mailbox mailbox;

    /* -- the room's -- */
    _Alignas(64) ng_atomic stocked; /* a bit a class: the key's holder has blocks for this heap; read by the thread */
    struct ng_magazine *returned[NGRT_CLASSES]; /* blocks that came back from other threads, not yet asked for */
    struct ng_magazine *answers[NGRT_CLASSES];  /* blocks to answer with (handshake.c) */
    uint32_t partial[NGRT_CLASSES][NG_RANKS];   /* slabs with something free; NG_NO_SLAB ends a list */
    uint64_t given;                             /* bytes put into returned and inbox, ever */
    bool orphaned;                              /* no thread: slabs go to the orphans' lists */
    bool emptied;                               /* nothing to take away from it since `seen_turns` (idle.c) */
    uint64_t seen_turns;
    ng_atomic link; /* on the stack of heaps without a thread */
};

static inline struct ng_heap *ng_heap_at(uint32_t number) {
    return (struct ng_heap *)(void *)(ng_heap_region.base +
                                      (size_t)(number - 1) * ((sizeof(struct ng_heap) + 63) & ~(size_t)63));
}

static inline uint32_t ng_heap_tag(const struct ng_heap *h) { return h->number << NGRT_BIN_BITS; }

static inline uint32_t ng_word_for(uint32_t heap, uint32_t cls) {
    return heap << NGRT_BIN_BITS | cls * (uint32_t)sizeof(struct ngrt_bin);
}

static inline uint32_t ng_word_heap(uint32_t word) { return word >> NGRT_BIN_BITS; }
static inline uint32_t ng_word_class(uint32_t word) {
    return (word & NGRT_BIN_MASK) / (uint32_t)sizeof(struct ngrt_bin);
}

/* A heap for a thread that starts: one that waited, or a new one.  NULL where there is none left.  Any thread. */
struct ng_heap *ng_heap_get(void);
/* A heap whose thread ends.  Its blocks were put away (front/thread.c). */
void ng_heap_put(struct ng_heap *h);
/* Heaps that ever were: numbers 1 to this. */
uint32_t ng_heap_count(void);
/* Heaps that wait for a thread; about. */
uint32_t ng_heap_waiting(void);

static inline void ng_count(ng_atomic *a, uint64_t n) { ng_store(a, ng_load(a, NG_RELAXED) + n, NG_RELAXED); }

#endif
