/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The room's thread of a program is stopped by a debugger, at a moment nobody chose, and the program goes on: it
 * allocates, frees, exchanges blocks between threads, forks if told to, and ends in time, with memory bounded.
 * Usage: room_stopped TIMES [fork]   (the environment has LD_PRELOAD, and NGRT_SERVER=on)
 */
#include "check.h"
#include "tasks.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define SHARED 4096

static void *shared[SHARED];

static void *churn(void *argument) {
    uint64_t random = 1 + (uintptr_t)argument;
    for (size_t i = 0; i < 1500000; i++) {
        size_t size = test_random_size(&random, (test_random(&random) & 255) == 0 ? 18 : 11);
        unsigned char *p = (unsigned char *)malloc(size);
        CHECK(p != NULL);
        p[0] = p[size - 1] = 1;
        p = (unsigned char *)__atomic_exchange_n(&shared[test_random(&random) % SHARED], p, __ATOMIC_ACQ_REL);
        free(p);
    }
    return NULL;
}

static void work(void) {
    pthread_t thread[2];
    for (size_t i = 0; i < 2; i++)
        CHECK(pthread_create(&thread[i], NULL, churn, (void *)i) == 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
}

/* The program: works until it has a room, says so, waits to be told, works again, and forks. */
static int program(int tell, int told, bool forks) {
    int room = 0;
    for (int i = 0; i < 50 && room == 0; i++) {
        churn((void *)(uintptr_t)i);
        room = tasks_room(getpid());
    }
    CHECK(write(tell, &room, sizeof room) == sizeof room);
    char byte;
    /* Works on while the room is being stopped, so that it may be anywhere. */
    fcntl(told, F_SETFL, O_NONBLOCK);
    while (read(told, &byte, 1) != 1)
        churn((void *)7);
    uint64_t start = test_now_ns();
    work();
    if (forks) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            alarm(60);
            work();
            _exit(0);
        }
        int status;
        CHECK(waitpid(pid, &status, 0) == pid && status == 0, "child's status 0x%x", status);
    }
    size_t rss = test_rss();
    CHECK(rss < (200u << 20), "resident %zu MiB", rss >> 20);
    printf("worked %llu ms with the room stopped, resident %zu MiB\n",
           (unsigned long long)((test_now_ns() - start) / 1000000), rss >> 20);
    return 0;
}

static void stop_and_watch(char *self, bool forks) {
    int up[2], down[2];
    CHECK(pipe(up) == 0 && pipe(down) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(120);
        char tell[16], told[16];
        snprintf(tell, sizeof tell, "%d", up[1]);
        snprintf(told, sizeof told, "%d", down[0]);
        execl("/proc/self/exe", self, "program", tell, told, forks ? "fork" : "alone", (char *)NULL);
        _exit(1);
    }
    int room = 0, status;
    close(up[1]);
    CHECK(read(up[0], &room, sizeof room) == sizeof room, "the program ended early");
    CHECK(room != 0, "the program never had a room");
    if (ptrace(PTRACE_SEIZE, room, NULL, NULL) != 0) {
        kill(pid, SIGKILL);
        test_skip("ptrace is not allowed here");
    }
    CHECK(ptrace(PTRACE_INTERRUPT, room, NULL, NULL) == 0);
    CHECK(waitpid(room, &status, __WALL) == room && WIFSTOPPED(status));
    CHECK(write(down[1], "g", 1) == 1);
    /* The room's end (by a fork that makes it leave, or by the program's) is a stop that must be let through. */
    for (;;) {
        pid_t which = waitpid(-1, &status, __WALL);
        CHECK(which > 0);
        if (which == pid)
            break;
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the program's status 0x%x%s", status,
          WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? " (it hung)" : "");
    close(up[0]);
    close(down[0]);
    close(down[1]);
}

int main(int argc, char **argv) {
    test_begin();
    if (argc > 4)
        return program(atoi(argv[2]), atoi(argv[3]), strcmp(argv[4], "fork") == 0);
    CHECK(argc > 1, "how often?");
    int times = atoi(argv[1]);
    for (int i = 0; i < times; i++)
        stop_and_watch(argv[0], argc > 2 && strcmp(argv[2], "fork") == 0);
    return 0;
}
