; calloc: small and constant is zeroed in line; the call serves the miss, and everything else.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower<growth=0;max-zero=32>' -S %s | FileCheck %s --check-prefix=LITTLE
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @calloc(i64, i64)

; 3 * 8 = 24 bytes: class 1, zeroed to the end of a vector.
; CHECK-LABEL: define ptr @small(
; CHECK: i64 16
; CHECK: load volatile ptr
; CHECK: call void @llvm.memset.p0.i64(ptr {{.*}}, i8 0, i64 32, i1 false)
; CHECK: call {{.*}}ptr @calloc(i64 3, i64 8) #[[MISS:[0-9]+]]
; CHECK: ret ptr
; LITTLE-LABEL: define ptr @small(
; LITTLE: llvm.memset
define ptr @small() {
  %p = call ptr @calloc(i64 3, i64 8)
  ret ptr %p
}
; LITTLE-LABEL: define ptr @middle(
; LITTLE-NEXT: call ptr @calloc(i64 1, i64 128)
; CHECK-LABEL: define ptr @middle(
; CHECK: i64 128, i1 false
define ptr @middle() {
  %p = call ptr @calloc(i64 1, i64 128)
  ret ptr %p
}
; CHECK-LABEL: define ptr @much_to_zero(
; CHECK-NEXT: call ptr @calloc(i64 1, i64 129)
define ptr @much_to_zero() {
  %p = call ptr @calloc(i64 1, i64 129)
  ret ptr %p
}
; CHECK-LABEL: define ptr @variable(
; CHECK-NEXT: call ptr @calloc(i64 %n, i64 8)
define ptr @variable(i64 %n) {
  %p = call ptr @calloc(i64 %n, i64 8)
  ret ptr %p
}
; CHECK-LABEL: define ptr @overflow(
; CHECK-NEXT: call ptr @calloc(i64 4611686018427387905, i64 4)
define ptr @overflow() {
  %p = call ptr @calloc(i64 4611686018427387905, i64 4)
  ret ptr %p
}
; CHECK: attributes #[[MISS]] = { cold {{.*}}"ngrt-kept" }
