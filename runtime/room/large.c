/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * large.c: see large.h.  On the app's core; takes the key where it is free.
 */
#include "room/large.h"

#include "os/os.h"
#include "room/claim.h"
#include "room/expect.h"
#include "room/filled.h"
#include "room/pages.h"
#include "room/pressure.h"
#include "room/serve.h"

#include <string.h>

/* From here on moving pages is cheaper than copying and faulting: a move costs two system calls and a hole in the
 * mappings, about 5 us, against 60 us a MiB for copying and 100 for faults. */
enum { MOVE_BYTES = 256 << 10 };

/* From here on a fresh block that will be filled gets huge pages, as it is touched; below it is faulted in at once. */
enum { HUGE_BYTES = 4 << 20 };

static size_t slabs_for(size_t size) { return (size + NG_SLAB_BYTES - 1) >> NGRT_SLAB_SHIFT; }

static size_t usable_for(size_t size) {
    size_t page = ng_os_page();
    return (size + page - 1) / page * page;
}

static void note_large(int64_t blocks, int64_t bytes) {
    if (blocks != 0)
        ng_add(&ng_arena.large_blocks, (uint64_t)blocks, NG_RELAXED);
    ng_add(&ng_arena.large_bytes, (uint64_t)bytes, NG_RELAXED);
}

/* The fresh bytes [from, to) of a block that begins at this slab, which the program will fill. */
static void fill(uint32_t first, size_t from, size_t to) {
    if (to - from >= HUGE_BYTES)
        ng_pages_want_huge(ng_slab_start(first) + from, to - from);
    else
        ng_pages_fill(first, from / ng_os_page(), to / ng_os_page());
}

/* Slabs from the free ones, else fresh; zero: whether they read as zero.  Of the bytes before `from` the pages come from elsewhere. */
static uint32_t find_slabs(uint32_t n, uint32_t align, size_t from, size_t bytes, bool *zero) {
    if (!ng_arena_within_limit(n) && !(ng_claim_drop() && ng_arena_within_limit(n)))
        return NG_NO_SLAB;
    bool any = align == 1 && from == 0;
    uint32_t first = any ? ng_claim_take(n) : NG_NO_SLAB;
    *zero = true;
    if (first != NG_NO_SLAB)
        return first;
    first = ng_arena_find(n, align, zero);
    if (first != NG_NO_SLAB && !*zero)
        return first;
    *zero = true;
    size_t filled = ng_pressure_near() ? 0 : ng_filled_next(bytes);
    if (first == NG_NO_SLAB && filled == bytes && any) {
        first = ng_expect_take(n);
        ng_expect_note(bytes); /* so that the room, once it looks, finds that one gone */
        if (first != NG_NO_SLAB)
            return first;
    }
    if (first == NG_NO_SLAB && (first = ng_arena_bump(n, align)) == NG_NO_SLAB)
        return NG_NO_SLAB;
    if (filled > from)
        fill(first, from, filled);
    if (filled < bytes)
        ng_filled_watch(first, bytes);
    return first;
}

static void *begin(uint32_t first, uint32_t n, size_t bytes) {
    struct ng_slab *s = ng_slab_info(first);
    ng_slab_reset(s);
    s->large_bytes = bytes;
    s->large_slabs = n;
    ng_arena_set_word(first, NGRT_BIN_LARGE);
    note_large(1, (int64_t)bytes);
    return ng_slab_start(first);
}

static void *get(size_t size, size_t align, size_t from, bool *zero) {
    size += size == 0;
    size_t n = slabs_for(size), align_slabs = align <= NG_SLAB_BYTES ? 1 : align >> NGRT_SLAB_SHIFT;
    if (n > ng_arena.slabs || align_slabs > ng_arena.slabs)
        return NULL;
    uint32_t first = find_slabs((uint32_t)n, (uint32_t)align_slabs, from, usable_for(size), zero);
    return first == NG_NO_SLAB ? NULL : begin(first, (uint32_t)n, usable_for(size));
}

void *ng_large_get(size_t size, size_t align, bool zero) {
    bool is_zero;
    void *block = get(size, align, 0, &is_zero);
    if (block != NULL && zero && !is_zero)
        memset(block, 0, size);
    return block;
}

void *ng_large_grown(size_t size) {
    size_t n = slabs_for(size);
    uint32_t slabs = n > ng_arena.slabs ? ng_arena.slabs : (uint32_t)n, first = ng_claim_take_growing(&slabs);
    return first == NG_NO_SLAB ? NULL : begin(first, slabs, usable_for(size));
}

void ng_large_put(void *block) {
    uint32_t first = ng_slab_of(block);
    struct ng_slab *s = ng_slab_info(first);
    bool starts = block == (void *)ng_slab_start(first);
    if (starts && !s->moved)
        ng_filled_end(first, s->large_bytes);
    if (!starts || ng_arena_swap_word(first, 0) != NGRT_BIN_LARGE)
        ng_fatal("free of an address at which no block starts");
    bool dirty = true;
    note_large(-1, -(int64_t)s->large_bytes);
    size_t bytes = (size_t)s->large_slabs << NGRT_SLAB_SHIFT;
    if (s->moved && ng_os_renew(block, bytes)) {
        ng_pages_committed(first, first + s->large_slabs);
        dirty = false;
    }
    ng_arena_free(first, s->large_slabs, dirty);
}

size_t ng_large_usable(const void *block) { return ng_slab_info(ng_slab_of(block))->large_bytes; }

/* Gives the slabs behind the first n back. */
static void shrink(uint32_t first, uint32_t n) {
    struct ng_slab *s = ng_slab_info(first);
    if (n < s->large_slabs) {
        ng_arena_free(first + n, s->large_slabs - n, true);
        s->large_slabs = n;
    }
}

static bool grow_in_place(uint32_t first, uint32_t n, size_t bytes) {
    struct ng_slab *s = ng_slab_info(first);
    bool zero;
    if (!ng_arena_within_limit(n - s->large_slabs))
        return false;
    if (!ng_arena_extend(first + s->large_slabs, n - s->large_slabs, &zero))
        return false;
    if (zero && ng_filled_usually(bytes) && !ng_pressure_near())
        fill(first, (size_t)s->large_slabs << NGRT_SLAB_SHIFT, bytes);
    s->large_slabs = n;
    return true;
}

static void *move(void *block, size_t size) {
    struct ng_slab *s = ng_slab_info(ng_slab_of(block));
    size_t bytes = (size_t)s->large_slabs << NGRT_SLAB_SHIFT;
    if (bytes < MOVE_BYTES)
        return NULL;
    void *to = ng_large_grown(size);
    bool there = to != NULL; /* its pages are in memory already: to move others there would lose them */
    bool zero;
    if (!there && (to = get(size, NG_SLAB_BYTES, bytes, &zero)) == NULL)
        return NULL;
    if (there || !ng_os_move(block, to, bytes)) {
        memcpy(to, block, s->large_bytes);
    } else {
        ng_slab_info(ng_slab_of(to))->moved = 1;
        s->moved = 1; /* so that nobody takes its slabs for dirty */
    }
    ng_large_put(block);
    return to;
}

void *ng_large_resize(void *block, size_t size) {
    uint32_t first = ng_slab_of(block);
    struct ng_slab *s = ng_slab_info(first);
    size_t n = slabs_for(size);
    if (n > ng_arena.slabs)
        return NULL;
    if (n > s->large_slabs && !grow_in_place(first, (uint32_t)n, usable_for(size)))
        return move(block, size);
    if (size < s->large_bytes) /* else there may be more slabs than bytes: those that it grows into */
        shrink(first, (uint32_t)n);
    note_large(0, (int64_t)usable_for(size) - (int64_t)s->large_bytes);
    s->large_bytes = usable_for(size);
    return block;
}
