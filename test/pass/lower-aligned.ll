; aligned_alloc, memalign, posix_memalign: in line where a class has the alignment by itself.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=MISSED
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @aligned_alloc(i64, i64)
declare noalias ptr @memalign(i64, i64)
declare i32 @posix_memalign(ptr, i64, i64)

; 100 bytes at 64: the class of 128, at 7 * 16.
; CHECK-LABEL: define ptr @aligned(
; CHECK: i64 112
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @aligned_alloc(i64 64, i64 100)
define ptr @aligned() {
  %p = call ptr @aligned_alloc(i64 64, i64 100)
  ret ptr %p
}
; CHECK-LABEL: define ptr @old(
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @memalign(i64 32, i64 24)
define ptr @old() {
  %p = call ptr @memalign(i64 32, i64 24)
  ret ptr %p
}
; CHECK-LABEL: define i32 @posix(
; CHECK: %[[RC:.*]] = call i32 @posix_memalign(ptr %out, i64 64, i64 100)
; CHECK: {{^}}[[HIT:[a-z.]+]]: ; preds
; CHECK: %[[BLOCK:.*]] = load volatile ptr, ptr %{{.*}}, align 8
; CHECK: store ptr %[[BLOCK]], ptr %out
; CHECK: phi i32 [ 0, %[[HIT]] ], [ %[[RC]], %{{.*}} ]
define i32 @posix(ptr %out) {
  %rc = call i32 @posix_memalign(ptr %out, i64 64, i64 100)
  ret i32 %rc
}

; MISSED: aligned_alloc: the call stays: the alignment is not a constant power of two
; CHECK-LABEL: define ptr @no_power(
; CHECK-NEXT: call ptr @aligned_alloc(i64 48, i64 96)
define ptr @no_power() {
  %p = call ptr @aligned_alloc(i64 48, i64 96)
  ret ptr %p
}
; MISSED: memalign: the call stays: size or alignment is not constant
; CHECK-LABEL: define ptr @variable(
; CHECK-NEXT: call ptr @memalign(i64 32, i64 %n)
define ptr @variable(i64 %n) {
  %p = call ptr @memalign(i64 32, i64 %n)
  ret ptr %p
}
; MISSED: posix_memalign: the call stays: the alignment is invalid
; CHECK-LABEL: define i32 @invalid(
; CHECK-NEXT: call i32 @posix_memalign(ptr %out, i64 4, i64 100)
define i32 @invalid(ptr %out) {
  %rc = call i32 @posix_memalign(ptr %out, i64 4, i64 100)
  ret i32 %rc
}
; MISSED: aligned_alloc: the call stays: a block of this size has no size class
; CHECK-LABEL: define ptr @page_of_much(
; CHECK-NEXT: call ptr @aligned_alloc(i64 65536, i64 100)
define ptr @page_of_much() {
  %p = call ptr @aligned_alloc(i64 65536, i64 100)
  ret ptr %p
}
