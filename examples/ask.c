/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * ask.c: a program that runs with the library and without it, and asks which: ngrt.h's functions declared weak.
 *
 *   cc examples/ask.c -o ask && ./ask && LD_PRELOAD=libngrt.so ./ask
 */
#include <stdio.h>
#include <stdlib.h>

__attribute__((weak)) const char *ngrt_version(void);
__attribute__((weak)) int ngrt_in_use(void);
__attribute__((weak)) int ngrt_trim(size_t keep);

int main(void) {
    if (ngrt_version == NULL || ngrt_in_use == NULL || !ngrt_in_use()) {
        puts("another malloc");
        return 0;
    }
    printf("ngrt %s\n", ngrt_version());
    size_t size = (size_t)64 << 20;
    char *block = malloc(size);
    if (block == NULL)
        return 1;
    for (size_t i = 0; i < size; i += 4096)
        block[i] = 1;
    free(block);
    printf("memory given back now: %s\n", ngrt_trim != NULL && ngrt_trim(0) ? "yes" : "no");
    return 0;
}
