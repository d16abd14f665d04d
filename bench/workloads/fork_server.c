/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fork_server.c: a server that forks for each connection, or a database that writes a snapshot.  A process with a heap of
 * 100 MB forks; each child reads some of the heap, allocates, frees some blocks of its parent's and ends, while the parent
 * replaces blocks of its own.  Stresses what the allocator does around fork, and how many pages its own data makes the
 * kernel copy.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEAP = 400000, CHILD_BLOCKS = 2000 };

static void **heap;
static size_t live;

/* The child's sum, folded to the 7 bits that an exit status holds beside failures. */
static int child(size_t number) {
    uint64_t state = seed_of(number), sum = 0;
    void *blocks[CHILD_BLOCKS];
    for (size_t i = 0; i < CHILD_BLOCKS; i++)
        blocks[i] = make_block(next_random(&state));
    for (size_t i = 0; i < CHILD_BLOCKS; i++) {
        size_t at = (size_t)(next_random(&state) >> 16) % live;
        sum += drop_block(blocks[i]);
        if (i % 16 == 0) {
            sum += drop_block(heap[at]);
            heap[at] = NULL;
        }
    }
    return 128 | (int)(sum >> 57);
}

static uint64_t collect(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            workload_failed("waitpid", errno);
    if (!WIFEXITED(status) || WEXITSTATUS(status) < 128)
        workload_failed("a child failed", ECHILD);
    return mixed((uint64_t)WEXITSTATUS(status));
}

int main(int argc, char **argv) {
    struct workload w = workload_begin(argc, argv, 1, 0);
    size_t children = workload_scaled(&w, 60);
    live = workload_scaled(&w, HEAP);
    heap = checked(malloc(live * sizeof(void *)));
    uint64_t state = seed_of(3), sum = 0;
    for (size_t i = 0; i < live; i++)
        heap[i] = make_block(next_random(&state));
    double start = workload_now();
    for (size_t n = 0; n < children; n++) {
        pid_t pid = fork();
        if (pid < 0)
            workload_failed("fork", errno);
        if (pid == 0)
            _exit(child(n));
        for (size_t i = 0; i < CHILD_BLOCKS; i++) {
            uint64_t r = next_random(&state);
            size_t at = (size_t)(r >> 16) % live;
            sum += drop_block(heap[at]);
            heap[at] = make_block(r);
        }
        sum += collect(pid);
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)children);
    for (size_t i = 0; i < live; i++)
        sum += drop_block(heap[i]);
    free(heap);
    workload_checksum(sum);
    return 0;
}
