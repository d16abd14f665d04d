/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * hoist.c: nextgen-hoist.  A list of so many nodes is built by a function that allocates one: the loop asks for all of them
 * before it begins, and the room fills magazines while the first ones are used.
 *
 * USAGE  hoist [NODES]     default 4000000
 */
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *next;
    unsigned value[12];
};

__attribute__((noinline)) static struct node *push(struct node *list, unsigned value) {
    struct node *new = malloc(sizeof(*new));
    if (new == NULL)
        abort();
    new->next = list;
    for (unsigned i = 0; i < 12; i++)
        new->value[i] = value *i;
    return new;
}

int main(int argc, char **argv) {
    unsigned nodes = argc > 1 ? (unsigned)atoi(argv[1]) : 4000000, sum = 0;
    struct node *list = NULL;
    for (unsigned i = 0; i < nodes; i++)
        list = push(list, i);
    for (struct node *at = list; at != NULL; at = at->next)
        sum += at->value[3];
    printf("%u\n", sum);
    return 0;
}
