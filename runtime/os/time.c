/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * time.c: clocks, the process and its page faults.  Owns no state; any core, no lock.
 */
#include "os/os.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t ng_os_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t ng_os_cpu_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void ng_os_yield(void) { sched_yield(); }

/* Not getpid(): a child of vfork shares our memory, and must be told from its parent by the kernel. */
int ng_os_pid(void) { return (int)syscall(SYS_getpid); }

bool ng_os_first_thread(void) { return syscall(SYS_gettid) == ng_os_pid(); }

static uint64_t faults(int who) {
    struct rusage use;
    if (getrusage(who, &use) != 0)
        return 0;
    return (uint64_t)use.ru_minflt + (uint64_t)use.ru_majflt;
}

uint64_t ng_os_faults_thread(void) { return faults(RUSAGE_THREAD); }

uint64_t ng_os_faults_process(void) { return faults(RUSAGE_SELF); }
