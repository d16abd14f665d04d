/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * promote.c: nextgen-promote.  Each message is decoded into a buffer that is large enough for any (allocated once for the
 * loop), and the kinds of its bytes are counted in a small table (on the stack), with the check for NULL that one writes.
 *
 * USAGE  promote [MESSAGES]     default 3000000
 */
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = 16, LARGEST = 64 << 10 };

/* Small, private, freed: moves to the stack. */
static unsigned most_of_a_kind(const unsigned char *bytes, size_t n) {
    unsigned char *seen = calloc(KINDS, sizeof(*seen));
    if (seen == NULL)
        abort();
    unsigned most = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char times = ++seen[bytes[i] % KINDS];
        most = times > most ? times : most;
    }
    free(seen);
    return most;
}

int main(int argc, char **argv) {
    unsigned messages = argc > 1 ? (unsigned)atoi(argv[1]) : 3000000, sum = 0;
    for (unsigned m = 0; m < messages; m++) {
        unsigned char *decoded = malloc(LARGEST); /* once for all messages */
        if (decoded == NULL)
            return 1;
        size_t n = 8 + m % 16;
        for (size_t i = 0; i < n; i++)
            decoded[i] = (unsigned char)(m * 31 >> i);
        sum += most_of_a_kind(decoded, n);
        free(decoded);
    }
    printf("%u\n", sum);
    return 0;
}
