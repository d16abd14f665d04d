/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * slow_x86_64.S: ngrt_malloc_slow, ngrt_free_slow and ngrt_request_slow, the misses of inlined code, in LLVM's
 * preserve_most convention, which gcc does not have.
 *
 * The convention: arguments and result as always; every general register but r11 and the result survives (rax too,
 * where there is no result); vector and flag registers are the caller's business.  rbx, rbp and r12 to r15 are kept by
 * the C functions called.  Reached through the GOT or directly, never through a lazy PLT stub, which would lose r10.
 * On the app's core, in any state that malloc may be called in.
 */
#ifdef __CET__
#include <cet.h>
#else
#define _CET_ENDBR
#endif

        .macro  keep register
        pushq   %\register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %\register, 0
        .endm

        .macro  restore register
        popq    %\register
        .cfi_adjust_cfa_offset -8
        .cfi_restore %\register
        .endm

        .macro  keep_most
        keep    r10
        keep    r9
        keep    r8
        keep    rdi
        keep    rsi
        keep    rdx
        keep    rcx
        .endm

        .macro  restore_most
        restore rcx
        restore rdx
        restore rsi
        restore rdi
        restore r8
        restore r9
        restore r10
        .endm

        .macro  begin name
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        _CET_ENDBR
        .endm

        .macro  end name
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .hidden ng_slow_malloc, ng_slow_free, ng_slow_request

        .section .text.unlikely, "ax", @progbits

/* void *ngrt_malloc_slow(size_t size): ng_slow_malloc(size, return address).  Seven registers align the stack. */
        begin   ngrt_malloc_slow
        keep_most
        movq    56(%rsp), %rsi
        callq   ng_slow_malloc
        restore_most
        retq
        end     ngrt_malloc_slow

/* void ngrt_free_slow(void *p): ng_slow_free(p, return address).  NULL, which programs free much, leaves at once. */
        begin   ngrt_free_slow
        testq   %rdi, %rdi
        je      1f
        keep    rax
        keep_most
        movq    64(%rsp), %rsi
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        callq   ng_slow_free
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        restore_most
        restore rax
1:      retq
        end     ngrt_free_slow

/* void ngrt_request_slow(uint32_t bin, size_t blocks): ng_slow_request(bin, blocks, return address) */
        begin   ngrt_request_slow
        keep    rax
        keep_most
        movq    64(%rsp), %rdx
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        callq   ng_slow_request
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        restore_most
        restore rax
        retq
        end     ngrt_request_slow

        .section .note.GNU-stack, "", @progbits
