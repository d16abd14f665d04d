/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * app.c: a user's program: makes a list, adds it up, frees it.
 */
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *next;
    long value;
};

int main(void) {
    struct node *list = NULL;
    long sum = 0;
    for (long i = 1; i <= 1000; i++) {
        struct node *node = malloc(sizeof *node);
        if (node == NULL)
            return 1;
        node->next = list;
        node->value = i;
        list = node;
    }
    while (list != NULL) {
        struct node *next = list->next;
        sum += list->value;
        free(list);
        list = next;
    }
    printf("sum %ld\n", sum);
    return 0;
}
