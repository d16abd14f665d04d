/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * futex.c: sleeping on a word, and waking who sleeps.  Owns no state; any core, no lock.
 */
#include "os/os.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The futex looks at 32 bits: the half of the 64-bit word that holds small values. */
static uint32_t *low_half(uint64_t *word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (uint32_t *)(void *)word;
#else
    return (uint32_t *)(void *)word + 1;
#endif
}

void ng_os_sleep(uint64_t *word, uint32_t value, uint64_t ns) {
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    syscall(SYS_futex, low_half(word), FUTEX_WAIT_PRIVATE, value, ns == 0 ? NULL : &t, NULL, 0);
}

bool ng_os_holds(uint64_t *word, uint32_t value) {
    struct timespec now = {0};
    return syscall(SYS_futex, low_half(word), FUTEX_WAIT_PRIVATE, value, &now, NULL, 0) == 0 ||
           (errno != EAGAIN && errno != EFAULT);
}

void ng_os_wake(uint64_t *word) { syscall(SYS_futex, low_half(word), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
