/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * aged_heap.c: a process that has run for days.  Of two million blocks half are freed at random and replaced by blocks of
 * other sizes, ten rounds; each round's sizes lie in a range of its own.  Stresses fragmentation: whether the holes are
 * used again, and whether it gets slower.  Takes several seconds.
 *
 * Figures: second_round_ns and last_round_ns, of one free or allocation; rss_ratio, the resident memory at the end over
 * the bytes that the program has asked for, its own table included.
 */
#include "workload.h"

enum { ROUNDS = 10, SIZES = 96 };

/* The tag's lowest byte is the round. */
static size_t aged_size(uint64_t tag) {
    static const unsigned char lowest[ROUNDS + 1] = {16, 80, 32, 128, 24, 160, 48, 96, 16, 112, 64};
    return lowest[tag & 255] + (size_t)(tag >> 8) % SIZES;
}

static void *aged_block(uint64_t *state, unsigned round) {
    uint64_t tag = (next_random(state) & ~(uint64_t)255) | round;
    void *block = checked(malloc(aged_size(tag)));
    fill_block(block, aged_size(tag), tag);
    return block;
}

static uint64_t drop_aged(void *block) {
    uint64_t tag = check_block(block, aged_size(tag_of(block)));
    free(block);
    return mixed(tag);
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 1, 0);
    size_t count = workload_scaled(&w, 1000000) * 2;
    void **blocks = checked(malloc(count * sizeof(void *)));
    uint64_t state = seed_of(1), sum = 0;
    for (size_t i = 0; i < count; i++)
        blocks[i] = aged_block(&state, 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        /* The first half of a shuffled table is as random a half as any; shuffling is not the allocator's time. */
        for (size_t i = 0; i < count / 2; i++) {
            size_t other = i + (size_t)(next_random(&state) >> 16) % (count - i);
            void *block = blocks[i];
            blocks[i] = blocks[other];
            blocks[other] = block;
        }
        double start = workload_now();
        for (size_t i = 0; i < count / 2; i++)
            sum += drop_aged(blocks[i]);
        for (size_t i = 0; i < count / 2; i++)
            blocks[i] = aged_block(&state, round);
        double ns = (workload_now() - start) * 1e9 / (double)count;
        if (round == 2)
            workload_figure("second_round_ns", ns);
        if (round == ROUNDS)
            workload_figure("last_round_ns", ns);
    }
    size_t live = count * sizeof(void *), resident = workload_resident();
    for (size_t i = 0; i < count; i++) {
        live += aged_size(tag_of(blocks[i]));
        sum += drop_aged(blocks[i]);
    }
    workload_figure("rss_ratio", (double)resident / (double)live);
    free(blocks);
    workload_checksum(sum);
    return 0;
}
