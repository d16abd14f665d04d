/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * loader.c: whether the calling thread is inside of libc or of the dynamic loader.  Owns where the two lie, written once
 * before there are threads; any core, no lock.
 *
 * A call that comes from their code is told by its return address.  One that comes from a constructor which dlopen runs
 * is not: but meanwhile the thread holds the loader's lock, a recursive mutex among the loader's own variables.  Which
 * one it is changes with glibc's version; that it says whose it is does not.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <link.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OBJECTS = 2, MOST_PARTS = 4 };

struct range {
    uintptr_t from, to;
};

static struct range code[OBJECTS]; /* libc and the loader, whole; empty where they are linked into the program */
static struct range variables[MOST_PARTS]; /* of the loader */

static bool within(struct range r, const void *p) { return (uintptr_t)p >= r.from && (uintptr_t)p < r.to; }

static struct range part(const struct dl_phdr_info *info, int i) {
    uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    return (struct range){start, start + info->dlpi_phdr[i].p_memsz};
}

static void note_variables(const struct dl_phdr_info *info) {
    int parts = 0;
    for (int i = 0; i < info->dlpi_phnum && parts < MOST_PARTS; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_W) != 0)
            variables[parts++] = part(info, i);
}

static int note_object(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    (void)data;
    const void *marks[OBJECTS] = {(const void *)&pthread_setname_np, &_r_debug};
    struct range all = {UINTPTR_MAX, 0};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        struct range one = part(info, i);
        all.from = one.from < all.from ? one.from : all.from;
        all.to = one.to > all.to ? one.to : all.to;
    }
    if (within(all, code))
        return 0;
    for (int i = 0; i < OBJECTS; i++)
        if (within(all, marks[i]))
            code[i] = all;
    if (within(all, &_r_debug))
        note_variables(info);
    return 0;
}

void ng_os_find_loader(void) {
    if (code[0].to == 0)
        dl_iterate_phdr(note_object, NULL);
}

/* Others' locks are read while they change: then they are not this thread's, before and after. */
static bool holds_loader_lock(void) {
    int self = (int)syscall(SYS_gettid);
    for (int i = 0; i < MOST_PARTS; i++) {
        uintptr_t at = (variables[i].from + sizeof(long) - 1) & -sizeof(long);
        for (; at + sizeof(pthread_mutex_t) <= variables[i].to; at += sizeof(long)) {
            const volatile pthread_mutex_t *m = (const volatile pthread_mutex_t *)at;
            if (m->__data.__owner == self && m->__data.__kind == PTHREAD_MUTEX_RECURSIVE && m->__data.__lock != 0)
                return true;
        }
    }
    return false;
}

bool ng_os_in_loader(const void *caller) {
    for (int i = 0; i < OBJECTS; i++)
        if (within(code[i], caller))
            return true;
    return holds_loader_lock();
}
