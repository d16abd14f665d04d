/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * limits.c: how much memory the process's groups leave it, and whether somebody waits for memory.  Any core, no
 * lock; one thread at a time.
 */
#include "os/os.h"

#include "os/cgroup.h"

#include <stdlib.h>
#include <string.h>

const char *ng_os_pressure_file = "/proc/pressure/memory";

/* The number behind a word at the start of a line or behind a space; 0 where there is none. */
static uint64_t number_behind(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += length)
        if (at == text || at[-1] == '\n' || at[-1] == ' ')
            return strtoull(at + length, NULL, 10);
    return 0;
}

/* "max" and v1's largest number are no limit. */
static uint64_t read_limit(const char *dir, const char *file) {
    char text[64];
    if (!ng_os_cgroup_file(dir, file, text, sizeof text) || text[0] < '0' || text[0] > '9')
        return UINT64_MAX;
    uint64_t limit = strtoull(text, NULL, 10);
    return limit >= (uint64_t)1 << 62 ? UINT64_MAX : limit;
}

static uint64_t read_number(const char *dir, const char *file) {
    char text[64];
    return ng_os_cgroup_file(dir, file, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

/* What the group has in use: files that nobody has looked at lately make way for whatever else is wanted. */
static uint64_t in_use(const char *dir, bool v2) {
    static char text[8192]; /* threads may have small stacks, and one at a time asks */
    uint64_t all = read_number(dir, v2 ? "memory.current" : "memory.usage_in_bytes");
    if (!ng_os_cgroup_file(dir, "memory.stat", text, sizeof text))
        return all;
    uint64_t files = number_behind(text, v2 ? "inactive_file " : "total_inactive_file ");
    return all > files ? all - files : 0;
}

static void note_group(const char *dir, bool v2, void *data) {
    struct ng_os_memory *m = data;
    char text[512];
    uint64_t high = v2 ? read_limit(dir, "memory.high") : UINT64_MAX;
    uint64_t limit = read_limit(dir, v2 ? "memory.max" : "memory.limit_in_bytes");
    limit = high < limit ? high : limit;
    if (limit != UINT64_MAX) {
        uint64_t used = in_use(dir, v2), left = used < limit ? limit - used : 0;
        m->near |= left < limit / NG_OS_NEAR;
        m->left = left < m->left ? left : m->left;
    }
    if (!v2)
        m->events += read_number(dir, "memory.failcnt");
    else if (ng_os_cgroup_file(dir, "memory.events", text, sizeof text))
        m->events += number_behind(text, "high ") + number_behind(text, "max ");
    if (v2 && m->stalled_us == 0 && ng_os_cgroup_file(dir, "memory.pressure", text, sizeof text))
        m->stalled_us = number_behind(text, "total=");
}

struct ng_os_memory ng_os_memory(void) {
    struct ng_os_memory m = {.left = UINT64_MAX};
    char text[256];
    ng_os_cgroups("memory", note_group, &m);
    if (m.stalled_us == 0 && ng_os_read(ng_os_pressure_file, text, sizeof text))
        m.stalled_us = number_behind(text, "total=");
    return m;
}
