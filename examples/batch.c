/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * batch.c: nextgen-batch.  A node and its two leaves, all of one class: one check of the magazine for the three.
 *
 * USAGE  batch [NODES]     default 20000000
 */
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *left, *right;
    unsigned value;
};

__attribute__((noinline)) static struct node *grow(unsigned value) {
    struct node *top = malloc(sizeof(*top)), *left = malloc(sizeof(*left)), *right = malloc(sizeof(*right));
    if (top == NULL || left == NULL || right == NULL)
        abort();
    *left = (struct node){NULL, NULL, value};
    *right = (struct node){NULL, NULL, value + 1};
    *top = (struct node){left, right, 0};
    return top;
}

int main(int argc, char **argv) {
    unsigned nodes = argc > 1 ? (unsigned)atoi(argv[1]) : 20000000, sum = 0;
    for (unsigned i = 0; i < nodes; i++) {
        struct node *top = grow(i);
        sum += top->left->value ^ top->right->value;
        free(top->left);
        free(top->right);
        free(top);
    }
    printf("%u\n", sum);
    return 0;
}
