/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * pressure.c: see pressure.h.
 *
 * Threads without a room look too, one at a time: who moves next_look on may change the rest.
 */
#include "room/pressure.h"

#include "os/os.h"
#include "room/arena.h"

enum {
    LOOK_NS = 1000000000,
    SOONEST_NS = 10000000, /* where the heap grows fast: a look reads a dozen files */
    GROWN_PART = 4,        /* of what was left */
    LASTS_NS = 5 * (uint64_t)LOOK_NS,
    STALLED_US = 10000, /* a hundredth of the time between two looks */
};

static ng_atomic next_look, last_look;
static ng_atomic grown_at; /* slabs in use at which to look before that */
static ng_atomic near;
static ng_atomic short_until;

/* Of the last look; whoever looks. */
static uint64_t stalled_us, events;
static bool seen;

void ng_pressure_in_child(void) {
    ng_store(&next_look, 0, NG_RELAXED);
    ng_store(&last_look, 0, NG_RELAXED);
}

bool ng_pressure_short(void) { return ng_load(&short_until, NG_RELAXED) != 0; }

bool ng_pressure_near(void) { return ng_load(&near, NG_RELAXED) != 0 || ng_pressure_short(); }

static bool is_short(const struct ng_os_memory *m) {
    bool worse = seen && (m->stalled_us >= stalled_us + STALLED_US || m->events > events);
    stalled_us = m->stalled_us;
    events = m->events;
    seen = true;
    return worse;
}

static void note(const struct ng_os_memory *m, uint64_t now) {
    uint64_t slabs = m->left >> NGRT_SLAB_SHIFT;
    ng_store(&grown_at, ng_arena_in_use() + slabs / GROWN_PART + 1, NG_RELAXED);
    ng_store(&near, m->near, NG_RELAXED);
    if (is_short(m))
        ng_store(&short_until, now + LASTS_NS, NG_RELAXED);
    else if (now >= ng_load(&short_until, NG_RELAXED))
        ng_store(&short_until, 0, NG_RELAXED);
}

/* The heap has grown by much of what was left, or nobody has looked at what there is. */
static bool has_grown(uint64_t now) {
    uint64_t last = ng_load(&last_look, NG_RELAXED);
    return last == 0 || (now >= last + SOONEST_NS && ng_arena_in_use() >= ng_load(&grown_at, NG_RELAXED));
}

void ng_pressure_look(uint64_t now) {
    uint64_t next = ng_load(&next_look, NG_ACQUIRE);
    /* While one looks, next_look is at its highest. */
    if (next == UINT64_MAX || (now < next && !has_grown(now)) || !ng_cas(&next_look, &next, UINT64_MAX, NG_ACQUIRE))
        return;
    struct ng_os_memory m = ng_os_memory();
    note(&m, now);
    ng_store(&last_look, now, NG_RELAXED);
    ng_store(&next_look, now + LOOK_NS, NG_RELEASE);
}

void ng_pressure_look_later(uint64_t now) {
    uint64_t next = 0;
    bool first = ng_cas(&next_look, &next, now + LOOK_NS, NG_ACQUIRE);
    if (!first && (ng_load(&last_look, NG_RELAXED) != 0 || now >= next))
        ng_pressure_look(now);
}
