/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Starts a command under a kernel that refuses large mappings, as overcommit_memory=2 or a small address space does:
 * every mmap and mprotect above a size fails with ENOMEM, or only those that ask for writable memory.
 * Usage: refuse_memory any|writable MEBIBYTES COMMAND [ARGUMENT...]
 */
#include "check.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define HIGH(n) (offsetof(struct seccomp_data, args) + 8 * (n) + 4)
#define LOW(n) (offsetof(struct seccomp_data, args) + 8 * (n))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM)

int main(int argc, char **argv) {
    CHECK(argc > 3);
    bool any = strcmp(argv[1], "any") == 0;
    uint32_t most = (uint32_t)(strtoul(argv[2], NULL, 10) << 20);
    CHECK(most > 0 && strtoul(argv[2], NULL, 10) < 4096);
    struct sock_filter code[] = {
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 1, 0),
        ALLOW,
        /* The third argument is the protection of both, the second the length. */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(2)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_WRITE, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JA, any ? 0 : 4, 0, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, HIGH(1)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(1)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, most, 1, 0),
        ALLOW,
        REFUSE,
    };
    struct sock_fprog program = {(unsigned short)(sizeof code / sizeof code[0]), code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        test_skip("seccomp filters are not allowed here");
    /* The negative beside the positive: the filter does refuse. */
    CHECK(mmap(NULL, (size_t)most + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) ==
              MAP_FAILED &&
          errno == ENOMEM);
    void *p = mmap(NULL, (size_t)most + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK((p == MAP_FAILED) == any);
    execvp(argv[3], argv + 3);
    CHECK(false, "exec of %s failed", argv[3]);
}
