/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * In its steady state the heap makes no system call.  The test runs itself as a child that marks measured parts with
 * getppid(), and counts what the child's first thread calls there, by ptrace.  The quietest part counts, of many: what
 * happens once (the room starts, a table grows) is not the steady state, and a thread yields now and then where the key's
 * holder lost its core to other processes.
 * Usage: no_system_calls mixed|large|foreign
 */
#include "heap.h"

#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SLOTS 2000
#define ROUNDS 100000
#define WARM_UP (ROUNDS * 8)
#define NUMBERS 512
#define PARTS 40

static void *slot[SLOTS];

static void mixed_sizes(size_t rounds, unsigned bits) {
    static uint64_t random = 12345;
    for (size_t i = 0; i < rounds; i++) {
        size_t at = test_random(&random) % SLOTS;
        heap_free(slot[at]);
        slot[at] = heap_alloc(test_random_size(&random, bits));
        CHECK(slot[at] != NULL);
        *(char *)slot[at] = 1;
    }
}

/* Large blocks of the sizes that a program's buffers have, again and again. */
static void large_buffers(size_t rounds) {
    for (size_t i = 0; i < rounds / 100; i++) {
        char *a = (char *)heap_alloc(100000);
        char *b = (char *)heap_alloc(1500000);
        CHECK(a != NULL && b != NULL);
        a[99999] = b[1499999] = 1;
        heap_free(a);
        heap_free(b);
    }
}

/* What another thread allocates and this one frees; the other one makes its blocks before and after each part. */
static void *shared[SLOTS * 8];
static pthread_barrier_t step;

static void *make(void *argument) {
    (void)argument;
    for (;;) {
        for (size_t i = 0; i < SLOTS * 8; i++)
            shared[i] = heap_alloc(16 + i % 500);
        pthread_barrier_wait(&step);
        pthread_barrier_wait(&step);
    }
    return NULL;
}

static void run(const char *what, size_t rounds) {
    if (strcmp(what, "mixed") == 0)
        mixed_sizes(rounds, 13);
    else if (strcmp(what, "large") == 0)
        large_buffers(rounds);
    else
        for (size_t i = 0; i < SLOTS * 8; i++)
            heap_free(shared[i]);
}

static int child(const char *what) {
    bool foreign = strcmp(what, "foreign") == 0;
    pthread_t maker;
    if (foreign) {
        pthread_barrier_init(&step, NULL, 2);
        CHECK(pthread_create(&maker, NULL, make, NULL) == 0);
        for (int i = 0; i < 30; i++) {
            pthread_barrier_wait(&step);
            run(what, 0);
            pthread_barrier_wait(&step);
        }
        pthread_barrier_wait(&step);
    } else {
        run(what, WARM_UP);
    }
    for (int part = 0; part < PARTS; part++) {
        if (foreign && part > 0) {
            pthread_barrier_wait(&step);
            pthread_barrier_wait(&step);
        }
        syscall(SYS_getppid);
        run(what, ROUNDS);
        syscall(SYS_getppid);
    }
    _exit(0);
}

/* Counts the calls of the traced child in each part, between two getppid(). */
static void count_calls(pid_t pid, unsigned count[PARTS][NUMBERS]) {
    int status, marks = 0;
    bool entering = true;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    CHECK(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0);
    int deliver = 0;
    for (;;) {
        CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)deliver) == 0);
        CHECK(waitpid(pid, &status, 0) == pid);
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0 && marks == 2 * PARTS, "child's status 0x%x, %d marks",
                  status, marks);
            return;
        }
        bool call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        deliver = call || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        if (!call)
            continue;
        if (entering) {
            struct __ptrace_syscall_info info;
            CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) > 0);
            if (info.entry.nr == SYS_getppid)
                marks++;
            else if (marks % 2 == 1 && info.entry.nr < NUMBERS)
                count[marks / 2][info.entry.nr]++;
        }
        entering = !entering;
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 1, "which work?");
    if (TEST_SANITIZED)
        test_skip("a sanitizer makes system calls of its own");
    test_begin();
    if (argc > 2)
        return child(argv[1]);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        execl("/proc/self/exe", argv[0], argv[1], "child", (char *)NULL);
        _exit(1);
    }
    static unsigned count[PARTS][NUMBERS];
    count_calls(pid, count);
    /* To wake the room is worth a call where there is a backlog for it. */
    bool quiet = false;
    for (unsigned part = 0; part < PARTS; part++) {
        unsigned calls = 0, wakes = count[part][SYS_futex];
        for (unsigned i = 0; i < NUMBERS; i++) {
            calls += count[part][i];
            if (count[part][i] > 0)
                dprintf(1, "part %u, system call %u: %u times\n", part, i, count[part][i]);
        }
        quiet |= calls == wakes && wakes <= ROUNDS / 2000;
    }
    CHECK(quiet, "no part of %u rounds is without system calls", ROUNDS);
    return 0;
}
