/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * filled.c: see filled.h.
 *
 * A buffer that doubles has one block of each octave, so the two octaves below count too: what was filled there says that up to
 * four times as much will be, and no more.
 */
#include "room/filled.h"

#include "channel/atomic.h"
#include "os/cgroup.h"
#include "os/os.h"
#include "room/arena.h"

enum {
    LEAST_SHIFT = 15,
    OCTAVES = 10, /* the last: from 16 MiB on */
    BELOW = 2,
    JUDGE_AFTER = 2, /* blocks later */
    WATCH_EVERY =
        16,      /* blocks, while they are filled: one is left to the program, to see whether it still fills them */
    TRUSTED = 2, /* watched blocks that were full */
    MISSING_PART = 16,
    MOST_PAGES = 512, /* of more than so many some are looked at */
    LOOKS = 8,
};

/* watched: pages << 32 | first slab + 1; 0: none.  full: watched blocks in a row.  broken: the last one was not. */
struct octave {
    ng_atomic watched, since, full, broken;
};

static struct octave octaves[OCTAVES];

static unsigned octave_of(size_t bytes) {
    unsigned shift = bytes >> LEAST_SHIFT == 0 ? 0 : 63u - (unsigned)__builtin_clzll(bytes >> LEAST_SHIFT);
    return shift < OCTAVES ? shift : OCTAVES - 1;
}

static bool is_full(char *start, size_t pages) {
    if (pages <= MOST_PAGES)
        return (pages - ng_os_present(start, pages)) * MISSING_PART <= pages;
    for (size_t i = 0; i < LOOKS; i++)
        if (ng_os_present(start + (2 * i + 1) * pages / (size_t)(2 * LOOKS) * ng_os_page(), 1) == 0)
            return false;
    return true;
}

static bool is_gone(uint32_t slab) { return ng_arena_word(ng_slab_start(slab)) == 0; }

unsigned ng_filled_judge(uint32_t slab, size_t pages, unsigned in_a_row) {
    return is_gone(slab) ? in_a_row : is_full(ng_slab_start(slab), pages) ? in_a_row + 1 : 0;
}

/* If there is a watched one. */
static void judge(struct octave *o) {
    uint64_t block = ng_swap(&o->watched, 0, NG_RELAXED);
    uint32_t slab = (uint32_t)block - 1;
    if (block == 0 || is_gone(slab) || !ng_os_may_open())
        return;
    bool full = is_full(ng_slab_start(slab), (size_t)(block >> 32));
    ng_store(&o->full, full ? ng_load(&o->full, NG_RELAXED) + 1 : 0, NG_RELAXED);
    ng_store(&o->broken, !full, NG_RELAXED);
}

bool ng_filled_usually(size_t bytes) {
    unsigned at = octave_of(bytes);
    uint64_t full = 0;
    for (unsigned i = at < BELOW ? 0 : at - BELOW; i <= at; i++)
        full += ng_load(&octaves[i].full, NG_RELAXED);
    return full >= TRUSTED && ng_load(&octaves[at].broken, NG_RELAXED) == 0;
}

/* A buffer that doubles begins with what filled the one before. */
static bool half_fills(unsigned at) {
    return at > 0 && ng_load(&octaves[at - 1].full, NG_RELAXED) != 0 && ng_load(&octaves[at].broken, NG_RELAXED) == 0;
}

size_t ng_filled_next(size_t bytes) {
    unsigned at = octave_of(bytes);
    uint64_t since = ng_add(&octaves[at].since, 1, NG_RELAXED);
    if (at > 0)
        judge(&octaves[at - 1]);
    if (since >= JUDGE_AFTER)
        judge(&octaves[at]);
    if (since >= WATCH_EVERY)
        return 0;
    return ng_filled_usually(bytes) ? bytes : half_fills(at) ? bytes / 2 / ng_os_page() * ng_os_page() : 0;
}

void ng_filled_watch(uint32_t slab, size_t bytes) {
    struct octave *o = &octaves[octave_of(bytes)];
    uint64_t pages = bytes / ng_os_page();
    if (pages >> 31 != 0 || ng_load(&o->watched, NG_RELAXED) != 0)
        return;
    ng_store(&o->since, 0, NG_RELAXED);
    ng_store(&o->watched, pages << 32 | (slab + 1), NG_RELAXED);
}

void ng_filled_end(uint32_t slab, size_t bytes) {
    struct octave *o = &octaves[octave_of(bytes)];
    if ((uint32_t)ng_load(&o->watched, NG_RELAXED) == slab + 1)
        judge(o);
}
