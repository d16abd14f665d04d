/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ahead.c: what the pass does with a loop: the trip count is known before it, so the room is asked for all blocks at
 * once, and each malloc and free is in line.
 *
 *   ngcc -O2 -Rpass=nextgen examples/ahead.c -o ahead      says so for each call
 *   NGRT_SERVER=on NGRT_STATS=1 ./ahead                    requests, and how many found blocks ready in time; a program of
 *                                                          this size gets no room unless it is told to
 */
#include <stdio.h>
#include <stdlib.h>

struct point {
    double x, y, z;
};

static struct point **make(size_t n) {
    struct point **points = calloc(n, sizeof *points);
    if (points == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct point *p = malloc(sizeof *p);
        if (p == NULL)
            abort();
        p->x = p->y = p->z = (double)i;
        points[i] = p;
    }
    return points;
}

static double drop(struct point **points, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += points[i]->x;
        free(points[i]);
    }
    free(points);
    return sum;
}

int main(void) {
    enum { POINTS = 100000, ROUNDS = 20 };
    double sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct point **points = make(POINTS);
        if (points == NULL)
            return 1;
        sum += drop(points, POINTS);
    }
    printf("%.0f\n", sum);
    return 0;
}
