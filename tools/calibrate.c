/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * calibrate.c: see calibrate.h.  Each figure is the least of several rounds: what the machine can do, not what other
 * programs let it do.
 */
#include "calibrate.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE = 64,
    ROUNDS = 5,
    TRIPS = 2000,
    SPINS = 20000,
    ADDS = 500000,
    LOADS = 1 << 18,
    PAGE = 4096,
    HUGE = 2 << 20,
    FAULT_BYTES = 16 << 20,
    CORES_MAX = 64
};

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* The least of ROUNDS measurements. */
static double least(double (*measure)(size_t), size_t argument) {
    double best = 1e300;
    for (int i = 0; i < ROUNDS; ++i) {
        double one = measure(argument);
        best = one < best ? one : best;
    }
    return best;
}

/* ---- one core ---- */

/* Additions that wait for each other: one cycle each, so that nanoseconds become cycles. */
static double cycle_ns(size_t unused) {
    uint64_t x = unused, begin = now_ns();
    for (int i = 0; i < ADDS; ++i) {
        x += (uint64_t)i;
        __asm__ volatile("" : "+r"(x));
    }
    return (double)(now_ns() - begin) / ADDS;
}

static double atomic_ns(size_t unused) {
    static uint64_t word;
    (void)unused;
    uint64_t begin = now_ns();
    for (int i = 0; i < ADDS; ++i)
        __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
    return (double)(now_ns() - begin) / ADDS;
}

/* ---- memory ---- */

static void *map(size_t bytes, int advice) {
    char *p = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t skip = (HUGE - (uintptr_t)p % HUGE) % HUGE;
    madvise(p + skip, bytes, advice);
    return p + skip;
}

/* Lines of a range, each with the address of the next one, in random order; NULL without memory. */
static void **chain_lines(char *base, size_t n) {
    uint32_t *order = n != 0 ? calloc(n, sizeof *order) : NULL;
    uint64_t random = 88172645463325252ULL;
    if (order == NULL)
        return NULL;
    for (size_t i = 0; i < n; ++i)
        order[i] = (uint32_t)i;
    for (size_t i = n - 1; i > 0; --i) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t k = random % (i + 1);
        uint32_t t = order[i];
        order[i] = order[k], order[k] = t;
    }
    for (size_t i = 0; i < n; ++i)
        *(void **)(void *)(base + (size_t)order[i] * LINE) = base + (size_t)order[(i + 1) % n] * LINE;
    free(order);
    return (void **)(void *)base;
}

/* One load after the other, each of which knows where the next one goes, over so many bytes; 0 without memory. */
static double load_ns(size_t bytes) {
    char *base = map(bytes, MADV_HUGEPAGE);
    void **at = base != NULL ? chain_lines(base, bytes / LINE) : NULL;
    double best = at != NULL ? 1e300 : 0;
    for (size_t i = 0; at != NULL && i < bytes / LINE; ++i)
        at = *at;
    for (int round = 0; at != NULL && round < ROUNDS; ++round) {
        uint64_t begin = now_ns();
        for (int i = 0; i < LOADS; ++i)
            at = *at;
        __asm__ volatile("" : "+r"(at));
        double took = (double)(now_ns() - begin) / LOADS;
        best = took < best ? took : best;
    }
    if (base != NULL)
        munmap(base, bytes);
    return best;
}

static double fault_ns(size_t step) {
    char *p = map(FAULT_BYTES, step == HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    if (p == NULL)
        return 0;
    uint64_t begin = now_ns();
    for (size_t i = 0; i < FAULT_BYTES; i += step)
        ((volatile char *)p)[i] = 1;
    size_t pages = FAULT_BYTES / step;
    double took = pages != 0 ? (double)(now_ns() - begin) / (double)pages : 0;
    munmap(p, FAULT_BYTES);
    return took;
}

/* Bytes of a cache by the system's word, or what is usual. */
static size_t cache_bytes(int name, size_t usual) {
    long bytes = sysconf(name);
    return bytes > 0 ? (size_t)bytes : usual;
}

/* ---- two cores ---- */

static struct {
    _Alignas(LINE) uint64_t ball;
    int core[2];
    bool pinned;
} court;

static bool pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

/* Spins until the other side has the ball back; where something else has its core, gives way to it. */
static void wait_for(uint64_t ball) {
    for (unsigned spins = 1; __atomic_load_n(&court.ball, __ATOMIC_ACQUIRE) != ball; ++spins)
        if (spins % SPINS == 0)
            sched_yield();
}

static void *answer(void *unused) {
    (void)unused;
    court.pinned = pin(court.core[1]);
    for (uint64_t i = 0; i < TRIPS; ++i) {
        wait_for(2 * i + 1);
        __atomic_store_n(&court.ball, 2 * i + 2, __ATOMIC_RELEASE);
    }
    return NULL;
}

static double trip_ns(size_t unused) {
    pthread_t other;
    (void)unused;
    court.ball = 0;
    if (pthread_create(&other, NULL, answer, NULL) != 0)
        return 0;
    uint64_t begin = 0;
    for (uint64_t i = 0; i < TRIPS; ++i) {
        __atomic_store_n(&court.ball, 2 * i + 1, __ATOMIC_RELEASE);
        wait_for(2 * i + 2);
        if (i == TRIPS / 10)
            begin = now_ns(); /* both are there */
    }
    double took = (double)(now_ns() - begin) / (TRIPS - TRIPS / 10.0 - 1);
    pthread_join(other, NULL);
    return took;
}

/* Every pair of cores; the middle one of all figures, or 0 with one core. */
static double round_trips(void) {
    cpu_set_t all;
    int core[CORES_MAX], n = 0, pairs = 0;
    static double taken[CORES_MAX * CORES_MAX];
    sched_getaffinity(0, sizeof all, &all);
    for (int i = 0; i < CPU_SETSIZE && n < CORES_MAX; ++i)
        if (CPU_ISSET(i, &all))
            core[n++] = i;
    for (int a = 0; a < n; ++a)
        for (int b = a + 1; b < n; ++b) {
            court.core[0] = core[a], court.core[1] = core[b];
            if (!pin(core[a]))
                continue;
            double one = least(trip_ns, 0);
            printf("# round_trip_ns between %d and %d = %.1f\n", core[a], core[b], one);
            int at = pairs++;
            for (; at > 0 && taken[at - 1] > one; --at)
                taken[at] = taken[at - 1];
            taken[at] = one;
        }
    sched_setaffinity(0, sizeof all, &all);
    return pairs > 0 ? taken[pairs / 2] : 0;
}

int ng_calibrate(void) {
    double cycle = least(cycle_ns, 0);
    size_t l1 = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10), l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 1 << 20);
    size_t llc = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 32 << 20);
    puts("# written by ng-model --calibrate");
    double in_l1 = load_ns(l1 / 2), in_l2 = load_ns(l2 / 2), in_llc = load_ns(llc / 8);
    double in_memory = load_ns(llc * 2);
    if (in_memory == 0 || cycle <= 0) {
        fprintf(stderr, "ng-model: cannot map %zu bytes to measure memory: %s\n", llc * 2, strerror(errno));
        return 1;
    }
    printf("ghz = %.3f\n", 1 / cycle);
    printf("atomic_cycles = %.1f\n", least(atomic_ns, 0) / cycle);
    printf("# a load from L1, L2, the last level, memory, in cycles: %.1f %.1f %.1f %.1f\n", in_l1 / cycle,
           in_l2 / cycle, in_llc / cycle, in_memory / cycle);
    printf("# a miss of L1 that L2 has costs %.1f cycles, one of L2 that the last level has %.1f\n",
           (in_l2 - in_l1) / cycle, (in_llc - in_l1) / cycle);
    printf("miss_cycles = %.1f\n", (in_memory - in_l1) / cycle);
    printf("fault_small_ns = %.1f\n", least(fault_ns, PAGE));
    printf("fault_huge_ns = %.1f\n", least(fault_ns, HUGE));
    double trip = round_trips();
    if (trip > 0)
        printf("round_trip_ns = %.1f\n", trip);
    printf("cpus = %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    return 0;
}
