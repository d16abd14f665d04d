/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * faults.h: how often the calling thread is stopped for a page fault, user code and kernel's alike.  getrusage counts pages that
 * madvise faults in too.
 */
#ifndef NGRT_TEST_FAULTS_H
#define NGRT_TEST_FAULTS_H

#include "check.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>

/* To read them from; negative: the kernel counts none for this user. */
static inline int faults_counter(void) {
    struct perf_event_attr what = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof what, .config = PERF_COUNT_SW_PAGE_FAULTS, .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* So many up to now; 0 without a counter. */
static inline long faults_read(int counter) {
    uint64_t count = 0;
    CHECK(counter < 0 || read(counter, &count, sizeof count) == sizeof count);
    return (long)count;
}

#endif
