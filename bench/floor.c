/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * floor.c: what a program would take if memory cost nothing: preloaded behind an allocator, it faults in as much as the
 * program will need before main, and says what that took, so that it can be left out.  engine.py does.
 *
 *     NGRT_BENCH_FLOOR_MIB      how much
 *     NGRT_BENCH_FLOOR_REPORT   where to write "elapsed NS", "user NS", "system NS", "faults N", a line each
 *
 * The allocator must keep what is freed (NGRT_DECAY=never).
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BLOCK = 1 << 20 };

static long long elapsed(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long nanoseconds(struct timeval t) { return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL; }

static void touch(size_t blocks) {
    char **block = calloc(blocks, sizeof(*block));
    for (size_t i = 0; block && i < blocks && (block[i] = malloc(BLOCK)); i++)
        memset(block[i], 1, BLOCK);
    for (size_t i = 0; block && i < blocks; i++)
        free(block[i]);
    free(block);
}

__attribute__((constructor)) static void fault_in(void) {
    const char *mib = getenv("NGRT_BENCH_FLOOR_MIB"), *path = getenv("NGRT_BENCH_FLOOR_REPORT");
    if (!mib || !path)
        return;
    unsetenv("NGRT_BENCH_FLOOR_MIB"); /* children need as much time as they need */
    struct rusage before, after;
    long long start = elapsed();
    getrusage(RUSAGE_SELF, &before);
    touch(strtoul(mib, NULL, 10));
    getrusage(RUSAGE_SELF, &after);
    FILE *report = fopen(path, "w");
    if (!report)
        return;
    fprintf(report, "elapsed %lld\nuser %lld\nsystem %lld\nfaults %ld\n", elapsed() - start,
            nanoseconds(after.ru_utime) - nanoseconds(before.ru_utime),
            nanoseconds(after.ru_stime) - nanoseconds(before.ru_stime), after.ru_minflt - before.ru_minflt);
    fclose(report);
}
