/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * watch.c: see watch.h.
 */
#define _GNU_SOURCE
#include "watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POINTS = 200, PROCESSES = 64, ROOMS = 64, NAME_LENGTH = 64 };

static const long long SHORTEST_SEARCH = 5000000, LONGEST_SEARCH = 60000000; /* ns between looks for new threads */

static long long started, searched;

/* Reads a file of /proc anew into `text`, with an end; false where there is nothing to read. */
static bool read_again(int fd, char *text, size_t size) {
    ssize_t length = pread(fd, text, size - 1, 0);
    if (length <= 0)
        return false;
    text[length] = 0;
    return true;
}

static int open_in(int folder, const char *tid, const char *name) {
    char path[NAME_LENGTH];
    snprintf(path, sizeof(path), "%s/%s", tid, name);
    return openat(folder, path, O_RDONLY | O_CLOEXEC);
}

/* Memory over time --------------------------------------------------------------------------------------------------- */

static struct {
    long long last, area;
    long kib;
    struct point {
        long long at;
        long kib;
    } points[POINTS];
    int count, stride, skipped;
} memory = {.stride = 1};

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

static void note_memory(long long time, long kib) {
    if (kib == 0) /* all have ended */
        return;
    memory.area += (time - memory.last) * (memory.count ? (memory.kib + kib) / 2 : kib);
    memory.kib = kib;
    memory.last = time;
    keep_point(time - started, kib);
}

/* The rooms' threads ------------------------------------------------------------------------------------------------- */

static struct room {
    int tid, stat, schedstat;
    long long user, system, faults; /* ns, ns, pages; what the last look saw */
} rooms[ROOMS];
static int room_count;

static bool is_room(int tasks, const char *tid) {
    char name[32] = "";
    int fd = open_in(tasks, tid, "comm");
    bool found = fd >= 0 && read_again(fd, name, sizeof(name)) && strcmp(name, "ngrt-room\n") == 0;
    if (fd >= 0)
        close(fd);
    return found;
}

static void add_room(int tasks, const char *tid) {
    int number = atoi(tid);
    for (int i = 0; i < room_count; i++)
        if (rooms[i].tid == number)
            return;
    if (room_count == ROOMS)
        return;
    rooms[room_count++] = (struct room){
        .tid = number, .stat = open_in(tasks, tid, "stat"), .schedstat = open_in(tasks, tid, "schedstat")};
}

/* schedstat has nanoseconds but no split, stat a split in ticks of 10 ms: the one is divided as the other says. */
static void look_at_room(struct room *r) {
    char text[512];
    if (!read_again(r->schedstat, text, sizeof(text)))
        return;
    long long ran = strtoll(text, NULL, 10);
    if (!read_again(r->stat, text, sizeof(text)))
        return;
    unsigned long minor, major, user, system;
    const char *fields = strrchr(text, ')');
    if (!fields ||
        sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu %*u %lu %lu", &minor, &major, &user, &system) != 4)
        return;
    r->faults = (long long)minor + (long long)major;
    r->system = user + system ? (long long)((double)ran * (double)system / (double)(user + system)) : 0;
    r->user = ran - r->system;
}

/* The processes ------------------------------------------------------------------------------------------------------ */

static struct process {
    pid_t pid;
    int statm;
    DIR *tasks;
} processes[PROCESSES];
static int process_count;

static void add_process(pid_t pid) {
    for (int i = 0; i < process_count; i++)
        if (processes[i].pid == pid)
            return;
    if (process_count == PROCESSES)
        return;
    char path[NAME_LENGTH];
    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    int statm = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = statm >= 0 ? opendir(path) : NULL;
    if (tasks)
        processes[process_count++] = (struct process){pid, statm, tasks};
    else if (statm >= 0)
        close(statm);
}

static void forget_process(struct process *p) {
    close(p->statm);
    closedir(p->tasks);
    *p = processes[--process_count];
}

/* Where the kernel lists no children, only the command itself is watched. */
static void add_children(int tasks, const char *tid) {
    char text[1024];
    int fd = open_in(tasks, tid, "children");
    if (fd >= 0 && read_again(fd, text, sizeof(text))) {
        char *end;
        for (char *at = text; *at; at = end) {
            long pid = strtol(at, &end, 10);
            if (end == at || (*end != ' ' && *end != '\n')) /* the end, or a number cut short */
                break;
            add_process((pid_t)pid);
        }
    }
    if (fd >= 0)
        close(fd);
}

static void search(struct process *p) {
    int tasks = dirfd(p->tasks);
    DIR *list = p->tasks;
    rewinddir(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        if (entry->d_name[0] == '.')
            continue;
        if (is_room(tasks, entry->d_name))
            add_room(tasks, entry->d_name);
        add_children(tasks, entry->d_name);
    }
}

/* KiB; 0: the process has ended. */
static long resident(const struct process *p) {
    char text[128];
    char *pages = read_again(p->statm, text, sizeof(text)) ? strchr(text, ' ') : NULL;
    return pages ? strtol(pages, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

void watch_begin(pid_t command, long long time) {
    started = searched = memory.last = time;
    add_process(command);
}

void watch_look(long long time) {
    long most = 0;
    for (int i = process_count - 1; i >= 0; i--) {
        long kib = resident(&processes[i]);
        most = kib > most ? kib : most;
        if (kib == 0)
            forget_process(&processes[i]);
    }
    note_memory(time, most);
    long long apart = (time - started) / 16;
    apart = apart < SHORTEST_SEARCH ? SHORTEST_SEARCH : apart > LONGEST_SEARCH ? LONGEST_SEARCH : apart;
    if (time - searched >= apart) {
        for (int i = 0; i < process_count; i++) /* those that it adds as well */
            search(&processes[i]);
        searched = time;
    }
    for (int i = 0; i < room_count; i++)
        look_at_room(&rooms[i]);
}

void watch_report(int report, long long elapsed) {
    struct room all = {0};
    for (int i = 0; i < room_count; i++) {
        all.user += rooms[i].user;
        all.system += rooms[i].system;
        all.faults += rooms[i].faults;
    }
    long long rest = started + elapsed - memory.last;
    dprintf(report, "average %lld\nroom_user %lld\nroom_system %lld\nroom_faults %lld\n",
            elapsed > 0 ? (memory.area + rest * memory.kib) / elapsed : 0, all.user, all.system, all.faults);
    for (int i = 0; i < memory.count; i++)
        dprintf(report, "rss %lld %ld\n", memory.points[i].at, memory.points[i].kib);
}
