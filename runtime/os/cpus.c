/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * cpus.c: how many CPUs the process may use, and which suits the room.  Read once, when the room is about to start, by
 * the thread that starts it.  Owns no state; no lock.
 */
#include "os/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A small file's text, NUL-terminated; false where it cannot be read. */
static bool read_text(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

/* "max 100000" or "150000 100000" (cgroup v2): CPUs rounded down, UINT32_MAX where there is no quota. */
static unsigned quota_v2(const char *dir) {
    char path[512], text[64];
    snprintf(path, sizeof path, "%s/cpu.max", dir);
    if (!read_text(path, text, sizeof text) || text[0] == 'm')
        return UINT32_MAX;
    char *rest;
    unsigned long quota = strtoul(text, &rest, 10), period = strtoul(rest, NULL, 10);
    return period == 0 ? UINT32_MAX : (unsigned)(quota / period);
}

static unsigned quota_v1(const char *dir) {
    char path[512], text[64];
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", dir);
    if (!read_text(path, text, sizeof text) || text[0] == '-')
        return UINT32_MAX;
    unsigned long quota = strtoul(text, NULL, 10);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", dir);
    if (!read_text(path, text, sizeof text))
        return UINT32_MAX;
    unsigned long period = strtoul(text, NULL, 10);
    return period == 0 ? UINT32_MAX : (unsigned)(quota / period);
}

/* The least quota from the group itself up to the mount: a parent's limit binds its children. */
static unsigned quota_along(const char *mount, const char *group, unsigned (*quota)(const char *)) {
    char dir[448];
    unsigned least = UINT32_MAX;
    if (snprintf(dir, sizeof dir, "%s%s", mount, group) >= (int)sizeof dir)
        return least;
    for (size_t root = strlen(mount);;) {
        unsigned here = quota(dir);
        if (here < least)
            least = here;
        char *slash = strrchr(dir, '/');
        if (slash == NULL || (size_t)(slash - dir) < root || dir[root] == '\0')
            return least;
        *slash = '\0';
    }
}

/* One line of /proc/self/cgroup: "0::/group" (v2) or "6:cpu,cpuacct:/group" (v1). */
static unsigned quota_of_line(const char *line) {
    const char *controllers = strchr(line, ':');
    if (controllers == NULL)
        return UINT32_MAX;
    const char *group = strchr(++controllers, ':');
    if (group++ == NULL)
        return UINT32_MAX;
    if (*controllers == ':') {
        unsigned pure = quota_along("/sys/fs/cgroup", group, quota_v2);
        unsigned mixed = quota_along("/sys/fs/cgroup/unified", group, quota_v2);
        return pure < mixed ? pure : mixed;
    }
    for (const char *c = controllers; c < group; c += strcspn(c, ",:") + 1) {
        if (strncmp(c, "cpu", 3) == 0 && (c[3] == ',' || c[3] == ':'))
            return quota_along("/sys/fs/cgroup/cpu", group, quota_v1);
    }
    return UINT32_MAX;
}

static unsigned quota_cpus(void) {
    char text[4096];
    unsigned least = UINT32_MAX;
    if (!read_text("/proc/self/cgroup", text, sizeof text))
        return least;
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        bool last = *end == '\0';
        *end = '\0';
        unsigned here = quota_of_line(line);
        if (here < least)
            least = here;
        line = last ? end : end + 1;
    }
    return least;
}

unsigned ng_os_cpus(void) {
    cpu_set_t set;
    unsigned allowed = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        allowed = (unsigned)CPU_COUNT(&set);
    unsigned quota = quota_cpus();
    return quota < allowed ? quota : allowed;
}

const char *ng_os_cpu_folder = "/sys/devices/system/cpu";

/* What the system says of a CPU. */
static bool read_of_cpu(int cpu, const char *file, char *text, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/cpu%d/%s", ng_os_cpu_folder, cpu, file);
    return read_text(path, text, size);
}

/* How strong a CPU is, by the kernel's own scale, else by its highest frequency; 0 where neither is told. */
static unsigned long cpu_strength(int cpu) {
    static const char *const files[] = {"cpu_capacity", "cpufreq/cpuinfo_max_freq"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char text[32];
        if (read_of_cpu(cpu, files[i], text, sizeof text))
            return strtoul(text, NULL, 10);
    }
    return 0;
}

static void keep_the_weaker_kind(cpu_set_t *set) {
    unsigned long least = 0, most = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, set))
            continue;
        unsigned long s = cpu_strength(cpu);
        least = least == 0 || s < least ? s : least;
        most = s > most ? s : most;
    }
    /* Turbo bins differ by a few percent between equal cores: that is no other kind. */
    if (least == 0 || least + least / 4 > most)
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, set) && cpu_strength(cpu) > least + least / 4)
            CPU_CLR(cpu, set);
}

/* "0-1", "0,64": the CPUs of one physical core. */
static void leave_core_of(int program, cpu_set_t *set) {
    char text[256];
    if (!read_of_cpu(program, "topology/thread_siblings_list", text, sizeof text))
        return;
    if (text[strspn(text, "0123456789")] == '\n')
        return; /* one thread a core: the kernel's own choice of an idle CPU is better than ours */
    cpu_set_t rest = *set;
    for (char *p = text; *p >= '0' && *p <= '9';) {
        unsigned long first = strtoul(p, &p, 10), last = first;
        if (*p == '-')
            last = strtoul(p + 1, &p, 10);
        for (; first <= last && first < CPU_SETSIZE; first++)
            CPU_CLR((int)first, &rest);
        p += *p == ',';
    }
    if (CPU_COUNT(&rest) > 0)
        *set = rest;
}

void ng_os_room_cpus(int wanted, int program, cpu_set_t *set) {
    CPU_ZERO(set);
    if (sched_getaffinity(0, sizeof *set, set) != 0)
        return;
    if (wanted >= 0 && wanted < CPU_SETSIZE && CPU_ISSET(wanted, set)) {
        CPU_ZERO(set);
        CPU_SET(wanted, set);
        return;
    }
    keep_the_weaker_kind(set);
    leave_core_of(program, set);
}
