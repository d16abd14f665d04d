; One function under a sanitizer, and the whole module is left alone: no_sanitize functions of it would else mix two
; allocators.
; RUN: split-file %s %t
; RUN: opt -passes='nextgen-lower<growth=0>' -S %t/plain.ll | FileCheck %s --check-prefix=PLAIN
; RUN: sed s/ATTR/sanitize_address/ %t/with.ll | opt -passes='nextgen-hoist,nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed s/ATTR/sanitize_hwaddress/ %t/with.ll | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed s/ATTR/sanitize_memory/ %t/with.ll | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed s/ATTR/sanitize_thread/ %t/with.ll | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed s/ATTR/sanitize_memtag/ %t/with.ll | opt -passes='nextgen-lower<growth=0>' -S | FileCheck %s --implicit-check-not=ngrt_
; RUN: sed s/ATTR/sanitize_thread/ %t/with.ll | opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen 2>&1 | FileCheck %s --check-prefix=MISSED
; CHECK: call ptr @malloc(i64 40)
; PLAIN: @ngrt_malloc_slow
; MISSED: malloc: the call stays: the module is built for a sanitizer

;--- plain.ll
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
declare noalias ptr @malloc(i64)
define ptr @f() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
;--- with.ll
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
declare noalias ptr @malloc(i64)
define void @g() ATTR {
  ret void
}
define ptr @f() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
