/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program that forbids itself and all its threads to open files, on pain of death, as sandboxes do, once the room is
 * there or before: the allocator, which looks at limits and processors now and then, must not end it.  But under a filter
 * that was there from the start it looks as ever (run).
 * Usage: sandboxed late|early, sandboxed run PROGRAM ARGUMENT...
 */
#include "check.h"
#include "tasks.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define SLOTS 200000u

static void churn(unsigned ms) {
    static void *slot[SLOTS];
    uint64_t random = 3, end = test_now_ns() + ms * 1000000ull;
    while (test_now_ns() < end) {
        for (unsigned i = 0; i < 1000; i++) {
            size_t at = test_random(&random) % SLOTS;
            free(slot[at]);
            slot[at] = test_launder(malloc(16 + test_random(&random) % 1000));
            CHECK(slot[at] != NULL);
            memset(slot[at], 1, 16);
        }
    }
}

/* A filter for all threads that ends the process for this call. */
static bool forbid(unsigned call) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

int main(int argc, char **argv) {
    CHECK(argc >= 2);
    test_begin();
    if (strcmp(argv[1], "run") == 0) { /* a container forbids something else, and then runs a program */
        if (!forbid(SYS_reboot))
            test_skip("no filter of system calls can be had here");
        execv(argv[2], argv + 2);
        CHECK(false, "execv");
    }
    if (strcmp(argv[1], "late") == 0)
        churn(500);
    if (!forbid(SYS_openat))
        test_skip("no filter of system calls can be had here");
    churn(1600);
    return 0;
}
