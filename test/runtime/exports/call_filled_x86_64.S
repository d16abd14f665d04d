/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * call_filled_x86_64.S: void call_filled(void (*function)(void), const uint64_t in[14], uint64_t out[14])
 * loads every general register but rsp and r11 from `in`, calls the function, and stores what they are then to `out`.
 */
        .macro  keep register
        pushq   %\register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \register, 0
        .endm

        .macro  each move
        \move   0, rax
        \move   8, rbx
        \move   16, rcx
        \move   24, rdx
        \move   32, rsi
        \move   40, rdi
        \move   48, rbp
        \move   56, r8
        \move   64, r9
        \move   72, r10
        \move   80, r12
        \move   88, r13
        \move   96, r14
        \move   104, r15
        .endm

        .macro  load at register
        movq    \at(%r11), %\register
        .endm

        .macro  store at register
        movq    %\register, \at(%r11)
        .endm

        .text
        .globl  call_filled, call_filled_end
        .type   call_filled, @function
call_filled:
        .cfi_startproc
        keep    rbx
        keep    rbp
        keep    r12
        keep    r13
        keep    r14
        keep    r15
        keep    rdx
        keep    rdi
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        movq    %rsi, %r11
        each    load
        callq   *8(%rsp)
        movq    16(%rsp), %r11
        each    store
        addq    $24, %rsp
        .cfi_adjust_cfa_offset -24
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        retq
        .cfi_endproc
call_filled_end:
        .size   call_filled, . - call_filled

        .section .note.GNU-stack, "", @progbits
