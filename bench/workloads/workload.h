/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * workload.h: what every workload is made of.  A workload is one program,
 *
 *     NAME [SCALE [THREADS]]     SCALE multiplies the work; THREADS only where the workload's head has it
 *
 * that prints a checksum on stdout, the same with every allocator, number of processors and schedule, and on stderr lines
 * `figure NAME VALUE`.  It ends with status 1 where a block does not hold what was written to it, with 2 on bad arguments.
 * bench/workloads.py lists them all.
 */
#ifndef NGRT_BENCH_WORKLOAD_H
#define NGRT_BENCH_WORKLOAD_H

#include "../micro/micro.h"

#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct workload {
    double scale;
    size_t threads;
};

/* Reads the arguments.  most: 0 where the workload takes no THREADS, else threads is what holds without the argument. */
struct workload workload_begin(int argc, char **argv, size_t threads, size_t most);

/* n times the scale, at least 1. */
size_t workload_scaled(const struct workload *w, double n);

double workload_now(void); /* seconds */
void workload_figure(const char *name, double value);
void workload_checksum(uint64_t sum);
size_t workload_resident(void); /* bytes of this process that lie in memory */

__attribute__((noreturn, cold)) void workload_damaged(const void *block, size_t size);
__attribute__((noreturn, cold)) void workload_failed(const char *what, int error);

/* Spreads a number over all bits, so that sums and remainders of neighbours differ (SplitMix64's last step). */
static inline uint64_t mixed(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* A number that follows from all of the bytes. */
static inline uint64_t hash_bytes(const void *bytes, size_t size) {
    uint64_t hash = size, word = 0;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        memcpy(&word, (const char *)bytes + at, 8);
        hash = mixed(hash ^ word);
    }
    word = 0;
    memcpy(&word, (const char *)bytes + at, size - at);
    return mixed(hash ^ word);
}

/* Never 0, which next_random would not leave. */
static inline uint64_t seed_of(uint64_t number) { return mixed(number) | 1; }

/* A place below n, n below 2^32, from the upper half of r, which next_random mixes best. */
static inline size_t place_of(uint64_t r, size_t n) { return (size_t)(((r >> 32) * n) >> 32); }

/* Sizes as programs have them: three of four below 128 bytes, one of 256 above 4 KiB. */
static inline size_t size_of(uint64_t r) {
    unsigned kind = (unsigned)(r & 255);
    r >>= 8;
    if (kind < 128)
        return 16 + r % 48;
    if (kind < 192)
        return 64 + r % 64;
    if (kind < 240)
        return 128 + r % 384;
    if (kind < 255)
        return 512 + r % 3584;
    return 4096 + r % 28672;
}

/* A block of 8 bytes or more holds its tag, and after it words that follow from the tag, to its last byte. */
static inline void fill_block(void *block, size_t size, uint64_t tag) {
    char *bytes = (char *)block;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = tag + at;
        memcpy(bytes + at, &word, 8);
    }
    for (; at < size; at++)
        bytes[at] = (char)tag;
}

static inline uint64_t tag_of(const void *block) {
    uint64_t tag;
    memcpy(&tag, block, 8);
    return tag;
}

/* The block's tag; ends the program where the rest does not belong to it. */
static inline uint64_t check_block(const void *block, size_t size) {
    const char *bytes = (const char *)block;
    uint64_t tag = tag_of(block), wrong = 0;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        wrong |= word ^ (tag + at);
    }
    for (; at < size; at++)
        wrong |= (uint64_t)(bytes[at] ^ (char)tag);
    if (__builtin_expect(wrong != 0, 0))
        workload_damaged(block, size);
    return tag;
}

/* A block whose size follows from its tag: whoever gets it can check and free it without knowing more. */
static inline void *make_block(uint64_t tag) {
    size_t size = size_of(tag);
    void *block = checked(malloc(size));
    fill_block(block, size, tag);
    return block;
}

/* What the block adds to a checksum; sums do not depend on the order.  NULL is no block and adds nothing. */
static inline uint64_t drop_block(void *block) {
    if (!block)
        return 0;
    uint64_t tag = check_block(block, size_of(tag_of(block)));
    free(block);
    return mixed(tag);
}

#ifdef __cplusplus
}
#endif
#endif
