/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * promote.c: nextgen-promote.  Each line is split in a buffer of its own (a row for all lines: allocated once for the
 * loop) and its letters are counted by kind in a small table (on the stack), with the checks for NULL that one writes.
 *
 * USAGE  promote [LINES]     default 10000000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 16 };

static const char line[] = "the room does the work that the program need not wait for";

/* Small, private, freed: moves to the stack. */
static unsigned most_of_a_kind(const char *text, size_t n) {
    unsigned char *seen = calloc(KINDS, sizeof(*seen));
    if (seen == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        seen[text[i] % KINDS]++;
    unsigned most = 0;
    for (unsigned i = 0; i < KINDS; i++)
        most = seen[i] > most ? seen[i] : most;
    free(seen);
    return most;
}

int main(int argc, char **argv) {
    unsigned lines = argc > 1 ? (unsigned)atoi(argv[1]) : 10000000, sum = 0;
    size_t width = 4096 + (size_t)argc; /* known only when it runs */
    for (unsigned i = 0; i < lines; i++) {
        char *row = malloc(width); /* once for all lines */
        if (row == NULL)
            return 1;
        memcpy(row, line, sizeof(line));
        row[i % sizeof(line)] = (char)i;
        sum += most_of_a_kind(row, 8);
        free(row);
    }
    printf("%u\n", sum);
    return 0;
}
