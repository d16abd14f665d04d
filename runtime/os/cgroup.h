/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * cgroup.h: the groups that limit this process, as files; for os/ alone.  Any core, no lock, no allocation.
 */
#ifndef NG_OS_CGROUP_H
#define NG_OS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

/* Whether files may be opened: not where the program has put its threads under a filter of system calls, which may end the
 * process for one.  A filter that was there from the start, a container's, lets files be opened, or nothing would run. */
bool ng_os_may_open(void);

/* A file's text, NUL-terminated and cut where it does not fit; false where it cannot be read. */
bool ng_os_read(const char *path, char *text, size_t size);

/* The same of a file in a group's folder. */
bool ng_os_cgroup_file(const char *dir, const char *file, char *text, size_t size);

/* Calls visit with the folder of each group from the process's own up to the root, since a parent's limit binds its
 * children: v2's, also where it is mounted beside v1, and those of v1's controller of this name. */
void ng_os_cgroups(const char *controller, void (*visit)(const char *dir, bool v2, void *data), void *data);

#endif
