/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * cold_start.c: a shell script or a build, which is hundreds of short programs.  The program starts itself anew, again and
 * again; each child allocates 100 blocks, checks and frees them, and ends.  Stresses what an allocator does at start.
 *
 * The children are started with the one argument `child`, which is for nobody else.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 100 };

/* The blocks' sum, folded to the 7 bits that an exit status holds beside failures. */
static int sum_of_blocks(void) {
    void *blocks[BLOCKS];
    uint64_t sum = 0;
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = make_block(mixed(i));
    for (size_t i = 0; i < BLOCKS; i++)
        sum += drop_block(blocks[i]);
    return 128 | (int)(sum >> 57);
}

static int run_child(void) {
    char name[] = "cold_start", argument[] = "child";
    char *arguments[] = {name, argument, NULL};
    pid_t child;
    int status, error = posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ);
    if (error)
        workload_failed("a child cannot be started", error);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            workload_failed("waitpid", errno);
    return status;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "child") == 0)
        return sum_of_blocks();
    struct workload w = workload_begin(argc, argv, 1, 0);
    size_t count = workload_scaled(&w, 1000);
    uint64_t sum = 0;
    double start = workload_now();
    for (size_t i = 0; i < count; i++) {
        int status = run_child();
        if (!WIFEXITED(status) || WEXITSTATUS(status) < 128)
            workload_failed("a child failed", ECHILD);
        sum += mixed((uint64_t)WEXITSTATUS(status));
    }
    workload_figure("ns", (workload_now() - start) * 1e9 / (double)count);
    workload_checksum(sum);
    return 0;
}
