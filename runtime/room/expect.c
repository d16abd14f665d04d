/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * expect.c: see expect.h.
 *
 * Ordering.  `noted` and `ready` are one word each, so what is read of one belongs together.  noted: whoever comes later
 * overwrites it; a block that the room misses is one look less.  It may be freed or used for something else at any time: the
 * look at its pages does no harm.  ready: the room releases the word after it has faulted the block in; who
 * changes it to 0 owns the block, the room too; the room alone stores others, where it has found 0.
 */
#include "room/expect.h"

#include "os/os.h"
#include "room/arena.h"
#include "room/pages.h"
#include "room/room.h"

enum {
    MOST_READY = 8,   /* blocks; more than one only where they fill a chunk just so */
    ASK_EVERY = 8,    /* blocks, while they are not known to be filled: to wake the room costs a system call */
    WATCH_EVERY = 16, /* blocks, while they are: one is left to the program, to see whether it still fills them */
    JUDGE_AFTER = 2,  /* blocks later */
    TRUSTED = 2,      /* watched blocks in a row that were full */
    MOST_PASSED = 8,  /* blocks, all of another size than the one that is ready */
};

/* A block: it was ready << 63 | pages << 32 | first slab + 1; 0: none. */
static const uint64_t was_ready = (uint64_t)1 << 63;

static ng_atomic noted; /* the last one handed out since the room looked */
static ng_atomic notes;
static ng_atomic full; /* watched blocks in a row; written by the room */
static ng_atomic ready[MOST_READY];

/* The room's. */
static uint64_t watched;
static unsigned since_watched, passed;

static bool trusted(void) { return ng_load(&full, NG_RELAXED) >= TRUSTED; }

static uint32_t slab_of(uint64_t block) { return (uint32_t)block - 1; }

static size_t pages_of(uint64_t block) { return (size_t)((block & ~was_ready) >> 32); }

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

void ng_expect_note(uint32_t slab, size_t bytes, bool by_take) {
    if (!ng_room_present() || (ng_add(&notes, 1, NG_RELAXED) % ASK_EVERY != 0 && !trusted()))
        return;
    uint64_t pages = bytes / ng_os_page();
    if (pages >> 31 != 0)
        return;
    ng_store(&noted, (by_take ? was_ready : 0) | pages << 32 | (slab + 1), NG_RELAXED);
    ng_room_wake();
}

bool ng_expect_waiting(void) { return ng_load(&noted, NG_RELAXED) != 0; }

/* Full is what a sixteenth at most is missing from: the program's own headers and last pieces. */
unsigned ng_expect_judge(uint32_t slab, size_t pages, unsigned in_a_row) {
    char *start = ng_slab_start(slab);
    if (ng_arena_word(start) == 0)
        return in_a_row;
    size_t missing = pages - ng_os_present(start, pages);
    return missing * 16 <= pages ? in_a_row + 1 : 0;
}

static void judge(void) {
    unsigned before = (unsigned)ng_load(&full, NG_RELAXED);
    ng_store(&full, ng_expect_judge(slab_of(watched), pages_of(watched), before), NG_RELAXED);
    watched = 0;
}

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

/* So many blocks at once: as many as fill a chunk, where they fill it to the last page. */
static uint32_t blocks_at_once(uint64_t like, uint64_t most) {
    uint32_t slabs = slabs_of(like);
    bool fill = NG_CHUNK_SLABS % slabs == 0 && pages_of(like) * ng_os_page() == (size_t)slabs << NGRT_SLAB_SHIFT;
    return fill && NG_CHUNK_SLABS <= most && NG_CHUNK_SLABS / slabs <= MOST_READY ? NG_CHUNK_SLABS / slabs : 1;
}

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
        ng_store(&ready[i], (like & ~was_ready) >> 32 << 32 | (first + i * slabs + 1), NG_RELEASE);
    passed = 0;
    return faults;
}

uint64_t ng_expect_serve(uint64_t most) {
    uint64_t block = ng_swap(&noted, 0, NG_RELAXED);
    if (block == 0)
        return 0;
    drop_ready();
    since_watched++;
    if (watched != 0 && since_watched >= JUDGE_AFTER)
        judge();
    if (watched == 0 && (!trusted() || since_watched >= WATCH_EVERY)) {
        if ((block & was_ready) != 0)
            return 0; /* so that the next one comes fresh, to be watched */
        watched = block;
        since_watched = 0;
    }
    return trusted() ? make_ready(block, most) : 0;
}

void ng_expect_in_child(void) {
    uint64_t slabs = 0;
    for (unsigned i = 0; i < MOST_READY; i++) {
        uint64_t block = ng_load(&ready[i], NG_RELAXED);
        slabs += block == 0 ? 0 : slabs_of(block);
    }
    ng_store(&ng_arena.ahead_large, slabs, NG_RELAXED);
}
