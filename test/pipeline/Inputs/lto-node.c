// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The other half of lto-passes.test: what only a link can see through.
#include <stdlib.h>
struct node {
    struct node *next;
    long value[4];
};
int sum_of(const int *v, int n) {
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += v[i];
    return sum;
}
__attribute__((noinline)) struct node *push(struct node *list, long value) {
    struct node *n = malloc(sizeof(*n));
    if (n == NULL)
        abort();
    n->next = list;
    n->value[0] = value;
    return n;
}
