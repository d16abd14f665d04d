/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * shrink.c: a server after its peak.  A heap of a gigabyte is built, nine tenths of its blocks are freed at random, and
 * for two seconds the program does nothing: what of the memory has gone back to the system by then, without another call?
 *
 * Figures: left_ratio, the resident memory then over the bytes of the blocks that are left and the program's own table;
 * at_once_ratio, the same right after the last free.
 */
#include "workload.h"

#include <time.h>

enum { LEFT = 10, SECONDS = 2 }; /* a tenth */

static void shuffle(void **blocks, size_t count, uint64_t *state) {
    for (size_t i = count; i > 1; i--) {
        size_t other = place_of(next_random(state), i);
        void *block = blocks[i - 1];
        blocks[i - 1] = blocks[other];
        blocks[other] = block;
    }
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 1, 0);
    size_t count = workload_scaled(&w, 3400000), left = count / LEFT;
    void **blocks = checked(malloc(count * sizeof(void *)));
    uint64_t state = seed_of(9), sum = 0;
    for (size_t i = 0; i < count; i++)
        blocks[i] = make_block(next_random(&state));
    shuffle(blocks, count, &state);
    for (size_t i = left; i < count; i++)
        sum += drop_block(blocks[i]);
    size_t live = count * sizeof(void *);
    for (size_t i = 0; i < left; i++)
        live += size_of(tag_of(blocks[i]));
    workload_figure("at_once_ratio", (double)workload_resident() / (double)live);
    nanosleep(&(struct timespec){SECONDS, 0}, NULL);
    workload_figure("left_ratio", (double)workload_resident() / (double)live);
    for (size_t i = 0; i < left; i++)
        sum += drop_block(blocks[i]);
    free(blocks);
    workload_checksum(sum);
    return 0;
}
