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
 *     average KIB          resident memory of the command's own process, weighted by time
 *     room_user NS / room_system NS / room_faults N              the part of the threads that are named ngrt-room
 *     counter NAME N       where the machine counts it
 *     rss NS KIB           resident memory over time, at most POINTS lines
 *
 * Not done in Python because Linux hands a parent's peak memory down through exec, and wait4 reports the larger one:
 * every program would seem to need what the interpreter needs.  This one stays below a megabyte.
 *
 * Everything that /proc says is read through descriptors that stay open, every millisecond at first and every 10 later,
 * so that watching costs well under 1 % of a processor.  What the room does after the last look, at most 10 ms before the
 * end, counts as the program's.
 */
#define _GNU_SOURCE
#include <dirent.h>
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
enum { POINTS = 200, ROOMS = 16, NAME_LENGTH = 64 };

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long micros(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

/* Counters of the processor ------------------------------------------------------------------------------------------ */

static struct counter {
    const char *name;
    uint32_t type;
    uint64_t config;
    int fd;
} counters[] = {
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, -1},
    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, -1},
    {"cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, -1},
    {"dtlb-misses", PERF_TYPE_HW_CACHE,
     PERF_COUNT_HW_CACHE_DTLB | PERF_COUNT_HW_CACHE_OP_READ << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16, -1},
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

/* The command's memory over time ------------------------------------------------------------------------------------- */

static struct {
    int statm;
    long page; /* KiB */
    long long start, last, area;
    long kib;
    struct point {
        long long at;
        long kib;
    } points[POINTS];
    int count, stride, skipped;
} memory = {.statm = -1, .stride = 1};

static void keep_point(long long at, long kib) {
    if (++memory.skipped < memory.stride)
        return;
    memory.skipped = 0;
    if (memory.count == POINTS) { /* every second one goes, and from now on so many fewer come */
        memory.count = POINTS / 2;
        for (int i = 0; i < memory.count; i++)
            memory.points[i] = memory.points[2 * i + 1];
        memory.stride *= 2;
    }
    memory.points[memory.count++] = (struct point){at, kib};
}

static void look_at_memory(long long time) {
    char text[128];
    ssize_t length = pread(memory.statm, text, sizeof(text) - 1, 0);
    if (length <= 0)
        return;
    text[length] = 0;
    char *resident = strchr(text, ' ');
    long kib = resident ? strtol(resident, NULL, 10) * memory.page : 0;
    if (kib == 0) /* it has ended */
        return;
    long long passed = time - memory.last;
    memory.area += passed * (memory.count ? (memory.kib + kib) / 2 : kib);
    memory.kib = kib;
    memory.last = time;
    keep_point(time - memory.start, kib);
}

/* The room's threads ------------------------------------------------------------------------------------------------- */

static struct room {
    int tid, stat, schedstat;
    long long user, system, faults; /* ns, ns, pages; what the last look saw */
} rooms[ROOMS];
static int room_count;

static bool is_room(int tasks, const char *tid) {
    char path[NAME_LENGTH], name[32] = "";
    snprintf(path, sizeof(path), "%s/comm", tid);
    int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, name, sizeof(name) - 1);
    close(fd);
    return length > 0 && strcmp(name, "ngrt-room\n") == 0;
}

static void add_room(int tasks, const char *tid) {
    int number = (int)strtol(tid, NULL, 10);
    for (int i = 0; i < room_count; i++)
        if (rooms[i].tid == number)
            return;
    char path[NAME_LENGTH];
    struct room *r = &rooms[room_count++];
    r->tid = number;
    snprintf(path, sizeof(path), "%s/stat", tid);
    r->stat = openat(tasks, path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "%s/schedstat", tid);
    r->schedstat = openat(tasks, path, O_RDONLY | O_CLOEXEC);
}

static void look_for_rooms(DIR *tasks) {
    rewinddir(tasks);
    for (struct dirent *entry; room_count < ROOMS && (entry = readdir(tasks));)
        if (entry->d_name[0] != '.' && is_room(dirfd(tasks), entry->d_name))
            add_room(dirfd(tasks), entry->d_name);
}

/* schedstat has nanoseconds but no split, stat a split in ticks of 10 ms: the one is divided as the other says. */
static void look_at_room(struct room *r) {
    char text[512];
    ssize_t length = pread(r->schedstat, text, sizeof(text) - 1, 0);
    if (length <= 0)
        return;
    text[length] = 0;
    long long ran = strtoll(text, NULL, 10);
    length = pread(r->stat, text, sizeof(text) - 1, 0);
    if (length <= 0)
        return;
    text[length] = 0;
    unsigned long minor, major, user, system;
    const char *fields = strrchr(text, ')');
    if (!fields ||
        sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu %*u %lu %lu", &minor, &major, &user, &system) != 4)
        return;
    r->faults = (long long)minor + (long long)major;
    r->system = user + system ? (long long)((double)ran * (double)system / (double)(user + system)) : 0;
    r->user = ran - r->system;
}

/* Watching and the report -------------------------------------------------------------------------------------------- */

static long long between(long long least, long long value, long long most) {
    return value < least ? least : value > most ? most : value;
}

static DIR *open_watch(pid_t child) {
    char path[NAME_LENGTH];
    snprintf(path, sizeof(path), "/proc/%d/statm", child);
    memory.statm = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/task", child);
    return opendir(path);
}

/* Watches the child until its end, without reaping it, for at most `limit` seconds.  0: it ended; 1: it had to be killed;
 * more: we were asked to stop by this signal, and it was killed. */
static int watch(pid_t child, double limit, const sigset_t *wanted) {
    DIR *tasks = open_watch(child);
    long long looked = memory.start, end = memory.start + (long long)(limit * 1e9);
    int got = -1;
    for (long long time = now(); got < 0 && time < end; time = now()) {
        look_at_memory(time);
        if (tasks && time - looked >= between(5 * SHORTEST_PAUSE, (time - memory.start) / 16, 6 * LONGEST_PAUSE)) {
            look_for_rooms(tasks);
            looked = time;
        }
        for (int i = 0; i < room_count; i++)
            look_at_room(&rooms[i]);
        long long pause = between(SHORTEST_PAUSE, (time - memory.start) / 16, LONGEST_PAUSE);
        pause = pause > end - time ? end - time : pause;
        struct timespec left = {pause / 1000000000, pause % 1000000000};
        got = sigtimedwait(wanted, NULL, &left);
    }
    if (tasks)
        closedir(tasks);
    if (got == SIGCHLD)
        return 0;
    kill(-child, SIGKILL);
    return got < 0 ? 1 : got;
}

static void report_watched(int report, long long elapsed) {
    struct room all = {0};
    for (int i = 0; i < room_count; i++) {
        all.user += rooms[i].user;
        all.system += rooms[i].system;
        all.faults += rooms[i].faults;
    }
    long long rest = memory.start + elapsed - memory.last;
    dprintf(report, "average %lld\nroom_user %lld\nroom_system %lld\nroom_faults %lld\n",
            elapsed > 0 ? (memory.area + rest * memory.kib) / elapsed : 0, all.user, all.system, all.faults);
    for (int i = 0; i < memory.count; i++)
        dprintf(report, "rss %lld %ld\n", memory.points[i].at, memory.points[i].kib);
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
    memory.page = sysconf(_SC_PAGESIZE) / 1024;

    pid_t child;
    memory.start = memory.last = now();
    int failed = start(&child, command, &before);
    if (failed) {
        fprintf(stderr, "launch: %s: %s\n", command[0], strerror(failed));
        return 127;
    }
    int ended = watch(child, limit, &wanted), status;
    struct rusage used;
    wait4(child, &status, 0, &used);
    long long elapsed = now() - memory.start;
    if (ended > 1)
        return 128 + ended;
    dprintf(report, "elapsed %lld\nuser %lld\nsystem %lld\npeak %ld\nfaults %ld\nstatus %d\nhung %d\n", elapsed,
            micros(used.ru_utime), micros(used.ru_stime), used.ru_maxrss, used.ru_minflt + used.ru_majflt,
            WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), ended);
    report_watched(report, elapsed);
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
