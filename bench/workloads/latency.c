/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * latency.c: how long does the slowest malloc take?  Ten million calls are timed one by one, as a trading or an audio
 * program meets them: first growth (only malloc, the heap grows), then churn (free and malloc in turn, at random, the
 * heap stays as large).  Takes a few seconds.
 *
 * Durations hold one reading of the clock each; `clock_ns` says what that costs, and the phase `noise` is the same loop
 * without a call, so that interruptions by the machine can be told from the allocator's own.  Lines on stderr:
 *
 *     latency PHASE PERCENTILE NS     PHASE is growth, churn or noise; PERCENTILE is 50 to 99.999, or `worst`
 *     figure growth_p99.99 NS         and the like; figure growth_worst NS; figure clock_ns NS
 *
 * Some processors' counters move in steps (10 ns on AMD's Zen): single durations are no finer than that.
 *
 * Durations are counted in a table of logarithmic steps, each cut into 128 equal parts: percentiles are right to 1 %, the
 * worst one exactly.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
/* lfence: neither the reading before nor the call after may move past it. */
static inline uint64_t ticks(void) {
    _mm_lfence();
    uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
}
#else
static inline uint64_t ticks(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
#endif

enum { PARTS_LOG = 7, PARTS = 1 << PARTS_LOG, CELLS = 64 * PARTS };

struct histogram {
    uint32_t cells[CELLS];
    uint64_t count, worst;
};

static struct histogram growth, churn, noise;

static inline void record(struct histogram *h, uint64_t value) {
    /* Below PARTS each value has a cell; above, the PARTS_LOG bits after the leading one choose it. */
    unsigned shift = value < PARTS ? 0 : 63 - PARTS_LOG - (unsigned)__builtin_clzll(value);
    size_t cell = value < PARTS ? (size_t)value : ((size_t)shift << PARTS_LOG) + (size_t)(value >> shift);
    h->cells[cell]++;
    h->count++;
    if (value > h->worst)
        h->worst = value;
}

/* The middle of the cell in which the percentile lies. */
static double percentile(const struct histogram *h, double percent) {
    double wanted = percent / 100 * (double)h->count, seen = 0;
    for (size_t cell = 0; cell < CELLS; cell++) {
        seen += h->cells[cell];
        if (seen < wanted || h->cells[cell] == 0)
            continue;
        if (cell >> PARTS_LOG < 2)
            return (double)cell;
        size_t shift = (cell >> PARTS_LOG) - 1;
        double low = (double)((uint64_t)(PARTS + cell % PARTS) << shift);
        return low + (double)((uint64_t)1 << shift) / 2;
    }
    return (double)h->worst;
}

/* ns of a tick, over 50 ms. */
static double tick_ns(void) {
    double start = workload_now(), now = start;
    uint64_t first = ticks();
    while (now - start < 0.05)
        now = workload_now();
    return (now - start) * 1e9 / (double)(ticks() - first);
}

/* ns of one reading: the fastest of some batches.  Single durations cannot say it where the counter moves in steps. */
static double clock_cost(void) {
    enum { BATCHES = 100, READINGS = 1000 };
    double fastest = 1e9;
    for (size_t b = 0; b < BATCHES; b++) {
        double start = workload_now();
        for (size_t i = 0; i < READINGS; i++)
            ticks();
        double ns = (workload_now() - start) * 1e9 / READINGS;
        if (ns < fastest)
            fastest = ns;
    }
    return fastest;
}

static void measure_noise(size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t start = ticks();
        record(&noise, ticks() - start);
    }
}

static void *timed_make(struct histogram *h, uint64_t tag) {
    size_t size = size_of(tag);
    uint64_t start = ticks();
    void *block = escape(malloc(size));
    record(h, ticks() - start);
    fill_block(checked(block), size, tag);
    return block;
}

static uint64_t timed_drop(struct histogram *h, void *block) {
    uint64_t tag = check_block(block, size_of(tag_of(block)));
    uint64_t start = ticks();
    free(block);
    record(h, ticks() - start);
    return mixed(tag);
}

static void report(const char *phase, const struct histogram *h, double ns) {
    static const double percents[] = {50, 90, 99, 99.9, 99.99, 99.999};
    char name[64];
    for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
        double value = percentile(h, percents[i]) * ns;
        fprintf(stderr, "latency %s %g %.1f\n", phase, percents[i], value);
        snprintf(name, sizeof(name), "%s_p%g", phase, percents[i]);
        workload_figure(name, value);
    }
    fprintf(stderr, "latency %s worst %.1f\n", phase, (double)h->worst * ns);
    snprintf(name, sizeof(name), "%s_worst", phase);
    workload_figure(name, (double)h->worst * ns);
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 1, 0);
    size_t live = workload_scaled(&w, 2000000), turns = workload_scaled(&w, 4000000);
    void **blocks = checked(malloc(live * sizeof(void *)));
    memset(blocks, 0, live * sizeof(void *)); /* its pages are not to be faulted in between */
    uint64_t state = seed_of(5), sum = 0;
    double ns = tick_ns();
    measure_noise(live);
    for (size_t i = 0; i < live; i++)
        blocks[i] = timed_make(&growth, next_random(&state));
    for (size_t i = 0; i < turns; i++) {
        uint64_t r = next_random(&state);
        size_t at = place_of(r, live);
        sum += timed_drop(&churn, blocks[at]);
        blocks[at] = timed_make(&churn, r);
    }
    for (size_t i = 0; i < live; i++)
        sum += drop_block(blocks[i]);
    free(blocks);
    report("growth", &growth, ns);
    report("churn", &churn, ns);
    report("noise", &noise, ns);
    workload_figure("clock_ns", clock_cost());
    workload_checksum(sum);
    return 0;
}
