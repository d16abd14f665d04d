/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_park.c: the room parks while threads put words on their rings and wake it.
 *
 * Holds: the room never sleeps while a word waits on a ring and no wake-up is on its way; each sleep is ended by one
 * system call at most.  A room that sleeps for ever is what the explorer reports.
 */
#define NG_RING_SLOTS 2u
#include "explore.h"

#include "channel/park.h"
#include "channel/ring.h"

enum { RINGS = 2 };

static struct {
    struct ng_park park;
    struct ng_ring ring[RINGS];
    uint64_t words, taken; /* to come in all; taken by the room */
    uint64_t parks;        /* by the room */
    uint64_t wakes[RINGS]; /* system calls of each thread */
    ng_atomic mark;        /* work that is no word on a ring */
} s;

static void name_all(void) {
    model_name(&s.park.word, "park");
    model_name(&s.mark, "mark");
    for (int i = 0; i < RINGS; i++) {
        model_name(&s.ring[i].head, "head[%d]", i);
        model_name(&s.ring[i].tail, "tail[%d]", i);
        model_name(&s.ring[i].slot[0], "slot[%d][0]", i);
        model_name(&s.ring[i].slot[1], "slot[%d][1]", i);
    }
    ng_store(&s.park.word, NG_AWAKE, NG_RELAXED);
}

static void setup_1(void) {
    name_all();
    s.words = 1;
}

static void setup_2(void) {
    name_all();
    s.words = 2;
}

static void put_and_wake(int i) {
    MODEL_CHECK(ng_ring_put(&s.ring[i], 1), "the ring is full");
    if (ng_park_wake(&s.park)) {
        s.wakes[i]++;
        model_futex_wake(&s.park.word);
    }
}

static void put_one_0(void) { put_and_wake(0); }
static void put_one_1(void) { put_and_wake(1); }
static void put_two_0(void) {
    put_and_wake(0);
    put_and_wake(0);
}

static bool rings_wait(void) { return ng_ring_waiting(&s.ring[0]) || ng_ring_waiting(&s.ring[1]); }

static void serve_rings(void) {
    uint64_t w;
    for (int i = 0; i < RINGS; i++)
        while (ng_ring_take(&s.ring[i], &w))
            s.taken++;
}

/* The room's loop, without its spinning: it parks as soon as it finds nothing. */
static void room(void) {
    for (;;) {
        serve_rings();
        if (s.taken == s.words)
            return;
        s.parks++;
        ng_park_begin(&s.park);
        if (!rings_wait())
            model_futex_wait(&s.park.word, NG_PARKED);
        ng_park_end(&s.park);
    }
}

/* Work without a ring, and a look at the parking word that costs no read-modify-write: only right after a full fence. */
static void mark_and_wake(void) {
    ng_store(&s.mark, 1, NG_RELAXED);
    ng_fence();
    if (ng_park_state(&s.park) == NG_PARKED && ng_park_wake(&s.park))
        model_futex_wake(&s.park.word);
}

/* Ends the room: it must see the mark, or not sleep, or be woken. */
static void mark_and_stop(void) {
    ng_store(&s.mark, 1, NG_RELAXED);
    ng_fence();
    ng_park_end(&s.park);
    model_futex_wake(&s.park.word);
}

static void room_until_mark(void) {
    while (ng_load(&s.mark, NG_RELAXED) == 0) {
        ng_park_begin(&s.park);
        if (ng_load(&s.mark, NG_RELAXED) == 0)
            model_futex_wait(&s.park.word, NG_PARKED);
        ng_park_end(&s.park);
    }
}

static void finish(void) {
    MODEL_CHECK(s.taken == s.words, "%u words of %u", (unsigned)s.taken, (unsigned)s.words);
    MODEL_CHECK(s.wakes[0] + s.wakes[1] <= s.parks, "%u system calls to end %u sleeps",
                (unsigned)(s.wakes[0] + s.wakes[1]), (unsigned)s.parks);
}

int main(int argc, char **argv) {
    static const struct model_scenario scenarios[] = {
        {"park: 1 word", &s, sizeof(s), setup_1, {{"room", room}, {"thread", put_one_0}}, finish},
        {"park: 2 words of 1 thread", &s, sizeof(s), setup_2, {{"room", room}, {"thread", put_two_0}}, finish},
        {"park: 1 word each of 2 threads",
         &s,
         sizeof(s),
         setup_2,
         {{"room", room}, {"thread 1", put_one_0}, {"thread 2", put_one_1}},
         finish},
        {"park: a mark, looked at cheaply",
         &s,
         sizeof(s),
         name_all,
         {{"room", room_until_mark}, {"thread", mark_and_wake}},
         NULL},
        {"park: stop", &s, sizeof(s), name_all, {{"room", room_until_mark}, {"stopper", mark_and_stop}}, NULL},
        {.name = NULL},
    };
    static const struct model_harmless harmless[] = {
        {"ng_ring_waiting: load &r->head ACQUIRE -> RELAXED",
         "who sees that a word waits must take it to read it, and take acquires head itself"},
        {"ng_ring_take: store &r->tail RELEASE -> RELAXED", "no ring is full here; scenario_ring finds it"},
        {.mutant = NULL},
    };
    static const struct model_suite suite = {.scenario = scenarios, .harmless = harmless, .extra = MODEL_NO_COMPARE};
    return model_main(&suite, argc, argv);
}
