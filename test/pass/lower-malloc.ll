; malloc: a constant size takes its class as a constant, a variable one computes it; what has no class stays a call.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks=nextgen -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=REMARK
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)

; 40 bytes: class 2, the bin at 32.
; CHECK-LABEL: define ptr @constant(
; CHECK: %[[CACHE:.*]] = {{.*}}call {{.*}}ptr @llvm.threadlocal.address.p0(ptr {{.*}}@ngrt_thread_cache__link_with_libngrt_of_abi_1)
; CHECK: %[[BIN:.*]] = getelementptr inbounds i8, ptr %[[CACHE]], i64 32
; CHECK: load volatile ptr, ptr %[[BIN]]
; CHECK: br i1 %{{.*}}, label %[[MISS:.*]], label %[[HIT:.*]], !prof
; CHECK: store volatile ptr %{{.*}}, ptr %[[BIN]]
; CHECK: call preserve_mostcc ptr @ngrt_malloc_slow(i64 {{.*}}40)
; CHECK-NOT: @malloc
; CHECK: ret ptr
define ptr @constant() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}

; The last class, and one byte over it.
; CHECK-LABEL: define ptr @largest_class(
; CHECK: i64 624
; CHECK: @ngrt_malloc_slow(i64 {{.*}}32768)
define ptr @largest_class() {
  %p = call ptr @malloc(i64 32768)
  ret ptr %p
}
; CHECK-LABEL: define ptr @too_large(
; CHECK-NEXT: call ptr @malloc(i64 32769)
; CHECK-NEXT: ret ptr
; REMARK: malloc: the call stays: a block of this size has no size class
define ptr @too_large() {
  %p = call ptr @malloc(i64 32769)
  ret ptr %p
}
; CHECK-LABEL: define ptr @zero(
; CHECK-NEXT: call ptr @malloc(i64 0)
define ptr @zero() {
  %p = call ptr @malloc(i64 0)
  ret ptr %p
}

; CHECK-LABEL: define ptr @variable(
; CHECK: icmp ugt i64 %{{.*}}, 32767
; CHECK: call {{.*}}i64 @llvm.ctlz.i64
; CHECK: load volatile ptr
; CHECK: call preserve_mostcc ptr @ngrt_malloc_slow(i64 {{.*}}%size)
; CHECK-NOT: @malloc
; CHECK: ret ptr
define ptr @variable(i64 %size) {
  %p = call ptr @malloc(i64 %size)
  ret ptr %p
}

; A null check costs nothing on a hit: only the slow path's result is tested.
; CHECK-LABEL: define ptr @checked(
; CHECK: %[[NULL:.*]] = icmp eq ptr %[[SLOW:.*]], null
; CHECK-NOT: icmp eq ptr
; CHECK: ret ptr
define ptr @checked() {
  %p = call ptr @malloc(i64 40)
  %null = icmp eq ptr %p, null
  br i1 %null, label %fail, label %good
fail:
  call void @failed()
  ret ptr null
good:
  store i64 1, ptr %p
  ret ptr %p
}
declare void @failed()

; Nothing of the bitcode stays behind.
; CHECK-NOT: @ngrt_fast
; The slow paths are called through the GOT: a lazy PLT would lose a register.
; CHECK: declare preserve_mostcc ptr @ngrt_malloc_slow(i64 {{.*}}) {{.*}}#[[SLOW:[0-9]+]]
; CHECK: attributes #[[SLOW]] = { cold nounwind nonlazybind
