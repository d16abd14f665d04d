/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * fatal.c: the one way out when the heap cannot go on.  No allocation, no stdio; any core, any lock.
 */
#include "os/os.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

_Noreturn void ng_fatal(const char *what) {
    struct iovec line[] = {{(void *)"ngrt: ", 6}, {(void *)(uintptr_t)what, strlen(what)}, {(void *)"\n", 1}};
    if (writev(STDERR_FILENO, line, 3) < 0)
        abort(); /* nobody listens; the signal still tells */
    abort();
}
