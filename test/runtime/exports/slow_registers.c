/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * slow_registers.c: on x86-64, the slow paths of inlined code keep the registers that preserve_most promises, and can be
 * unwound through.  Every general register is filled, the function is called, and each is looked at.
 *
 * With OWN_MALLOC, the program defines malloc and free, so that the slow paths must call these: from there the stack is
 * walked, which has to find the caller behind the slow path's frame.
 */
#include "expect.h"

#include <unwind.h>

extern void *ngrt_malloc_slow(size_t size);
extern void ngrt_free_slow(void *p);
extern void ngrt_request_slow(uint32_t bin, size_t blocks);

/* call_filled_x86_64.S */
extern void call_filled(void (*function)(void), const uint64_t *in, uint64_t *out);
extern char call_filled_end[];

enum { RESULT = 0, FIRST = 5, SECOND = 4, REGISTERS = 14 };
static const char *const names[REGISTERS] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp",
                                             "r8",  "r9",  "r10", "r12", "r13", "r14", "r15"};

/* Calls with both arguments and all else full; what the registers hold then is checked; the result is returned. */
static uint64_t call(const char *what, void (*function)(void), uint64_t first, uint64_t second, bool has_result) {
    uint64_t in[REGISTERS], out[REGISTERS];
    for (int i = 0; i < REGISTERS; i++)
        out[i] = in[i] = 0x1111111111111111u * (unsigned)(i % 13 + 1) + (unsigned)i;
    in[FIRST] = first;
    in[SECOND] = second;
    call_filled(function, in, out);
    for (int i = 0; i < REGISTERS; i++)
        if (!(has_result && i == RESULT))
            EXPECT(out[i] == in[i], "%s: %s was %lx, is %lx", what, names[i], in[i], out[i]);
    return out[RESULT];
}

#define CALL(function, first, second, has_result)                                                                      \
    call(#function, (void (*)(void))function, (uint64_t)(first), (uint64_t)(second), has_result)

#ifdef OWN_MALLOC

static int walks, found;
static size_t used;
static char heap[1 << 20] __attribute__((aligned(16)));

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *unused) {
    (void)unused;
    uintptr_t at = _Unwind_GetIP(context);
    found += at > (uintptr_t)call_filled && at < (uintptr_t)call_filled_end;
    return _URC_NO_REASON;
}

static bool walk;

__attribute__((visibility("default"))) void *malloc(size_t size) {
    if (walk) {
        walk = false;
        walks++;
        _Unwind_Backtrace(frame, NULL);
    }
    size_t start = (used + 15) / 16 * 16;
    if (size > sizeof heap - start) {
        errno = ENOMEM;
        return NULL;
    }
    used = start + size;
    return heap + start;
}

__attribute__((visibility("default"))) void free(void *p) {
    (void)p;
    if (walk) {
        walk = false;
        walks++;
        _Unwind_Backtrace(frame, NULL);
    }
}

static void own_malloc_is_called_and_unwinds(void) {
    walk = true;
    char *p = (char *)CALL(ngrt_malloc_slow, 1000, 0, true);
    EXPECT(p >= heap && p < heap + sizeof heap, "a block from elsewhere: %p", (void *)p);
    EXPECT(walks == 1 && found == 1, "%d walks, %d found the caller", walks, found);
    walk = true;
    CALL(ngrt_free_slow, p, 0, false);
    EXPECT(walks == 2 && found == 2, "%d walks, %d found the caller", walks, found);
}

#endif

int main(void) {
#ifdef OWN_MALLOC
    own_malloc_is_called_and_unwinds();
#else
    test_begin();
    for (size_t n = 0; n < (size_t)40 << 20; n = n * 2 + 1) {
        void *p = (void *)CALL(ngrt_malloc_slow, n, 0, true);
        EXPECT(is_block(p, n, 16), "size %zu: %p", n, p);
        errno = 1234;
        CALL(ngrt_free_slow, p, 0, false);
        EXPECT(errno == 1234);
    }
    errno = 0;
    EXPECT((void *)CALL(ngrt_malloc_slow, SIZE_MAX, 0, true) == NULL && errno == ENOMEM);
    CALL(ngrt_free_slow, NULL, 0, false);
    for (uint32_t bin = 0; bin < 640; bin += 16) {
        CALL(ngrt_request_slow, bin, 0, false);
        CALL(ngrt_request_slow, bin, 100, false);
        CALL(ngrt_request_slow, bin, SIZE_MAX, false);
    }
#endif
    return expect_result();
}
