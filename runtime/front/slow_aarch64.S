/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * slow_aarch64.S: ngrt_malloc_slow, ngrt_free_slow and ngrt_request_slow for AArch64; see slow_x86_64.S.
 *
 * preserve_most here: x9 to x15 survive too; x0 to x8 and x16 to x18 are the caller's business.
 */
        .macro  begin name
        .globl  \name
        .type   \name, %function
        .p2align 4
\name:
        .cfi_startproc
        hint    #34                     /* bti c: a target of indirect calls */
        stp     x29, x30, [sp, #-80]!
        .cfi_def_cfa_offset 80
        .cfi_offset x29, -80
        .cfi_offset x30, -72
        mov     x29, sp
        stp     x9, x10, [sp, #16]
        .cfi_offset x9, -64
        .cfi_offset x10, -56
        stp     x11, x12, [sp, #32]
        .cfi_offset x11, -48
        .cfi_offset x12, -40
        stp     x13, x14, [sp, #48]
        .cfi_offset x13, -32
        .cfi_offset x14, -24
        str     x15, [sp, #64]
        .cfi_offset x15, -16
        .endm

        .macro  end name
        ldr     x15, [sp, #64]
        ldp     x13, x14, [sp, #48]
        ldp     x11, x12, [sp, #32]
        ldp     x9, x10, [sp, #16]
        ldp     x29, x30, [sp], #80
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        .cfi_restore x9
        .cfi_restore x10
        .cfi_restore x11
        .cfi_restore x12
        .cfi_restore x13
        .cfi_restore x14
        .cfi_restore x15
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        .hidden ng_slow_malloc, ng_slow_free, ng_slow_request

        .section .text.unlikely, "ax", %progbits

/* void *ngrt_malloc_slow(size_t size): ng_slow_malloc(size, return address) */
        begin   ngrt_malloc_slow
        mov     x1, x30
        bl      ng_slow_malloc
        end     ngrt_malloc_slow

/* void ngrt_free_slow(void *p): ng_slow_free(p, return address) */
        begin   ngrt_free_slow
        mov     x1, x30
        bl      ng_slow_free
        end     ngrt_free_slow

/* void ngrt_request_slow(uint32_t bin, size_t blocks): ng_slow_request(bin, blocks, return address) */
        begin   ngrt_request_slow
        mov     x2, x30
        bl      ng_slow_request
        end     ngrt_request_slow

/* Without this note the linker would take the whole library for one that knows nothing of BTI. */
        .section .note.gnu.property, "a", %note
        .p2align 3
        .word   4, 16, 5
        .asciz  "GNU"
        .word   0xc0000000, 4, 1, 0

        .section .note.GNU-stack, "", %progbits
