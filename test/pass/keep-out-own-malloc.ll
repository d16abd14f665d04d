; A program with a malloc of its own is served by that alone: no call of the module is touched, operators included,
; since the default operator new is malloc.
; RUN: opt -passes='nextgen-hoist,nextgen-lower<growth=0>,verify' -S %s | FileCheck %s --implicit-check-not=ngrt_
; RUN: opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=MISSED
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

define ptr @malloc(i64 %n) noinline {
  ret ptr null
}
declare void @free(ptr)
declare ptr @_Znwm(i64) #1

; CHECK-LABEL: define ptr @f(
; CHECK: call ptr @malloc(i64 40)
; CHECK: call void @free
; CHECK: call ptr @_Znwm(i64 40)
; MISSED: free: the call stays: the module defines its own malloc family
; MISSED: _Znwm: the call stays: the module defines its own malloc family
define ptr @f(ptr %q) {
  %p = call ptr @malloc(i64 40)
  call void @free(ptr %q)
  %o = call ptr @_Znwm(i64 40) #0
  store ptr %o, ptr %p
  ret ptr %p
}
attributes #0 = { builtin }
attributes #1 = { nobuiltin }
