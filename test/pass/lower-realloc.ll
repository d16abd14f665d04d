; realloc: of NULL it is malloc, to 0 bytes it is free (and NULL is the result, as in glibc), else the call does it.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare ptr @realloc(ptr, i64)

; CHECK-LABEL: define ptr @of_null(
; CHECK: load volatile ptr
; CHECK: @ngrt_malloc_slow(i64 {{.*}}40)
; CHECK-NOT: @realloc
; CHECK: ret ptr
define ptr @of_null() {
  %p = call ptr @realloc(ptr null, i64 40)
  ret ptr %p
}

; CHECK-LABEL: define ptr @to_zero(
; CHECK: icmp eq ptr %p, null
; CHECK: call preserve_mostcc ptr @ngrt_malloc_slow(i64 {{.*}}0)
; CHECK: call preserve_mostcc void @ngrt_free_slow(ptr {{.*}}%p)
; CHECK-NOT: @realloc
; CHECK: phi ptr
; CHECK: ret ptr
define ptr @to_zero(ptr %p) {
  %q = call ptr @realloc(ptr %p, i64 0)
  ret ptr %q
}

; CHECK-LABEL: define ptr @variable(
; CHECK: icmp eq ptr %p, null
; CHECK: load volatile ptr
; CHECK: call ptr @realloc(ptr %p, i64 %n)
; CHECK: ret ptr
define ptr @variable(ptr %p, i64 %n) {
  %q = call ptr @realloc(ptr %p, i64 %n)
  ret ptr %q
}

; A block that is there may have to move: nothing to put in line.
; CHECK-LABEL: define ptr @grows(
; CHECK-NEXT: call ptr @realloc(ptr %p, i64 %n)
; CHECK-NEXT: ret ptr
define ptr @grows(ptr nonnull %p, i64 %n) {
  %q = call ptr @realloc(ptr %p, i64 %n)
  ret ptr %q
}
