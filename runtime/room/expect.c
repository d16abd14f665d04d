/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * expect.c: see expect.h.
 *
 * Ordering.  `noted` and `ready` are one word each, so what is read of one belongs together.  noted: whoever comes later
 * overwrites it.  ready: the room releases the word after it has faulted the block in; who
 * changes it to 0 owns the block, the room too; the room alone stores others, where it has found 0.
 */
#include "room/expect.h"

#include "os/os.h"
#include "room/arena.h"
#include "room/filled.h"
#include "room/pages.h"
#include "room/room.h"

enum {
    MOST_READY = 8,  /* blocks; more than one only where they fill a chunk just so */
    MOST_PASSED = 8, /* blocks, all of another size than the one that is ready */
};

/* A block: pages << 32 | first slab + 1; 0: none. */
static ng_atomic ready[MOST_READY];

static ng_atomic noted;      /* pages of the last one handed out since the room looked; 0: none */
static ng_atomic last_pages; /* of the last one handed out */

static unsigned passed; /* the room's */

static uint32_t slab_of(uint64_t block) { return (uint32_t)block - 1; }

static size_t pages_of(uint64_t block) { return (size_t)(block >> 32); }

static uint32_t slabs_of(uint64_t block) {
    return (uint32_t)((pages_of(block) * ng_os_page() + NG_SLAB_BYTES - 1) >> NGRT_SLAB_SHIFT);
}

static bool take(ng_atomic *place, uint64_t block) {
    if (!ng_cas(place, &block, 0, NG_ACQUIRE))
        return false;
    ng_add(&ng_arena.ahead_large, -(uint64_t)slabs_of(block), NG_RELAXED);
    return true;
}

uint32_t ng_expect_take(uint32_t slabs) {
    for (unsigned i = 0; i < MOST_READY; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        if (block != 0 && slabs_of(block) == slabs && take(&ready[i], block))
            return slab_of(block);
    }
    return NG_NO_SLAB;
}

void ng_expect_note(size_t bytes) {
    uint64_t pages = bytes / ng_os_page();
    if (!ng_room_present() || pages >> 32 != 0 || ng_swap(&last_pages, pages, NG_RELAXED) != pages)
        return;
    ng_store(&noted, pages, NG_RELAXED);
    ng_room_wake();
}

bool ng_expect_waiting(void) { return ng_load(&noted, NG_RELAXED) != 0; }

/* What nobody has asked for again. */
static void drop_ready(void) {
    passed++;
    for (unsigned i = 0; i < MOST_READY && passed >= MOST_PASSED; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        if (block != 0 && take(&ready[i], block))
            ng_arena_free(slab_of(block), slabs_of(block), true);
    }
}

static bool any_ready(void) {
    for (unsigned i = 0; i < MOST_READY; i++)
        if (ng_load(&ready[i], NG_RELAXED) != 0)
            return true;
    return false;
}

/* So many blocks at once: as many as fill the next chunk, where one begins and they fill it to the last page. */
static uint32_t blocks_at_once(uint64_t like, uint64_t most) {
    uint32_t slabs = slabs_of(like);
    bool fill = ng_load(&ng_arena.bump, NG_RELAXED) % NG_CHUNK_SLABS == 0 && NG_CHUNK_SLABS % slabs == 0 &&
                pages_of(like) * ng_os_page() == (size_t)slabs << NGRT_SLAB_SHIFT;
    return fill && NG_CHUNK_SLABS <= most && NG_CHUNK_SLABS / slabs <= MOST_READY ? NG_CHUNK_SLABS / slabs : 1;
}

/* Blocks like this one. */
static uint64_t make_ready(uint64_t like, uint64_t most) {
    uint32_t slabs = slabs_of(like), first;
    if (slabs > most || any_ready())
        return 0;
    uint32_t blocks = blocks_at_once(like, most);
    if ((first = ng_arena_bump(blocks * slabs, blocks > 1 ? NG_CHUNK_SLABS : 1)) == NG_NO_SLAB)
        return 0;
    uint64_t faults = ng_pages_fault_in(first, pages_of(like) * blocks);
    ng_add(&ng_arena.ahead_large, (uint64_t)blocks * slabs, NG_RELAXED);
    for (uint32_t i = 0; i < blocks; i++)
        ng_store(&ready[i], like | (first + i * slabs + 1), NG_RELEASE);
    passed = 0;
    return faults;
}

uint64_t ng_expect_serve(uint64_t most) {
    uint64_t pages = ng_swap(&noted, 0, NG_RELAXED);
    if (pages == 0)
        return 0;
    drop_ready();
    return ng_filled_usually(pages * ng_os_page()) ? make_ready(pages << 32, most) : 0;
}

void ng_expect_in_child(void) {
    uint64_t slabs = 0;
    for (unsigned i = 0; i < MOST_READY; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        slabs += block == 0 ? 0 : slabs_of(block);
    }
    ng_store(&ng_arena.ahead_large, slabs, NG_RELAXED);
}
