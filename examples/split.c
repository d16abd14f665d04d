/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * split.c: nextgen-split.  A reader of records: the header says how large the body is, the header's own table is checked,
 * then the body is allocated and filled.  The request goes out before the check; the room faults the pages in meanwhile.
 *
 * USAGE  split [RECORDS]     default 40; bodies of 1 to 64 MiB, all kept
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE = 1 << 16, ROUNDS_A_MIB = 12 };

static unsigned table[TABLE];

__attribute__((noinline)) static unsigned check(unsigned rounds) {
    unsigned sum = 1;
    for (unsigned r = 0; r < rounds; r++)
        for (unsigned i = 0; i < TABLE; i++)
            sum = sum * 31 + table[i];
    return sum;
}

__attribute__((noinline)) static char *read_record(size_t elements, unsigned *sum) {
    size_t bytes = elements * sizeof(long);
    *sum += check((unsigned)(bytes >> 20) * ROUNDS_A_MIB);
    char *body = malloc(bytes);
    if (body == NULL)
        exit(1);
    memset(body, (int)*sum, bytes);
    return body;
}

int main(int argc, char **argv) {
    unsigned records = argc > 1 ? (unsigned)atoi(argv[1]) : 40, sum = 0, random = 1;
    for (unsigned i = 0; i < TABLE; i++)
        table[i] = i * records;
    for (unsigned i = 0; i < records; i++) {
        random = random * 1103515245 + 12345;
        size_t mib = 1 + (random >> 16) % 64;
        char *body = read_record((mib << 20) / sizeof(long) + (random >> 20), &sum);
        sum += (unsigned char)body[random % (1 << 20)];
    }
    printf("%u\n", sum);
    return 0;
}
