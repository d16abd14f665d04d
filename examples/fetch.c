/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fetch.c: nextgen-batch.  In a heap that has seen much, an array of records, a tree and a list are freed; each block is read
 * first, for what it owns.  The lines of those that come are fetched while one is freed, but for the list: to do that by hand
 * (-DFETCH_LISTS) gains nothing.
 *
 * USAGE  fetch [BLOCKS]     default 1000000; on stderr nanoseconds a record, a node, a link
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct record {
    char *name;
    long values[5];
};

struct node {
    struct node *left, *right;
    char *name;
    long values[4];
};

static uint64_t state = 88172645463325252u;

static size_t below(size_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % n);
}

static void *some(size_t bytes) {
    void *p = calloc(1, bytes);
    if (p == NULL)
        abort();
    return p;
}

static void shuffle(void **all, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t other = below(i);
        void *block = all[i - 1];
        all[i - 1] = all[other];
        all[other] = block;
    }
}

/* Holes of all sizes. */
static void age(size_t n) {
    void **all = some(n * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = some(16 + below(200));
    shuffle(all, n);
    for (size_t i = 0; i < n / 2; i++)
        free(all[i]);
    free(all);
}

static void free_records(struct record **records, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(records[i]->name);
        free(records[i]);
    }
}

static void free_tree(struct node *node) {
    if (node == NULL)
        return;
    free_tree(node->left);
    free_tree(node->right);
    free(node->name);
    free(node);
}

static void free_list(struct node *node) {
    while (node != NULL) {
        struct node *next = node->right;
#ifdef FETCH_LISTS
        __builtin_prefetch(next);
#endif
        free(node->name);
        free(node);
        node = next;
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    age(2 * n);
    struct record **records = some(n * sizeof *records);
    struct node **nodes = some(n * sizeof *nodes), **links = some(n * sizeof *links);
    for (size_t i = 0; i < n; i++) {
        (records[i] = some(sizeof **records))->name = some(32);
        (nodes[i] = some(sizeof **nodes))->name = some(32);
        (links[i] = some(sizeof **links))->name = some(32);
    }
    shuffle((void **)records, n);
    shuffle((void **)nodes, n);
    shuffle((void **)links, n);
    for (size_t i = 1; i < n; i++)
        links[i - 1]->right = links[i];
    for (size_t i = 1; i < n; i++)
        *(i % 2 != 0 ? &nodes[(i - 1) / 2]->left : &nodes[(i - 1) / 2]->right) = nodes[i];
    double start = now();
    free_records(records, n);
    double between = now();
    free_tree(nodes[0]);
    double before_list = now();
    free_list(links[0]);
    double end = now();
    fprintf(stderr, "%.1f ns a record, %.1f a node, %.1f a link\n", (between - start) / (double)n,
            (before_list - between) / (double)n, (end - before_list) / (double)n);
    free(records);
    free(nodes);
    free(links);
    printf("%zu\n", n);
    return 0;
}
