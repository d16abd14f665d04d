; Functions and calls that the pass leaves alone, each beside one that it does not.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=MISSED
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)
declare noalias ptr @mymalloc(i64) allockind("alloc,uninitialized") allocsize(0) "alloc-family"="malloc"
declare i32 @setjmp(ptr) returns_twice

; CHECK-LABEL: define ptr @plain(
; CHECK: load volatile
define ptr @plain() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define ptr @not_optimised(
; CHECK-NEXT: @malloc(i64 40)
; MISSED: malloc: the call stays: the function is optnone
define ptr @not_optimised() optnone noinline {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define ptr @returns_twice(
; CHECK-NOT: load volatile
; CHECK: @malloc(i64 40)
; MISSED: malloc: the call stays: the function calls setjmp or its like
define ptr @returns_twice(ptr %buf) {
  %r = call i32 @setjmp(ptr %buf) returns_twice
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; -fno-builtin-malloc
; CHECK-LABEL: define ptr @nobuiltin_call(
; CHECK-NEXT: @malloc(i64 40)
define ptr @nobuiltin_call() {
  %p = call ptr @malloc(i64 40) nobuiltin
  ret ptr %p
}
; __attribute__((no_builtin("malloc")))
; CHECK-LABEL: define ptr @no_builtin_function(
; CHECK-NEXT: @malloc(i64 40)
define ptr @no_builtin_function() "no-builtin-malloc" {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; -fno-builtin
; CHECK-LABEL: define ptr @no_builtins(
; CHECK-NEXT: @malloc(i64 40)
define ptr @no_builtins() "no-builtins" {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define ptr @must_be_tail(
; CHECK-NEXT: musttail call ptr @malloc(i64 %n)
define ptr @must_be_tail(i64 %n) {
  %p = musttail call ptr @malloc(i64 %n)
  ret ptr %p
}
; CHECK-LABEL: define ptr @by_pointer(
; CHECK-NEXT: call ptr %f(i64 40)
define ptr @by_pointer(ptr %f) {
  %p = call ptr %f(i64 40)
  ret ptr %p
}
; CHECK-LABEL: define ptr @of_another_name(
; CHECK-NEXT: @mymalloc(i64 40)
define ptr @of_another_name() {
  %p = call ptr @mymalloc(i64 40)
  ret ptr %p
}
; Code of another module that is here only to be looked at.
; CHECK-LABEL: define available_externally ptr @imported(
; CHECK-NEXT: @malloc(i64 40)
define available_externally ptr @imported() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
