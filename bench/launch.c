/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * launch.c: runs one command and reports what it took.  Used by measure.py, which compiles it.
 *
 *     launch DESCRIPTOR LIMIT [--no-huge-pages] [NAME=VALUE...] COMMAND [ARGUMENT...]
 *
 * The command inherits everything but the descriptor, to which the report goes, and gets the settings in its environment
 * that launch itself should not have (LD_PRELOAD).  The report has a name and numbers in each line:
 *
 *     elapsed NS / user US / system US / peak KIB / faults N     all threads, and children that were waited for
 *     status N             exit status, or minus the signal
 *     hung 0|1             killed at LIMIT (seconds)
 *     average KIB / room_user NS / room_system NS / room_faults N / rss NS KIB         see watch.h
 *     counter NAME N       where the machine counts it
 *
 * Not done in Python because Linux hands a parent's peak memory down through exec, and wait4 reports the larger one:
 * every program would seem to need what the interpreter needs.  This one stays below a megabyte.
 */
#define _GNU_SOURCE
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const long long SHORTEST_PAUSE = 1000000, LONGEST_PAUSE = 10000000; /* ns */

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long micros(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

/* Counters of the processor ------------------------------------------------------------------------------------------ */

#define MISSES(cache, what) ((cache) | (what) << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16)

static struct counter {
    const char *name;
    uint32_t type;
    uint64_t config;
    int fd;
} counters[] = {
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, -1},
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, -1},
    {"cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, -1},
    {"dtlb-misses", PERF_TYPE_HW_CACHE, MISSES(PERF_COUNT_HW_CACHE_DTLB, PERF_COUNT_HW_CACHE_OP_READ), -1},
    {"dtlb-store-misses", PERF_TYPE_HW_CACHE, MISSES(PERF_COUNT_HW_CACHE_DTLB, PERF_COUNT_HW_CACHE_OP_WRITE), -1},
    {"llc-load-misses", PERF_TYPE_HW_CACHE, MISSES(PERF_COUNT_HW_CACHE_LL, PERF_COUNT_HW_CACHE_OP_READ), -1},
    {"llc-store-misses", PERF_TYPE_HW_CACHE, MISSES(PERF_COUNT_HW_CACHE_LL, PERF_COUNT_HW_CACHE_OP_WRITE), -1},
    {"context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, -1},
    {"migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, -1},
};

enum { COUNTERS = sizeof(counters) / sizeof(counters[0]) };

/* They are this process's own and stand still; the child inherits them, and they start when it runs the command. */
static void open_counters(void) {
    for (struct counter *c = counters; c < counters + COUNTERS; c++) {
        struct perf_event_attr attributes = {.size = sizeof(attributes), .type = c->type, .config = c->config};
        attributes.disabled = attributes.inherit = attributes.enable_on_exec = attributes.exclude_hv = 1;
        attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
        c->fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
        if (c->fd < 0) { /* an ordinary user may count what runs outside the kernel */
            attributes.exclude_kernel = 1;
            c->fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
        }
    }
}

static void report_counters(int report) {
    for (struct counter *c = counters; c < counters + COUNTERS; c++) {
        uint64_t got[3]; /* count, time enabled, time counting: fewer where counters took turns */
        if (c->fd >= 0 && read(c->fd, got, sizeof(got)) == sizeof(got) && got[2] > 0)
            dprintf(report, "counter %s %.0f\n", c->name, (double)got[0] * ((double)got[1] / (double)got[2]));
    }
}

/* Watching ----------------------------------------------------------------------------------------------------------- */

static long long between(long long least, long long value, long long most) {
    return value < least ? least : value > most ? most : value;
}

/* Watches the child until its end, without reaping it, for at most `limit` seconds.  0: it ended; 1: it had to be killed;
 * more: we were asked to stop by this signal, and it was killed. */
static int watch(pid_t child, long long started, double limit, const sigset_t *wanted) {
    long long end = started + (long long)(limit * 1e9);
    int got = -1;
    watch_begin(child, started);
    for (long long time = now(); got < 0 && time < end; time = now()) {
        watch_look(time);
        long long pause = between(SHORTEST_PAUSE, (time - started) / 16, LONGEST_PAUSE);
        pause = pause > end - time ? end - time : pause;
        struct timespec left = {pause / 1000000000, pause % 1000000000};
        got = sigtimedwait(wanted, NULL, &left);
    }
    if (got == SIGCHLD)
        return 0;
    kill(-child, SIGKILL);
    return got < 0 ? 1 : got;
}

/* Starts the command in a process group of its own, so that its children can be killed with it. */
static int start(pid_t *child, char **command, const sigset_t *mask) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    return posix_spawnp(child, command[0], NULL, &attributes, command, environ);
}

static int run(char **command, double limit, int report) {
    sigset_t wanted, before;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, &before);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    open_counters();

    pid_t child;
    long long started = now();
    int failed = start(&child, command, &before);
    if (failed) {
        fprintf(stderr, "launch: %s: %s\n", command[0], strerror(failed));
        return 127;
    }
    int ended = watch(child, started, limit, &wanted), status;
    struct rusage used;
    wait4(child, &status, 0, &used);
    long long elapsed = now() - started;
    if (ended > 1)
        return 128 + ended;
    dprintf(report, "elapsed %lld\nuser %lld\nsystem %lld\npeak %ld\nfaults %ld\nstatus %d\nhung %d\n", elapsed,
            micros(used.ru_utime), micros(used.ru_stime), used.ru_maxrss, used.ru_minflt + used.ru_majflt,
            WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), ended);
    watch_report(report, elapsed);
    report_counters(report);
    return 0;
}

int main(int argc, char **argv) {
    int report = argc > 3 ? atoi(argv[1]) : 0;
    double limit = argc > 3 ? atof(argv[2]) : 0;
    char **command = argv + (argc > 3 ? 3 : argc);
    bool small = *command && strcmp(*command, "--no-huge-pages") == 0;
    for (command += small; *command && strchr(*command, '='); command++)
        putenv(*command);
    if (report < 3 || limit <= 0 || !*command) {
        fprintf(stderr, "usage: launch DESCRIPTOR LIMIT [--no-huge-pages] [NAME=VALUE...] COMMAND [ARGUMENT...]\n");
        return 2;
    }
    fcntl(report, F_SETFD, FD_CLOEXEC);
    if (small && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) {
        perror("launch: huge pages cannot be switched off");
        return 2;
    }
    return run(command, limit, report);
}
