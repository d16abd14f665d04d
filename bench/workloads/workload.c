/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * workload.c: arguments, the clock, and the lines that a workload prints.  Linked into every workload.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

void micro_out_of_memory(void) {
    fputs("workload: out of memory\n", stderr);
    exit(1);
}

void workload_damaged(const void *block, size_t size) {
    fprintf(stderr, "workload: the block of %zu bytes at %p does not hold what was written to it\n", size, block);
    exit(1);
}

void workload_failed(const char *what, int error) {
    fprintf(stderr, "workload: %s: %s\n", what, strerror(error));
    exit(1);
}

static __attribute__((noreturn)) void refuse(const char *name, const char *value, const char *right) {
    fprintf(stderr, "%s '%s' must be %s\n", name, value, right);
    exit(2);
}

struct workload workload_begin(int argc, char **argv, size_t threads, size_t most) {
    struct workload w = {1, threads};
    char *end;
    if (argc > (most ? 3 : 2)) {
        fprintf(stderr, "usage: %s [SCALE%s]\n", argv[0], most ? " [THREADS]" : "");
        exit(2);
    }
    if (argc > 1) {
        w.scale = strtod(argv[1], &end);
        if (end == argv[1] || *end || !(w.scale > 0 && w.scale <= 1000))
            refuse("SCALE", argv[1], "a number above 0, at most 1000");
    }
    if (argc > 2) {
        w.threads = strtoul(argv[2], &end, 10);
        if (argv[2][0] < '0' || argv[2][0] > '9' || *end || w.threads < 1 || w.threads > most) {
            char right[64];
            snprintf(right, sizeof(right), "a whole number, 1 to %zu", most);
            refuse("THREADS", argv[2], right);
        }
    }
    return w;
}

size_t workload_scaled(const struct workload *w, double n) {
    double scaled = n * w->scale;
    return scaled < 1 ? 1 : (size_t)scaled;
}

double workload_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void workload_figure(const char *name, double value) { fprintf(stderr, "figure %s %.3f\n", name, value); }

void workload_checksum(uint64_t sum) { printf("%016llx\n", (unsigned long long)sum); }

size_t workload_resident(void) {
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%*s %zu", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}
