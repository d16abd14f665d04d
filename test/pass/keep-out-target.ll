; Two targets are supported; for every other the module stays as it was.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s --check-prefix=IN
; RUN: sed 's/^target triple.*/target triple = "aarch64-unknown-linux-gnu"/; s/^target datalayout.*/target datalayout = "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128"/' %s | opt -passes='nextgen-lower<growth=0>,verify' -S | FileCheck %s --check-prefixes=IN,AARCH64
; RUN: sed 's/^target triple.*/target triple = "i386-unknown-linux-gnu"/; s/^target datalayout.*/target datalayout = "e-m:e-p:32:32-p270:32:32-p271:32:32-p272:64:64-i128:128-f64:32:64-f80:32-n8:16:32-S128"/; s/i64/i32/' %s | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed 's/^target triple.*/target triple = "x86_64-unknown-linux-gnux32"/; s/p270:32:32/p:32:32-p270:32:32/' %s | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed 's/^target triple.*/target triple = "riscv64-unknown-linux-gnu"/' %s | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed 's/^target triple.*/target triple = "x86_64-apple-macosx"/' %s | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed 's/^target triple.*/target triple = "x86_64-pc-windows-msvc"/' %s | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed 's/^target triple.*/target triple = "aarch64-linux-android"/' %s | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

; CHECK: call ptr @malloc
; AARCH64: target triple = "aarch64-unknown-linux-gnu"
; IN: call preserve_mostcc ptr @ngrt_malloc_slow
declare noalias ptr @malloc(i64)
define ptr @f() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
