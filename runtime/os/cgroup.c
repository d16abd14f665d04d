/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * cgroup.c: see cgroup.h.
 */
#include "os/cgroup.h"

#include "channel/atomic.h"
#include "os/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

const char *ng_os_cgroup_folder = "/sys/fs/cgroup";

static ng_atomic filter_at_start;

static uint64_t filter_now(void) { return (uint64_t)prctl(PR_GET_SECCOMP, 0, 0, 0, 0); }

void ng_os_note_filter(void) { ng_store(&filter_at_start, filter_now(), NG_RELAXED); }

bool ng_os_may_open(void) {
    uint64_t now = filter_now();
    return now == 0 || now == ng_load(&filter_at_start, NG_RELAXED);
}

bool ng_os_read(const char *path, char *text, size_t size) {
    int fd = ng_os_may_open() ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

bool ng_os_cgroup_file(const char *dir, const char *file, char *text, size_t size) {
    char path[512];
    return snprintf(path, sizeof path, "%s/%s", dir, file) < (int)sizeof path && ng_os_read(path, text, size);
}

struct visitor {
    const char *controller;
    void (*visit)(const char *dir, bool v2, void *data);
    void *data;
};

/* From the group itself up to the mount. */
static void visit_along(const struct visitor *v, const char *mount, const char *group, bool v2) {
    char dir[448];
    int root = snprintf(dir, sizeof dir, "%s%s", ng_os_cgroup_folder, mount);
    int length = snprintf(dir + root, sizeof dir - (size_t)root, "%s", group);
    if (root + length >= (int)sizeof dir)
        return;
    if (dir[root + length - 1] == '/')
        dir[root + length - 1] = '\0'; /* the root group is "/" */
    for (;;) {
        v->visit(dir, v2, v->data);
        char *slash = strrchr(dir, '/');
        if (slash == NULL || slash < dir + root || dir[root] == '\0')
            return;
        *slash = '\0';
    }
}

/* Whether v1's list of controllers, "cpu,cpuacct", has this one. */
static bool lists(const char *controllers, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *c = controllers; c < end; c += strcspn(c, ",:") + 1)
        if (strncmp(c, name, length) == 0 && (c[length] == ',' || c[length] == ':'))
            return true;
    return false;
}

/* One line of /proc/self/cgroup: "0::/group" (v2) or "6:cpu,cpuacct:/group" (v1). */
static void visit_line(const struct visitor *v, const char *line) {
    char mount[32];
    const char *controllers = strchr(line, ':');
    const char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL)
        return;
    if (*++controllers == ':') {
        visit_along(v, "", group + 1, true);
        visit_along(v, "/unified", group + 1, true);
    } else if (lists(controllers, group, v->controller)) {
        snprintf(mount, sizeof mount, "/%s", v->controller);
        visit_along(v, mount, group + 1, false);
    }
}

void ng_os_cgroups(const char *controller, void (*visit)(const char *dir, bool v2, void *data), void *data) {
    struct visitor v = {controller, visit, data};
    char text[4096];
    if (!ng_os_read("/proc/self/cgroup", text, sizeof text))
        return;
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        bool last = *end == '\0';
        *end = '\0';
        visit_line(&v, line);
        line = last ? end : end + 1;
    }
}
