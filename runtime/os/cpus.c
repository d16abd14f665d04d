/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * cpus.c: how many CPUs the process may use, and which suits the room.  Asked by the thread that starts the room, and by the
 * room's own now and then.  Owns no state; no lock.
 */
#include "os/os.h"

#include "os/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* "max 100000" or "150000 100000" (cgroup v2): CPUs rounded down, UINT32_MAX where there is no quota. */
static unsigned quota_v2(const char *dir) {
    char text[64];
    if (!ng_os_cgroup_file(dir, "cpu.max", text, sizeof text) || text[0] == 'm')
        return UINT32_MAX;
    char *rest;
    unsigned long quota = strtoul(text, &rest, 10), period = strtoul(rest, NULL, 10);
    return period == 0 ? UINT32_MAX : (unsigned)(quota / period);
}

static unsigned quota_v1(const char *dir) {
    char text[64];
    if (!ng_os_cgroup_file(dir, "cpu.cfs_quota_us", text, sizeof text) || text[0] == '-')
        return UINT32_MAX;
    unsigned long quota = strtoul(text, NULL, 10);
    if (!ng_os_cgroup_file(dir, "cpu.cfs_period_us", text, sizeof text))
        return UINT32_MAX;
    unsigned long period = strtoul(text, NULL, 10);
    return period == 0 ? UINT32_MAX : (unsigned)(quota / period);
}

static void note_quota(const char *dir, bool v2, void *least) {
    unsigned here = v2 ? quota_v2(dir) : quota_v1(dir);
    if (here < *(unsigned *)least)
        *(unsigned *)least = here;
}

static unsigned quota_cpus(void) {
    unsigned least = UINT32_MAX;
    ng_os_cgroups("cpu", note_quota, &least);
    return least;
}

static void add_cpus_of(pid_t task, cpu_set_t *set) {
    cpu_set_t one;
    if (sched_getaffinity(task, sizeof one, &one) == 0)
        CPU_OR(set, set, &one);
}

/* Where any thread of the program may run: one that stays on a processor of its own leaves the others to the process.  But
 * for the room's thread, if that asks: its processors follow from these.  The first few dozen threads are enough. */
static void program_cpus(bool room_asks, cpu_set_t *set) {
    char list[4096];
    pid_t self = room_asks ? (pid_t)syscall(SYS_gettid) : 0;
    CPU_ZERO(set);
    if (!room_asks)
        add_cpus_of(0, set);
    int fd = ng_os_may_open() ? open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    long bytes = fd < 0 ? 0 : syscall(SYS_getdents64, fd, list, sizeof list);
    for (long at = 0; at < bytes;) {
        const struct dirent64 *entry = (const struct dirent64 *)(const void *)(list + at);
        pid_t task = (pid_t)strtol(entry->d_name, NULL, 10);
        if (task > 0 && task != self)
            add_cpus_of(task, set);
        at += entry->d_reclen;
    }
    if (fd >= 0)
        close(fd);
    if (CPU_COUNT(set) == 0)
        add_cpus_of(0, set);
}

/* The room's thread begins where it was made: on the one processor that a thread of the program keeps for itself. */
static void leave_processor_of_maker(cpu_set_t *set) {
    cpu_set_t own, rest;
    if (sched_getaffinity(0, sizeof own, &own) != 0 || CPU_COUNT(&own) != 1)
        return;
    CPU_XOR(&rest, set, &own);
    CPU_AND(&rest, &rest, set);
    if (CPU_COUNT(&rest) > 0)
        *set = rest;
}

static unsigned within_quota(const cpu_set_t *set) {
    unsigned allowed = (unsigned)CPU_COUNT(set), quota = quota_cpus();
    allowed = allowed == 0 ? 1 : allowed;
    return quota < allowed ? quota : allowed;
}

unsigned ng_os_cpus(bool room_asks) {
    cpu_set_t set;
    program_cpus(room_asks, &set);
    return within_quota(&set);
}

unsigned ng_os_cpus_at_least(unsigned enough) {
    cpu_set_t own;
    CPU_ZERO(&own);
    add_cpus_of(0, &own);
    return (unsigned)CPU_COUNT(&own) >= enough ? within_quota(&own) : ng_os_cpus(false);
}

const char *ng_os_cpu_folder = "/sys/devices/system/cpu";

/* What the system says of a CPU. */
static bool read_of_cpu(int cpu, const char *file, char *text, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/cpu%d/%s", ng_os_cpu_folder, cpu, file);
    return ng_os_read(path, text, size);
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
    program_cpus(true, set);
    if (wanted >= 0 && wanted < CPU_SETSIZE && CPU_ISSET(wanted, set)) {
        CPU_ZERO(set);
        CPU_SET(wanted, set);
        return;
    }
    leave_processor_of_maker(set);
    keep_the_weaker_kind(set);
    leave_core_of(program, set);
}

/* "0.20 0.18 0.12 1/80 11206": the fourth. */
unsigned ng_os_running(void) {
    char text[128];
    const char *at = ng_os_read("/proc/loadavg", text, sizeof text) ? text : NULL;
    for (int field = 0; field < 3 && at != NULL; field++) {
        at = strchr(at, ' ');
        at += at != NULL;
    }
    return at == NULL ? UINT32_MAX : (unsigned)strtoul(at, NULL, 10);
}

void ng_os_leave_cpu(int cpu) {
    cpu_set_t all, others;
    if (sched_getaffinity(0, sizeof all, &all) != 0 || !CPU_ISSET(cpu, &all))
        return;
    others = all;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
        (void)sched_setaffinity(0, sizeof all, &all);
}
