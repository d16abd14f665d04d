; Cold and rare code, and code that is to be small, keeps the call: a copy of the fast path would only cost text.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=MISSED
; RUN: opt -passes='nextgen-lower<growth=0;cold>' -S %s | FileCheck %s --check-prefix=ALL
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)
declare void @free(ptr)
declare void @abort() noreturn
declare void @may_throw()
declare i32 @__gxx_personality_v0(...)

; The hot sister, so that the others cannot pass by doing nothing.
; CHECK-LABEL: define ptr @hot(
; CHECK-NOT: @malloc
; CHECK: ret
define ptr @hot() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}

; CHECK-LABEL: define ptr @small(
; CHECK-NEXT: @malloc(i64 40)
; MISSED: malloc: the call stays: the code is to be small
; ALL-LABEL: define ptr @small(
; ALL: load volatile
define ptr @small() optsize {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define ptr @smallest(
; CHECK-NEXT: @malloc(i64 40)
define ptr @smallest() minsize optsize {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define ptr @cold_function(
; CHECK-NEXT: @malloc(i64 40)
; MISSED: malloc: the call stays: the code is cold
define ptr @cold_function() cold {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define coldcc ptr @cold_convention(
; CHECK-NEXT: @malloc(i64 40)
define coldcc ptr @cold_convention() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define ptr @cold_call(
; CHECK-NEXT: @malloc(i64 40)
define ptr @cold_call() {
  %p = call ptr @malloc(i64 40) cold
  ret ptr %p
}

; Before the end of the program.
; CHECK-LABEL: define void @dies(
; CHECK: call void @free(ptr %p)
; CHECK-NEXT: call void @abort()
; MISSED: free: the call stays: the block runs rarely
define void @dies(ptr %p, i1 %c) {
  br i1 %c, label %end, label %ok
end:
  call void @free(ptr %p)
  call void @abort()
  unreachable
ok:
  ret void
}

; While an exception flies; the same free on the straight path is in line.
; CHECK-LABEL: define void @cleans_up(
; CHECK: call preserve_mostcc void @ngrt_free_slow
; CHECK: landingpad
; CHECK: call void @free(ptr %p)
define void @cleans_up(ptr %p) personality ptr @__gxx_personality_v0 {
  invoke void @may_throw() to label %ok unwind label %pad
ok:
  call void @free(ptr %p)
  ret void
pad:
  %l = landingpad { ptr, i32 } cleanup
  call void @free(ptr %p)
  resume { ptr, i32 } %l
}

; A constructor of globals runs once.
; CHECK-LABEL: define internal void @_GLOBAL__sub_I_x(
; CHECK-NEXT: @malloc(i64 40)
; MISSED: malloc: the call stays: the code runs once, before main
define internal void @_GLOBAL__sub_I_x() section ".text.startup" {
  %p = call ptr @malloc(i64 40)
  store volatile i8 0, ptr %p
  ret void
}
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @_GLOBAL__sub_I_x, ptr null }]
