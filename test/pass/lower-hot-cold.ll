; operator new with a hint of how hot the block is, a function a form: each is known by its own name, so each can be lost by
; itself.  LLVM 16 does not know them, and they stay calls there (pass/Compat.h).
; RUN: %if hot-cold-new %{ opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s %}
; RUN: %if hot-cold-new %{ opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=MISSED --implicit-check-not='the call stays' %}
; RUN: %if !hot-cold-new %{ opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s --check-prefix=STAYS %}
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

@std_nothrow = external global i8
declare ptr @_Znwm12__hot_cold_t(i64, i8) #1
declare ptr @_Znam12__hot_cold_t(i64, i8) #1
declare ptr @_ZnwmRKSt9nothrow_t12__hot_cold_t(i64, ptr, i8) #1
declare ptr @_ZnamRKSt9nothrow_t12__hot_cold_t(i64, ptr, i8) #1
declare ptr @_ZnwmSt11align_val_t12__hot_cold_t(i64, i64, i8) #1
declare ptr @_ZnamSt11align_val_t12__hot_cold_t(i64, i64, i8) #1
declare ptr @_ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64, i64, ptr, i8) #1
declare ptr @_ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64, i64, ptr, i8) #1

; 40 bytes lie in a block of 48, class 2, bin 32; at 64 in one of 64, class 3, bin 48.  The miss keeps the program's own call.
; CHECK-LABEL: define ptr @hot(
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_Znwm12__hot_cold_t(i64 40, i8 -1)
; STAYS-LABEL: define ptr @hot(
; STAYS-NEXT: call ptr @_Znwm12__hot_cold_t(i64 40, i8 -1)
define ptr @hot() {
  %p = call ptr @_Znwm12__hot_cold_t(i64 40, i8 -1) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @hot_array(
; CHECK: i64 32
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_Znam12__hot_cold_t(i64 40, i8 -1)
; CHECK-NOT: slow
; CHECK: ret
; STAYS-LABEL: define ptr @hot_array(
; STAYS-NEXT: call ptr @_Znam12__hot_cold_t(i64 40, i8 -1)
define ptr @hot_array() {
  %p = call ptr @_Znam12__hot_cold_t(i64 40, i8 -1) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @hot_nothrow(
; CHECK: i64 32
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnwmRKSt9nothrow_t12__hot_cold_t(i64 40, ptr {{.*}}@std_nothrow, i8 -1)
; CHECK-NOT: slow
; CHECK: ret
; STAYS-LABEL: define ptr @hot_nothrow(
; STAYS-NEXT: call ptr @_ZnwmRKSt9nothrow_t12__hot_cold_t(i64 40, ptr {{.*}}@std_nothrow, i8 -1)
define ptr @hot_nothrow() {
  %p = call ptr @_ZnwmRKSt9nothrow_t12__hot_cold_t(i64 40, ptr @std_nothrow, i8 -1) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @hot_nothrow_array(
; CHECK: i64 32
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnamRKSt9nothrow_t12__hot_cold_t(i64 40, ptr {{.*}}@std_nothrow, i8 -1)
; CHECK-NOT: slow
; CHECK: ret
; STAYS-LABEL: define ptr @hot_nothrow_array(
; STAYS-NEXT: call ptr @_ZnamRKSt9nothrow_t12__hot_cold_t(i64 40, ptr {{.*}}@std_nothrow, i8 -1)
define ptr @hot_nothrow_array() {
  %p = call ptr @_ZnamRKSt9nothrow_t12__hot_cold_t(i64 40, ptr @std_nothrow, i8 -1) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @hot_aligned(
; CHECK: i64 48
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnwmSt11align_val_t12__hot_cold_t(i64 40, i64 64, i8 -1)
; CHECK-NOT: slow
; CHECK: ret
; STAYS-LABEL: define ptr @hot_aligned(
; STAYS-NEXT: call ptr @_ZnwmSt11align_val_t12__hot_cold_t(i64 40, i64 64, i8 -1)
define ptr @hot_aligned() {
  %p = call ptr @_ZnwmSt11align_val_t12__hot_cold_t(i64 40, i64 64, i8 -1) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @hot_aligned_array(
; CHECK: i64 48
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnamSt11align_val_t12__hot_cold_t(i64 40, i64 64, i8 -1)
; CHECK-NOT: slow
; CHECK: ret
; STAYS-LABEL: define ptr @hot_aligned_array(
; STAYS-NEXT: call ptr @_ZnamSt11align_val_t12__hot_cold_t(i64 40, i64 64, i8 -1)
define ptr @hot_aligned_array() {
  %p = call ptr @_ZnamSt11align_val_t12__hot_cold_t(i64 40, i64 64, i8 -1) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @hot_aligned_nothrow(
; CHECK: i64 48
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64 40, i64 64, ptr {{.*}}@std_nothrow, i8 -1)
; CHECK-NOT: slow
; CHECK: ret
; STAYS-LABEL: define ptr @hot_aligned_nothrow(
; STAYS-NEXT: call ptr @_ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64 40, i64 64, ptr {{.*}}@std_nothrow, i8 -1)
define ptr @hot_aligned_nothrow() {
  %p = call ptr @_ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64 40, i64 64, ptr @std_nothrow, i8 -1) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @hot_aligned_nothrow_array(
; CHECK: i64 48
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64 40, i64 64, ptr {{.*}}@std_nothrow, i8 -1)
; CHECK-NOT: slow
; CHECK: ret
; STAYS-LABEL: define ptr @hot_aligned_nothrow_array(
; STAYS-NEXT: call ptr @_ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64 40, i64 64, ptr {{.*}}@std_nothrow, i8 -1)
define ptr @hot_aligned_nothrow_array() {
  %p = call ptr @_ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t(i64 40, i64 64, ptr @std_nothrow, i8 -1) #0
  ret ptr %p
}

; MISSED: _ZnamRKSt9nothrow_t12__hot_cold_t: the call stays: a block of this size has no size class
; CHECK-LABEL: define ptr @hot_large(
; CHECK-NEXT: call ptr @_ZnamRKSt9nothrow_t12__hot_cold_t(i64 40000, ptr {{.*}}@std_nothrow, i8 -1)
; STAYS-LABEL: define ptr @hot_large(
; STAYS-NEXT: call ptr @_ZnamRKSt9nothrow_t12__hot_cold_t(i64 40000, ptr {{.*}}@std_nothrow, i8 -1)
define ptr @hot_large() {
  %p = call ptr @_ZnamRKSt9nothrow_t12__hot_cold_t(i64 40000, ptr @std_nothrow, i8 -1) #0
  ret ptr %p
}

attributes #0 = { builtin }
attributes #1 = { nobuiltin }
