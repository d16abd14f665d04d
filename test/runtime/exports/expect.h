/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * expect.h: checks that are counted, so that one run shows all that is wrong.  For C and C++.  A program says at its end
 * `return expect_result();`.
 */
#ifndef NGRT_TEST_EXPECT_H
#define NGRT_TEST_EXPECT_H

#include "check.h"

#include <gnu/libc-version.h>

static int expect_checks, expect_failures;

/* A printf format and its values may follow the condition. */
#define EXPECT(cond, ...)                                                                                              \
    do {                                                                                                               \
        expect_checks++;                                                                                               \
        if (!(cond))                                                                                                   \
            expect_failed(__FILE__, __LINE__, #cond, " " __VA_ARGS__);                                                 \
    } while (0)

__attribute__((format(printf, 4, 5))) static inline void expect_failed(const char *file, int line, const char *what,
                                                                       const char *format, ...) {
    int error = errno;
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (++expect_failures <= 20)
        dprintf(2, "%s:%d: not so: %s:%s (errno %d)\n", file, line, what, text, error);
    errno = error;
}

static inline int expect_result(void) {
    dprintf(1, "%d checks, %d failed\n", expect_checks, expect_failures);
    return expect_failures != 0;
}

/* Weak, not looked up by dlsym: a static program has no symbols to look up. */
#ifdef __cplusplus
extern "C"
#endif
    const char *
    ngrt_version(void) __attribute__((weak));

/* Whether malloc is the library under test; else it is glibc's, which is the oracle for what both must do. */
static inline bool on_ngrt(void) { return ngrt_version != NULL; }

/* Whether p is a block of at least `size` bytes, aligned, that can be written. */
static inline bool is_block(void *p, size_t size, size_t align) {
    if (p == NULL || (uintptr_t)p % align != 0)
        return false;
    memset(test_launder(p), 0xA5, size);
    return true;
}

#endif
