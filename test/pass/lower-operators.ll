; Every form of operator new and delete that lower-new.ll and lower-free.ll do not have, a function a form: each is known by
; its own name, so each can be lost by itself.  The miss keeps the program's own call, operand for operand.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=MISSED --implicit-check-not='the call stays'
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

@std_nothrow = external global i8
declare ptr @_ZnwmSt11align_val_t(i64, i64) #1
declare ptr @_ZnamSt11align_val_t(i64, i64) #1
declare ptr @_ZnwmSt11align_val_tRKSt9nothrow_t(i64, i64, ptr) #1
declare void @_ZdaPvm(ptr, i64) #1
declare void @_ZdaPvSt11align_val_t(ptr, i64) #1
declare void @_ZdaPvmSt11align_val_t(ptr, i64, i64) #1
declare void @_ZdlPvRKSt9nothrow_t(ptr, ptr) #1
declare void @_ZdaPvRKSt9nothrow_t(ptr, ptr) #1
declare void @_ZdlPvSt11align_val_tRKSt9nothrow_t(ptr, i64, ptr) #1
declare void @_ZdaPvSt11align_val_tRKSt9nothrow_t(ptr, i64, ptr) #1

; 40 bytes at 64 lie in a block of 64, class 3, bin 48; without an alignment in one of 48, class 2, bin 32.
; CHECK-LABEL: define ptr @aligned_array(
; CHECK: i64 48
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnamSt11align_val_t(i64 40, i64 64)
; CHECK-NOT: slow
; CHECK: ret
define ptr @aligned_array() {
  %p = call ptr @_ZnamSt11align_val_t(i64 40, i64 64) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @aligned_nothrow(
; CHECK: i64 48
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnwmSt11align_val_tRKSt9nothrow_t(i64 40, i64 64, ptr {{.*}}@std_nothrow)
; CHECK-NOT: slow
; CHECK: ret
define ptr @aligned_nothrow() {
  %p = call ptr @_ZnwmSt11align_val_tRKSt9nothrow_t(i64 40, i64 64, ptr @std_nothrow) #0
  ret ptr %p
}

; CHECK-LABEL: define void @array_sized(
; CHECK: load atomic i32
; CHECK: icmp {{eq|ne}} i64 %{{.*}}, 32
; CHECK: call {{.*}}@_ZdaPvm(ptr %p, i64 40)
; CHECK-NOT: slow
; CHECK: ret
define void @array_sized(ptr %p) {
  call void @_ZdaPvm(ptr %p, i64 40) #0
  ret void
}
; CHECK-LABEL: define void @array_aligned(
; CHECK: load atomic i32
; CHECK: icmp ugt i64 %{{.*}}, 639
; CHECK: call {{.*}}@_ZdaPvSt11align_val_t(ptr %p, i64 64)
; CHECK-NOT: slow
; CHECK: ret
define void @array_aligned(ptr %p) {
  call void @_ZdaPvSt11align_val_t(ptr %p, i64 64) #0
  ret void
}
; CHECK-LABEL: define void @array_sized_and_aligned(
; CHECK: load atomic i32
; CHECK: icmp {{eq|ne}} i64 %{{.*}}, 48
; CHECK: call {{.*}}@_ZdaPvmSt11align_val_t(ptr %p, i64 40, i64 64)
; CHECK-NOT: slow
; CHECK: ret
define void @array_sized_and_aligned(ptr %p) {
  call void @_ZdaPvmSt11align_val_t(ptr %p, i64 40, i64 64) #0
  ret void
}
; CHECK-LABEL: define void @nothrow_delete(
; CHECK: load atomic i32
; CHECK: icmp ugt i64 %{{.*}}, 639
; CHECK: call {{.*}}@_ZdlPvRKSt9nothrow_t(ptr %p, ptr {{.*}}@std_nothrow)
; CHECK-NOT: slow
; CHECK: ret
define void @nothrow_delete(ptr %p) {
  call void @_ZdlPvRKSt9nothrow_t(ptr %p, ptr @std_nothrow) #0
  ret void
}
; CHECK-LABEL: define void @nothrow_delete_array(
; CHECK: load atomic i32
; CHECK: icmp ugt i64 %{{.*}}, 639
; CHECK: call {{.*}}@_ZdaPvRKSt9nothrow_t(ptr %p, ptr {{.*}}@std_nothrow)
; CHECK-NOT: slow
; CHECK: ret
define void @nothrow_delete_array(ptr %p) {
  call void @_ZdaPvRKSt9nothrow_t(ptr %p, ptr @std_nothrow) #0
  ret void
}
; CHECK-LABEL: define void @nothrow_delete_aligned(
; CHECK: load atomic i32
; CHECK: icmp ugt i64 %{{.*}}, 639
; CHECK: call {{.*}}@_ZdlPvSt11align_val_tRKSt9nothrow_t(ptr %p, i64 64, ptr {{.*}}@std_nothrow)
; CHECK-NOT: slow
; CHECK: ret
define void @nothrow_delete_aligned(ptr %p) {
  call void @_ZdlPvSt11align_val_tRKSt9nothrow_t(ptr %p, i64 64, ptr @std_nothrow) #0
  ret void
}
; CHECK-LABEL: define void @nothrow_delete_array_aligned(
; CHECK: load atomic i32
; CHECK: icmp ugt i64 %{{.*}}, 639
; CHECK: call {{.*}}@_ZdaPvSt11align_val_tRKSt9nothrow_t(ptr %p, i64 64, ptr {{.*}}@std_nothrow)
; CHECK-NOT: slow
; CHECK: ret
define void @nothrow_delete_array_aligned(ptr %p) {
  call void @_ZdaPvSt11align_val_tRKSt9nothrow_t(ptr %p, i64 64, ptr @std_nothrow) #0
  ret void
}

; What stays a call, and is the only one that says so.
; MISSED: _ZnwmSt11align_val_t: the call stays: the alignment is not a constant power of two
; CHECK-LABEL: define ptr @aligned_by_variable(
; CHECK-NEXT: call ptr @_ZnwmSt11align_val_t(i64 40, i64 %a)
define ptr @aligned_by_variable(i64 %a) {
  %p = call ptr @_ZnwmSt11align_val_t(i64 40, i64 %a) #0
  ret ptr %p
}
; MISSED: _ZnamSt11align_val_t: the call stays: the alignment is not a constant power of two
; CHECK-LABEL: define ptr @aligned_to_no_power(
; CHECK-NEXT: call ptr @_ZnamSt11align_val_t(i64 40, i64 48)
define ptr @aligned_to_no_power() {
  %p = call ptr @_ZnamSt11align_val_t(i64 40, i64 48) #0
  ret ptr %p
}
; MISSED: _ZdaPvmSt11align_val_t: the call stays: the block is of a size without a class
; CHECK-LABEL: define void @large_array_sized_and_aligned(
; CHECK-NEXT: call void @_ZdaPvmSt11align_val_t(ptr %p, i64 40, i64 65536)
define void @large_array_sized_and_aligned(ptr %p) {
  call void @_ZdaPvmSt11align_val_t(ptr %p, i64 40, i64 65536) #0
  ret void
}
; MISSED: _ZdaPvRKSt9nothrow_t: the call stays: it frees NULL
; CHECK-LABEL: define void @nothrow_null(
; CHECK-NEXT: call void @_ZdaPvRKSt9nothrow_t(ptr null, ptr {{.*}}@std_nothrow)
define void @nothrow_null() {
  call void @_ZdaPvRKSt9nothrow_t(ptr null, ptr @std_nothrow) #0
  ret void
}

attributes #0 = { builtin }
attributes #1 = { nobuiltin }
