/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * grow_graph.c: a graph that is read edge by edge, as tools for networks and maps do: the list of each vertex grows by
 * realloc, doubling; few vertices have most edges.  About 1 GB at scale 1.  Stresses realloc of blocks of every size
 * among others, fresh memory, and use of what the smaller lists leave behind.  Takes a few seconds.
 */
#include "workload.h"

struct edge {
    uint64_t to, weight, time;
};

struct vertex {
    struct edge *edges;
    size_t count, room;
};

static void add_edge(struct vertex *v, uint64_t r, uint64_t number) {
    if (v->count == v->room) {
        v->room = v->room ? v->room * 2 : 2;
        v->edges = checked(realloc(v->edges, v->room * sizeof(struct edge)));
    }
    v->edges[v->count++] = (struct edge){r, mixed(r), number};
}

/* Every edge once, in the order of the vertices, as an algorithm on the finished graph reads them. */
static uint64_t read_graph(const struct vertex *vertices, size_t count) {
    uint64_t sum = 0;
    for (size_t v = 0; v < count; v++)
        for (size_t e = 0; e < vertices[v].count; e++) {
            const struct edge *edge = &vertices[v].edges[e];
            if (edge->weight != mixed(edge->to))
                workload_damaged(vertices[v].edges, vertices[v].room * sizeof(struct edge));
            sum += mixed(edge->to ^ mixed(edge->time) ^ v);
        }
    return sum;
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 1, 0);
    size_t count = workload_scaled(&w, 2000000), edges = workload_scaled(&w, 26000000);
    struct vertex *vertices = checked(calloc(count, sizeof(struct vertex)));
    uint64_t state = seed_of(4);
    double start = workload_now();
    for (size_t i = 0; i < edges; i++) {
        uint64_t r = next_random(&state);
        /* The smallest of two numbers, squared: the first hundredth of the vertices has a fifth of the edges. */
        double a = (double)(r >> 40) / (1 << 24), b = (double)(r & 0xffffff) / (1 << 24);
        double low = a < b ? a : b;
        add_edge(&vertices[(size_t)(low * low * (double)count)], r, i);
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)edges);
    uint64_t sum = read_graph(vertices, count);
    for (size_t v = 0; v < count; v++)
        free(vertices[v].edges);
    free(vertices);
    workload_checksum(sum);
    return 0;
}
