/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * reports_work.c: allocates as many blocks of 100 bytes as its argument says and frees each second one (reports.py).
 */
#include "check.h"

int main(int argc, char **argv) {
    CHECK(argc == 2);
    size_t count = strtoul(argv[1], NULL, 10);
    static void *block[2000000];
    CHECK(count <= sizeof block / sizeof *block);
    for (size_t i = 0; i < count; i++) {
        block[i] = malloc(100);
        CHECK(block[i] != NULL);
        memset(block[i], 1, 100);
    }
    for (size_t i = 0; i < count; i += 2)
        free(block[i]);
    return 0;
}
