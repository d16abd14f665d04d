/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * scenario_litmus.c: the checker checked, on the known litmus tests of weak memory.
 *
 * For each one: exactly the outcomes that RC11 allows (without load buffering, see docs/model.md); and the reduction
 * finds the same executions as the enumeration of every interleaving, each of them once.
 */
#include "explore.h"

#include "channel/inbox.h"
#include "channel/key.h"
#include "channel/park.h"
#include "channel/ring.h"
#include "channel/stack.h"
#include <stdio.h>
#include <string.h>

static struct {
    ng_atomic x, y, z;
    uint64_t r[4]; /* what the threads read; each element has one writer */
    uint64_t data;
    struct ng_key key;
    struct ng_ring ring;
    struct ng_inbox inbox;
    ng_atomic next[2]; /* of magazines */
    struct ng_stack stack;
    ng_atomic link[3];
    struct ng_park park;
} s;

/* Outcomes are written as decimal digits, the first variable first. */
enum { MAX_OUTCOMES = 64 };
static unsigned outcome[MAX_OUTCOMES];
static int outcomes;

static void add_outcome(unsigned o) {
    for (int i = 0; i < outcomes; i++)
        if (outcome[i] == o)
            return;
    if (outcomes < MAX_OUTCOMES)
        outcome[outcomes++] = o;
}

static unsigned digits(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return (unsigned)(1000 * a + 100 * b + 10 * c + d);
}
static void end_r2(void) { add_outcome(digits(0, 0, s.r[0], s.r[1])); }
static void end_r3(void) { add_outcome(digits(0, s.r[0], s.r[1], s.r[2])); }
static void end_r4(void) { add_outcome(digits(s.r[0], s.r[1], s.r[2], s.r[3])); }
static void end_xy(void) { add_outcome(digits(0, 0, ng_load(&s.x, NG_RELAXED), ng_load(&s.y, NG_RELAXED))); }
static void end_r2x(void) { add_outcome(digits(0, s.r[0], s.r[1], ng_load(&s.x, NG_RELAXED))); }
static void end_r1x(void) { add_outcome(digits(0, 0, s.r[0], ng_load(&s.x, NG_RELAXED))); }
static void end_r1y(void) { add_outcome(digits(0, 0, s.r[0], ng_load(&s.y, NG_RELAXED))); }

#define READ(i, a, order) (s.r[i] = ng_load(&s.a, NG_##order))
#define WRITE(a, v, order) ng_store(&s.a, v, NG_##order)
#define CODE(name, ...)                                                                                                \
    static void name(void) { __VA_ARGS__; }

CODE(sb_0, WRITE(x, 1, RELAXED); READ(0, y, RELAXED))
CODE(sb_1, WRITE(y, 1, RELAXED); READ(1, x, RELAXED))
CODE(sb_fence_0, WRITE(x, 1, RELAXED); ng_fence(); READ(0, y, RELAXED))
CODE(sb_fence_1, WRITE(y, 1, RELAXED); ng_fence(); READ(1, x, RELAXED))
CODE(mp_0, WRITE(x, 1, RELAXED); WRITE(y, 1, RELEASE))
CODE(mp_1, READ(0, y, ACQUIRE); READ(1, x, RELAXED))
CODE(mp_relaxed_0, WRITE(x, 1, RELAXED); WRITE(y, 1, RELAXED))
CODE(mp_relaxed_1, READ(0, y, RELAXED); READ(1, x, RELAXED))
CODE(mp_fence_0, WRITE(x, 1, RELAXED); ng_fence(); WRITE(y, 1, RELAXED))
CODE(mp_fence_1, READ(0, y, RELAXED); ng_fence(); READ(1, x, RELAXED))
CODE(lb_0, READ(0, x, RELAXED); WRITE(y, 1, RELAXED))
CODE(lb_1, READ(1, y, RELAXED); WRITE(x, 1, RELAXED))
CODE(set_x, WRITE(x, 1, RELAXED))
CODE(set_y, WRITE(y, 1, RELAXED))
CODE(iriw_0, READ(0, x, ACQUIRE); READ(1, y, ACQUIRE))
CODE(iriw_1, READ(2, y, ACQUIRE); READ(3, x, ACQUIRE))
CODE(iriw_fence_0, READ(0, x, RELAXED); ng_fence(); READ(1, y, RELAXED))
CODE(iriw_fence_1, READ(2, y, RELAXED); ng_fence(); READ(3, x, RELAXED))
CODE(ww_0, WRITE(x, 1, RELAXED); WRITE(y, 2, RELAXED))
CODE(ww_1, WRITE(y, 1, RELAXED); WRITE(x, 2, RELAXED))
CODE(ww_fence_0, WRITE(x, 1, RELAXED); ng_fence(); WRITE(y, 2, RELAXED))
CODE(ww_fence_1, WRITE(y, 1, RELAXED); ng_fence(); WRITE(x, 2, RELAXED))
CODE(corr_0, WRITE(x, 1, RELAXED); WRITE(x, 2, RELAXED))
CODE(corr_1, READ(0, x, RELAXED); READ(1, x, RELAXED))
CODE(corw_0, READ(0, x, RELAXED); WRITE(x, 1, RELAXED))
CODE(corw_1, WRITE(x, 2, RELAXED))
CODE(r_0, WRITE(x, 1, RELAXED); WRITE(y, 1, RELAXED))
CODE(r_1, WRITE(y, 2, RELAXED); READ(0, x, RELAXED))
CODE(r_fence_0, WRITE(x, 1, RELAXED); ng_fence(); WRITE(y, 1, RELAXED))
CODE(r_fence_1, WRITE(y, 2, RELAXED); ng_fence(); READ(0, x, RELAXED))
CODE(wrc_1, READ(0, x, ACQUIRE); WRITE(y, 1, RELEASE))
CODE(wrc_2, READ(1, y, ACQUIRE); READ(2, x, RELAXED))
CODE(wrc_relaxed_1, READ(0, x, ACQUIRE); WRITE(y, 1, RELAXED))
CODE(wrc_read_1, READ(0, x, RELAXED); WRITE(y, 1, RELEASE))
CODE(add_0, s.r[0] = ng_add(&s.x, 1, NG_RELAXED))
CODE(add_1, s.r[1] = ng_add(&s.x, 1, NG_RELAXED))
CODE(seq_0, WRITE(x, 1, RELAXED); WRITE(y, 1, RELEASE))
CODE(seq_1, (void)ng_add(&s.y, 1, NG_RELAXED))
CODE(seq_store_0, WRITE(x, 1, RELAXED); WRITE(y, 1, RELEASE); WRITE(y, 2, RELAXED))

static void cas(int i) {
    uint64_t seen = 0;
    s.r[i] = ng_cas(&s.x, &seen, 1, NG_RELAXED);
}
CODE(cas_0, cas(0))
CODE(cas_1, cas(1))

/* Code of the channel, small enough to enumerate every interleaving of it. */
static void lock_and_add(void) {
    if (!ng_key_try(&s.key))
        return;
    ng_data_write(&s.data, ng_data_read(&s.data) + 1);
    ng_key_leave(&s.key);
}
static void end_data(void) { add_outcome((unsigned)s.data); }
CODE(put_two, (void)ng_ring_put(&s.ring, 1); (void)ng_ring_put(&s.ring, 2))
static void take_two(void) {
    for (int i = 0; i < 2; i++)
        if (!ng_ring_take(&s.ring, &s.r[i]))
            s.r[i] = 0;
}
CODE(put_0, ng_inbox_put(&s.inbox, &s.next[0]))
CODE(put_1, ng_inbox_put(&s.inbox, &s.next[1]))
static uint64_t number_of(const ng_atomic *next) { return next == NULL ? 0 : (uint64_t)(next - s.next) + 1; }
static void take_inbox(void) {
    const ng_atomic *first = ng_inbox_take(&s.inbox);
    s.r[0] = number_of(first);
    if (first != NULL)
        s.r[1] = number_of((const ng_atomic *)(uintptr_t)ng_load(first, NG_RELAXED));
}

static ng_atomic *link_of(uint32_t number) { return &s.link[number]; }
static void push_1(void) { ng_stack_push(&s.stack, 1, &s.link[1]); }
static void pop_0(void) { s.r[0] = ng_stack_pop(&s.stack, link_of); }
static void push_2_pop(void) {
    ng_stack_push(&s.stack, 2, &s.link[2]);
    s.r[1] = ng_stack_pop(&s.stack, link_of);
}

/* One look, one sleep; a wake-up alone orders nothing, so r[0] may still be 0. */
static void park_once(void) {
    ng_park_begin(&s.park);
    if (ng_load(&s.x, NG_RELAXED) == 0)
        model_futex_wait(&s.park.word, NG_PARKED);
    ng_park_end(&s.park);
    s.r[0] = ng_load(&s.x, NG_RELAXED);
}
static void wake_once(void) {
    ng_store(&s.x, 1, NG_RELAXED);
    s.r[1] = ng_park_wake(&s.park);
    if (s.r[1])
        model_futex_wake(&s.park.word);
}

static const struct {
    const char *name;
    void (*thread[MODEL_MAX_THREADS])(void);
    void (*finish)(void);
    const char *allowed; /* outcomes */
} litmus[] = {
    {"store buffering", {sb_0, sb_1}, end_r2, "0 1 10 11"},
    {"store buffering, fences", {sb_fence_0, sb_fence_1}, end_r2, "1 10 11"},
    {"store buffering, one fence", {sb_fence_0, sb_1}, end_r2, "0 1 10 11"},
    {"message passing", {mp_0, mp_1}, end_r2, "0 1 11"},
    {"message passing, store relaxed", {mp_relaxed_0, mp_1}, end_r2, "0 1 10 11"},
    {"message passing, load relaxed", {mp_0, mp_relaxed_1}, end_r2, "0 1 10 11"},
    {"message passing, fences", {mp_fence_0, mp_fence_1}, end_r2, "0 1 11"},
    {"message passing, release to a fence", {mp_0, mp_fence_1}, end_r2, "0 1 11"},
    {"message passing, a fence to acquire", {mp_fence_0, mp_1}, end_r2, "0 1 11"},
    {"message passing, one fence", {mp_fence_0, mp_relaxed_1}, end_r2, "0 1 10 11"},
    {"load buffering (not modelled)", {lb_0, lb_1}, end_r2, "0 1 10"},
    {"two writers, two readers",
     {set_x, set_y, iriw_0, iriw_1},
     end_r4,
     "0 1 10 11 100 101 110 111 1000 1001 1010 1011 1100 1101 1110 1111"},
    {"two writers, two readers, fences",
     {set_x, set_y, iriw_fence_0, iriw_fence_1},
     end_r4,
     "0 1 10 11 100 101 110 111 1000 1001 1011 1100 1101 1110 1111"},
    {"two writers each", {ww_0, ww_1}, end_xy, "11 12 21 22"},
    {"two writers each, fences", {ww_fence_0, ww_fence_1}, end_xy, "12 21 22"},
    {"coherence of reads", {corr_0, corr_1}, end_r2, "0 1 2 11 12 22"},
    {"coherence of a read and a write", {corw_0, corw_1}, end_r1x, "1 2 21"},
    {"write, write, read", {r_0, r_1}, end_r1y, "1 2 11 12"},
    {"write, write, read, fences", {r_fence_0, r_fence_1}, end_r1y, "1 11 12"},
    {"causality through a third", {set_x, wrc_1, wrc_2}, end_r3, "0 1 10 11 100 101 111"},
    {"causality through a third, relaxed", {set_x, wrc_relaxed_1, wrc_2}, end_r3, "0 1 10 11 100 101 110 111"},
    {"causality through a third that only read", {set_x, wrc_read_1, wrc_2}, end_r3, "0 1 10 11 100 101 111"},
    {"two additions", {add_0, add_1}, end_r2x, "12 102"},
    {"an addition and a store", {add_0, corw_1}, end_r1x, "2 23"},
    {"release passed on by an addition", {seq_0, seq_1, mp_1}, end_r2, "0 1 10 11 21"},
    {"release not passed on by a store", {seq_store_0, mp_1}, end_r2, "0 1 11 20 21"},
    {"two compare-and-swaps", {cas_0, cas_1}, end_r2, "1 10"},
    {"the key, two threads", {lock_and_add, lock_and_add}, end_data, "1 2"},
    {"the ring, two words", {put_two, take_two}, end_r2, "0 1 10 12"},
    {"the inbox, two magazines", {put_0, put_1, take_inbox}, end_r2, "0 10 12 20 21"},
    {"the stack, two things", {push_1, push_2_pop, pop_0}, end_r2, "1 2 12 20 21"},
    {"parking", {park_once, wake_once}, end_r2, "1 10 11"},
};

static bool outcomes_are(const char *allowed) {
    int count = 0, length = 0;
    unsigned o;
    for (const char *at = allowed; sscanf(at, "%u%n", &o, &length) == 1; at += length, count++) {
        int i = 0;
        while (i < outcomes && outcome[i] != o)
            i++;
        if (i == outcomes)
            return false;
    }
    return count == outcomes;
}

static bool check(size_t i) {
    struct model_scenario scenario = {.name = litmus[i].name, .state = &s, .state_bytes = sizeof(s)};
    static const char *const thread_names[MODEL_MAX_THREADS] = {"1", "2", "3", "4"};
    struct model_result result[2];
    bool right = true;
    for (int t = 0; t < MODEL_MAX_THREADS; t++) {
        scenario.thread[t].name = thread_names[t];
        scenario.thread[t].run = litmus[i].thread[t];
    }
    scenario.finish = litmus[i].finish;
    for (int every = 0; every < 2; every++) {
        outcomes = 0;
        result[every] = model_explore(&scenario, every ? MODEL_EVERY : MODEL_REDUCED, true);
        if (result[every].failed)
            model_print_error();
        right = right && !result[every].failed && outcomes_are(litmus[i].allowed);
    }
    right = right && result[0].executions == result[0].distinct && result[0].digest == result[1].digest;
    printf("%-5s %s: %llu executions, %llu interleavings, %llu distinct of both", right ? "ok" : "WRONG",
           litmus[i].name, (unsigned long long)result[0].executions, (unsigned long long)result[1].executions,
           (unsigned long long)result[1].distinct);
    if (!right) {
        printf(" (%llu of the reduction); allowed %s, seen", (unsigned long long)result[0].distinct, litmus[i].allowed);
        for (int o = 0; o < outcomes; o++)
            printf(" %u", outcome[o]);
    }
    printf("\n");
    return right;
}

int main(void) {
    int wrong = 0;
    for (size_t i = 0; i < sizeof(litmus) / sizeof(litmus[0]); i++)
        wrong += !check(i);
    printf("litmus tests: %d wrong\n", wrong);
    return wrong != 0;
}
