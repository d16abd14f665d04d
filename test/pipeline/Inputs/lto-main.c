// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See lto-passes.test.
#include <stdio.h>
#include <stdlib.h>
struct node;
int sum_of(const int *v, int n);
struct node *push(struct node *list, long value);
int main(int argc, char **argv) {
    int *v = malloc(10 * sizeof(*v));
    if (v == NULL)
        return 1;
    for (int i = 0; i < 10; i++)
        v[i] = i * argc;
    int sum = sum_of(v, 10);
    free(v);
    struct node *list = NULL;
    for (int i = 0; i < 1000; i++)
        list = push(list, i);
    printf("%d %d\n", sum, list != NULL);
    return 0;
}
