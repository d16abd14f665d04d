/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What a short program pays: a shell script or a build is thousands of processes that allocate little.  Runs itself under
 * ptrace, as it is and with the library preloaded, and counts system calls and page faults from exec to end; the
 * library's are the difference.
 * Usage: short_program LIBRARY
 */
#include "check.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum {
    BLOCKS = 100,
    RUNS = 10,
    MOST_CALLS = 18,  /* nine are the loader's, for any library: open, read, stat, map, protect */
    MOST_FAULTS = 30, /* six are the loader's; a class of blocks is one, and half a magazine's */
};

struct cost {
    long calls, faults;
};

/* What the child does: a few small blocks of many sizes. */
static int short_work(void) {
    static void *block[BLOCKS];
    uint64_t random = 4711;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = test_random_size(&random, 9);
        block[i] = malloc(size);
        CHECK(block[i] != NULL);
        memset(block[i], 1, size);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(block[i]);
    return 0;
}

static struct cost cost_with(const char *library) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        char preload[4096];
        snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
        char *environment[] = {preload, NULL}, name[] = "short_program", *arguments[] = {name, NULL};
        execve("/proc/self/exe", arguments, environment);
        _exit(1);
    }
    struct cost cost = {0, 0};
    int status;
    struct rusage use;
    CHECK(wait4(pid, &status, 0, &use) == pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        test_skip("ptrace is not allowed here");
    CHECK(WIFSTOPPED(status) && ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) == 0);
    for (;;) {
        CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
        CHECK(wait4(pid, &status, 0, &use) == pid);
        if (!WIFSTOPPED(status))
            break;
        cost.calls += WSTOPSIG(status) == (SIGTRAP | 0x80);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
    cost.calls /= 2; /* the child stops where a call begins and where it ends */
    cost.faults = use.ru_minflt;
    return cost;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return short_work();
    long calls = 0, faults = 0;
    for (int i = 0; i < RUNS; i++) { /* where mappings lie is chance, and so are some faults */
        struct cost without = cost_with(""), with = cost_with(argv[1]);
        calls = with.calls - without.calls;
        faults += with.faults - without.faults;
    }
    faults /= RUNS;
    dprintf(1, "%ld system calls, %ld page faults more than without the library\n", calls, faults);
    CHECK(calls > 0 && calls <= MOST_CALLS);
    CHECK(faults > 0 && faults <= MOST_FAULTS);
    return 0;
}
