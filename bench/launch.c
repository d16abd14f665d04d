/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * launch.c: runs one command and reports what it took.  Used by measure.py, which compiles it.
 *
 *     launch DESCRIPTOR LIMIT [NAME=VALUE...] COMMAND [ARGUMENT...]
 *
 * The command inherits everything but the descriptor, to which one line goes, and gets the settings in its environment
 * that launch itself should not have (LD_PRELOAD).  The line:
 *     elapsed (ns)  user (us)  system (us)  peak (KiB)  page faults  exit status or minus the signal  1 if killed at LIMIT (s)
 *
 * Not done in Python because Linux hands a parent's peak memory down through exec, and wait4 reports the larger one:
 * every program would seem to need what the interpreter needs.  This one stays below a megabyte.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long micros(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

/* Waits for the child's end, without reaping it, for at most `limit` seconds.  1 if it had to be killed. */
static int wait_or_kill(pid_t child, double limit, const sigset_t *chld) {
    struct timespec left = {(time_t)limit, (long)((limit - (double)(time_t)limit) * 1e9)};
    int got;
    do
        got = sigtimedwait(chld, NULL, &left);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        return 0;
    kill(child, SIGKILL);
    return 1;
}

int main(int argc, char **argv) {
    int report = argc > 3 ? atoi(argv[1]) : 0;
    double limit = argc > 3 ? atof(argv[2]) : 0;
    char **command = argv + 3;
    while (argc > 3 && *command && strchr(*command, '='))
        putenv(*command++);
    if (report < 3 || limit <= 0 || !*command) {
        fprintf(stderr, "usage: launch DESCRIPTOR LIMIT [NAME=VALUE...] COMMAND [ARGUMENT...]\n");
        return 2;
    }
    fcntl(report, F_SETFD, FD_CLOEXEC);
    sigset_t chld, before;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, &before);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &before);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    pid_t child;
    long long start = now();
    int failed = posix_spawnp(&child, command[0], NULL, &attributes, command, environ);
    if (failed) {
        fprintf(stderr, "launch: %s: %s\n", command[0], strerror(failed));
        return 127;
    }
    int killed = wait_or_kill(child, limit, &chld);
    int status;
    struct rusage used;
    wait4(child, &status, 0, &used);
    long long elapsed = now() - start;
    dprintf(report, "%lld %lld %lld %ld %ld %d %d\n", elapsed, micros(used.ru_utime), micros(used.ru_stime),
            used.ru_maxrss, used.ru_minflt + used.ru_majflt,
            WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), killed);
    return 0;
}
