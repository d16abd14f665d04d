/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * tasks.h: the threads of a process as /proc shows them: how many, which is the room's, and what it may and does do.
 * Allocates nothing (but opendir's buffer, which is libc's).
 */
#ifndef NGRT_TEST_TASKS_H
#define NGRT_TEST_TASKS_H

#include "check.h"

#include <dirent.h>

#define ROOM_NAME "ngrt-room"

/* Calls for each thread of the process until the function returns true; returns that thread's id, or 0. */
static inline int tasks_find(int process, bool (*wanted)(int process, int task), int *count) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *directory = opendir(path);
    CHECK(directory != NULL, "%s", path);
    struct dirent *entry;
    int found = 0, n = 0;
    while ((entry = readdir(directory)) != NULL) {
        int task = atoi(entry->d_name);
        if (task == 0)
            continue;
        n++;
        if (found == 0 && wanted(process, task))
            found = task;
    }
    closedir(directory);
    if (count != NULL)
        *count = n;
    return found;
}

static inline bool tasks_is_room(int process, int task) {
    char path[96], name[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", process, task);
    return test_read_file(path, name, sizeof name) > 0 && strncmp(name, ROOM_NAME, strlen(ROOM_NAME)) == 0;
}

static inline int tasks_room(int process) { return tasks_find(process, tasks_is_room, NULL); }

static inline int tasks_count(int process) {
    int count;
    tasks_find(process, tasks_is_room, &count);
    return count;
}

/* A line of a thread's status, as "SigBlk:"; a hexadecimal number. */
static inline uint64_t tasks_status_hex(int process, int task, const char *line) {
    char path[96], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", process, task);
    CHECK(test_read_file(path, text, sizeof text) > 0);
    char *at = strstr(text, line);
    CHECK(at != NULL, "%s has no %s", path, line);
    return strtoull(at + strlen(line), NULL, 16);
}

/* The time that a thread has run, nanoseconds; 0 where the kernel does not say. */
static inline uint64_t tasks_run_ns(int process, int task) {
    char path[96], text[128];
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", process, task);
    return test_read_file(path, text, sizeof text) > 0 ? strtoull(text, NULL, 10) : 0;
}

#endif
