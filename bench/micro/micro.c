/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * micro.c: times one micro benchmark.
 *
 *     micro NAME [OPERATIONS [ROUNDS]]     prints NAME, the fastest and the median round, ns an operation
 *     micro --list                         prints NAME, OPERATIONS and what it stands for, one a line
 *
 * One process runs one benchmark, so that none inherits another's heap.  The first round warms up and is not counted.
 */
#define _GNU_SOURCE
#include "micro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ROUNDS = 1000 };

static const struct micro *const groups[] = {micro_pairs, micro_lifetimes, micro_operators, micro_threads};

void micro_out_of_memory(void) {
    fputs("micro: out of memory\n", stderr);
    exit(1);
}

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const struct micro *find(const char *name) {
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (const struct micro *m = groups[g]; m->name; m++)
            if (strcmp(m->name, name) == 0)
                return m;
    return NULL;
}

static void list(void) {
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (const struct micro *m = groups[g]; m->name; m++)
            printf("%s %zu %s\n", m->name, m->n, m->what);
}

static void time_rounds(const struct micro *m, size_t n, size_t rounds) {
    static double ns[MAX_ROUNDS];
    m->run(n);
    for (size_t i = 0; i < rounds; i++) {
        double start = now_ns();
        m->run(n);
        ns[i] = (now_ns() - start) / (double)n;
    }
    qsort(ns, rounds, sizeof(ns[0]), compare);
    printf("%s %.3f %.3f\n", m->name, ns[0], ns[rounds / 2]);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    const struct micro *m = argc > 1 ? find(argv[1]) : NULL;
    size_t n = m && argc > 2 ? strtoull(argv[2], NULL, 10) : m ? m->n : 0;
    size_t rounds = argc > 3 ? strtoull(argv[3], NULL, 10) : 25;
    if (!m || argc > 4 || n == 0 || rounds == 0 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: micro --list | NAME [OPERATIONS [ROUNDS]]; at least 1, at most %d rounds%s%s\n",
                MAX_ROUNDS, argc > 1 && !m ? "; no benchmark " : "", argc > 1 && !m ? argv[1] : "");
        return 2;
    }
    time_rounds(m, n, rounds);
    return 0;
}
