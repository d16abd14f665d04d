/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * large_buffers.c: images, frames of video, columns of a table.  Buffers of 1 to 30 MiB are allocated, every page of them
 * is touched, and they are freed, four alive at a time.  Stresses system calls and fresh pages: whether a large block
 * that was just freed is used again.
 */
#include "workload.h"

enum { LIVE = 4, STEP = 4096 };

static size_t buffer_size(uint64_t tag) { return ((size_t)1 << 20) + (size_t)(tag >> 8) % (29u << 20); }

static char *make_buffer(uint64_t tag) {
    size_t size = buffer_size(tag);
    char *buffer = checked(malloc(size));
    for (size_t at = 0; at < size; at += STEP)
        memcpy(buffer + at, &tag, size - at < 8 ? size - at : 8);
    return buffer;
}

static uint64_t drop_buffer(char *buffer) {
    if (!buffer)
        return 0;
    uint64_t tag = tag_of(buffer);
    size_t size = buffer_size(tag);
    for (size_t at = 0; at < size; at += STEP)
        if (memcmp(buffer + at, &tag, size - at < 8 ? size - at : 8) != 0)
            workload_damaged(buffer, size);
    free(buffer);
    return mixed(tag);
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 1, 0);
    size_t count = workload_scaled(&w, 750);
    char *live[LIVE] = {0};
    uint64_t state = seed_of(2), sum = 0;
    double start = workload_now();
    for (size_t i = 0; i < count; i++) {
        uint64_t r = next_random(&state);
        sum += drop_buffer(live[r % LIVE]);
        live[r % LIVE] = make_buffer(r);
    }
    for (size_t i = 0; i < LIVE; i++)
        sum += drop_buffer(live[i]);
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)count);
    workload_checksum(sum);
    return 0;
}
