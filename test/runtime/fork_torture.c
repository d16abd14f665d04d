/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Threads allocate, free and exchange blocks while one forks, or several at once; each child allocates, frees what it
 * inherited, makes a thread now and then, and exits.  No process hangs, none crashes.
 * Usage: fork_torture [forks [threads [threads that fork]]]
 */
#include "heap.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define SHARED 512

static void *shared[SHARED];
static bool stop;

static void churn(uint64_t *random, size_t rounds) {
    for (size_t i = 0; i < rounds; i++) {
        size_t size = test_random_size(random, (test_random(random) & 127) == 0 ? 18 : 10);
        unsigned char *p = (unsigned char *)heap_alloc(size);
        CHECK(p != NULL);
        p[0] = p[size - 1] = 1;
        p = (unsigned char *)__atomic_exchange_n(&shared[test_random(random) % SHARED], p, __ATOMIC_ACQ_REL);
        heap_free(p);
    }
}

/* Every other one at the lowest priority: whoever forks waits for locks that these hold while the others run. */
static void *work(void *argument) {
    if ((uintptr_t)argument % 2 == 1)
        CHECK(nice(19) == 19);
    uint64_t random = 1 + (uintptr_t)argument;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        churn(&random, 100);
    return NULL;
}

static void *work_in_child(void *argument) {
    uint64_t random = 1 + (uintptr_t)argument;
    churn(&random, 200);
    return NULL;
}

__attribute__((noreturn)) static void child(size_t number) {
    alarm(30); /* a hang ends as SIGALRM, which the parent reports */
    uint64_t random = 77 + number;
    churn(&random, 300);
    if (number % 8 == 0) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work_in_child, (void *)number) == 0);
        pthread_join(thread, NULL);
    }
    if (number % 16 == 1) { /* a grandchild */
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            churn(&random, 100);
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0, "grandchild's status 0x%x", status);
    }
    for (size_t i = 0; i < SHARED; i++) {
        heap_free(shared[i]);
        shared[i] = NULL;
    }
    if (number % 4 == 0)
        exit(0); /* with atexit handlers */
    _exit(0);
}

static size_t forks, forked;

static void *fork_in_turn(void *unused) {
    for (size_t i; (i = __atomic_fetch_add(&forked, 1, __ATOMIC_RELAXED)) < forks;) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            child(i);
        int status;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0, "child %zu of %zu: status 0x%x%s", i, forks, status,
              WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? " (it hung)" : "");
    }
    return unused;
}

int main(int argc, char **argv) {
    forks = argc > 1 ? strtoul(argv[1], NULL, 10) : test_rounds(1000);
    size_t threads = argc > 2 ? strtoul(argv[2], NULL, 10) : 8;
    size_t forkers = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    CHECK(threads <= 64 && forkers >= 1 && forkers <= 64);
    test_begin();
    pthread_t thread[64], forker[64];
    for (size_t i = 0; i < threads; i++)
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
    for (size_t i = 1; i < forkers; i++)
        CHECK(pthread_create(&forker[i], NULL, fork_in_turn, NULL) == 0);
    fork_in_turn(NULL);
    for (size_t i = 1; i < forkers; i++)
        pthread_join(forker[i], NULL);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    /* While one forks the others reuse what is free: 36 to 70 MiB here, 170 where each takes fresh slabs meanwhile. */
    CHECK(TEST_SANITIZED || test_rss() <= ((size_t)96 << 20), "resident %zu KiB", test_rss() >> 10);
    return 0;
}
