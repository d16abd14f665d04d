/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * vfork, posix_spawn, system, popen, a daemon's double fork, and exec from a program with threads, while those allocate.
 */
#include "check.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;
static bool stop;

static void *churn(void *argument) {
    uint64_t random = 9 + (uintptr_t)argument;
    void *held[100] = {NULL};
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        size_t at = test_random(&random) % 100;
        free(held[at]);
        held[at] = malloc(test_random_size(&random, 12));
        CHECK(held[at] != NULL);
    }
    for (size_t i = 0; i < 100; i++)
        free(held[i]);
    return NULL;
}

static void expect(pid_t pid, int status_wanted, const char *what) {
    int status;
    CHECK(pid > 0, "%s", what);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == status_wanted, "%s: status 0x%x", what, status);
}

static void by_vfork(char *self) {
    char *arguments[] = {self, (char *)"exec'd", NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        execve("/proc/self/exe", arguments, environ);
        _exit(127);
    }
    expect(pid, 5, "vfork and exec");
    pid = vfork();
    if (pid == 0)
        _exit(6);
    expect(pid, 6, "vfork and _exit");
}

static void by_spawn(char *self) {
    char *arguments[] = {self, (char *)"exec'd", NULL};
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    CHECK(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    expect(pid, 5, "posix_spawn");
}

static void by_shell(void) {
    CHECK(system("exit 7") == 7 << 8);
    char line[64];
    FILE *pipe = popen("echo from the shell", "r");
    CHECK(pipe != NULL && fgets(line, sizeof line, pipe) != NULL && strcmp(line, "from the shell\n") == 0);
    CHECK(pclose(pipe) == 0);
}

/* A daemon: a child whose parent is gone; it tells by a pipe that its heap works. */
static void by_daemon(void) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    void *inherited = malloc(300);
    test_fill(inherited, 300, 1);
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() != 0)
            _exit(0);
        setsid();
        alarm(20);
        test_intact(inherited, 300, 1);
        free(inherited);
        pthread_t thread;
        __atomic_store_n(&stop, false, __ATOMIC_RELAXED);
        CHECK(pthread_create(&thread, NULL, churn, NULL) == 0);
        test_sleep_ms(20);
        __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
        pthread_join(thread, NULL);
        CHECK(write(ends[1], "k", 1) == 1);
        _exit(0);
    }
    free(inherited);
    close(ends[1]);
    expect(pid, 0, "the daemon's parent");
    char byte = 0;
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'k', "the daemon said nothing");
    close(ends[0]);
}

int main(int argc, char **argv) {
    test_begin();
    if (argc > 1) { /* exec'd */
        char *p = (char *)malloc(100000);
        CHECK(p != NULL);
        memset(p, 1, 100000);
        free(p);
        return 5;
    }
    pthread_t thread[2];
    for (size_t i = 0; i < 2; i++)
        CHECK(pthread_create(&thread[i], NULL, churn, (void *)i) == 0);
    for (int i = 0; i < 10; i++) {
        by_vfork(argv[0]);
        by_spawn(argv[0]);
        by_shell();
        by_daemon();
    }
    pid_t pid = fork(); /* exec while other threads are in the allocator */
    if (pid == 0) {
        CHECK(pthread_create(&thread[0], NULL, churn, (void *)3) == 0);
        test_sleep_ms(10);
        execl("/proc/self/exe", argv[0], "exec'd", (char *)NULL);
        _exit(127);
    }
    expect(pid, 5, "exec among threads");
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
