/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A signal handler that allocates, and frees what it took, at a high rate, in a program that computes, or allocates
 * itself, alone or in threads.  No deadlock, no crash, no block handed out twice.  Like every malloc's, the fast path may
 * not be interrupted by a handler that allocates, so the handler does nothing then; `inside` does not spare it: that is
 * for NGRT_SLOW=1, since the slow paths may be interrupted.
 * Usage: signal_handler computing|allocating|threads|inside [milliseconds]
 */
#include "check.h"
#include "shadow.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>

static volatile unsigned handled;
static volatile bool stop, anywhere;
static _Thread_local volatile bool in_allocator;

static void handler(int number) {
    static _Thread_local uint64_t random = 88172645463325252ull;
    int error = errno;
    struct {
        void *block;
        size_t size;
    } held[6];
    (void)number;
    if (in_allocator && !anywhere)
        return;
    /* One handler on the heels of another would leave what they interrupted no time to go on, with the key that they need. */
    static _Thread_local uint64_t ended;
    if (test_now_ns() - ended < 10000)
        return;
    for (int i = 0; i < 6; i++) {
        held[i].size = test_random_size(&random, i == 0 && handled % 64 == 0 ? 18 : 11);
        held[i].block = malloc(held[i].size);
        CHECK(held[i].block != NULL);
        shadow_claim(held[i].block, held[i].size);
        test_fill(held[i].block, held[i].size, (uint64_t)i);
    }
    for (int i = 5; i >= 0; i--) {
        test_intact(held[i].block, held[i].size, (uint64_t)i);
        shadow_release(held[i].block, held[i].size);
        free(held[i].block);
    }
    handled++;
    ended = test_now_ns();
    errno = error;
}

static void compute(void) {
    static volatile double x = 1;
    for (int i = 0; i < 10000; i++)
        x = x * 1.0000001 + i;
}

static void *allocate(void *argument) {
    uint64_t random = 5 + (uintptr_t)argument;
    static _Thread_local struct {
        void *block;
        size_t size;
    } held[300];
    while (!stop) {
        size_t at = test_random(&random) % 300;
        if (held[at].block != NULL) {
            test_intact(held[at].block, held[at].size, at);
            shadow_release(held[at].block, held[at].size);
            in_allocator = true;
            free(held[at].block);
            in_allocator = false;
        }
        held[at].size = test_random_size(&random, at == 0 ? 18 : 11);
        in_allocator = true;
        held[at].block = malloc(held[at].size);
        in_allocator = false;
        CHECK(held[at].block != NULL);
        shadow_claim(held[at].block, held[at].size);
        test_fill(held[at].block, held[at].size, at);
    }
    return NULL;
}

static void *tell_time(void *argument) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    test_sleep_ms((unsigned)(uintptr_t)argument);
    stop = true;
    return NULL;
}

/* Until the time is over. */
static void be_interrupted(const char *how) {
    pthread_t other;
    bool threads = strcmp(how, "threads") == 0;
    if (strcmp(how, "computing") == 0) {
        while (!stop)
            compute();
    } else if (threads) {
        CHECK(pthread_create(&other, NULL, allocate, (void *)1) == 0);
        while (
            !stop) { /* the kernel gives the process's signal to the first thread where it can: send the other some */
            pthread_kill(other, SIGALRM);
            sched_yield();
        }
        pthread_join(other, NULL);
    } else {
        allocate(NULL);
    }
}

int main(int argc, char **argv) {
    CHECK(argc > 1);
    unsigned ms = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1500;
    test_begin();
    shadow_start();
    anywhere = strcmp(argv[1], "inside") == 0;
    pthread_t clock;
    CHECK(pthread_create(&clock, NULL, tell_time, (void *)(uintptr_t)ms) == 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval timer = {{0, 30}, {0, 30}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    be_interrupted(argv[1]);
    memset(&timer, 0, sizeof timer);
    setitimer(ITIMER_REAL, &timer, NULL);
    pthread_join(clock, NULL);
    printf("%u signals handled\n", handled);
    CHECK(handled > ms / 4, "only %u signals in %u ms", handled, ms);
    return 0;
}
