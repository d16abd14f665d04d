; free and operator delete: the slab map's word decides; a class that is known is compared, never trusted.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare void @free(ptr)
declare noalias ptr @malloc(i64)
declare void @use(ptr)
declare void @_ZdlPv(ptr) #1
declare void @_ZdaPv(ptr) #1
declare void @_ZdlPvm(ptr, i64) #1
declare void @_ZdlPvSt11align_val_t(ptr, i64) #1
declare void @_ZdlPvmSt11align_val_t(ptr, i64, i64) #1

; The owner's tag and the class in one compare: any word above the bins is a miss.
; CHECK-LABEL: define void @any(
; CHECK: %[[WORD:.*]] = load atomic i32, ptr %{{.*}} monotonic
; CHECK: %[[BIN:.*]] = xor i64
; CHECK: icmp ugt i64 %[[BIN]], 639
; CHECK: call preserve_mostcc void @ngrt_free_slow(ptr {{.*}}%p)
; CHECK-NOT: @free
; CHECK: ret
define void @any(ptr %p) {
  call void @free(ptr %p)
  ret void
}

; The block's class is in sight: 100 bytes, class 6, bin 96.
; CHECK-LABEL: define void @in_sight(
; CHECK: load atomic i32
; CHECK: icmp {{eq|ne}} i64 %{{.*}}, 96
; CHECK-NOT: 639
; CHECK: call preserve_mostcc void @ngrt_free_slow(ptr
; CHECK: ret
define void @in_sight() {
  %p = call ptr @malloc(i64 100)
  call void @use(ptr %p)
  call void @free(ptr %p)
  ret void
}

; CHECK-LABEL: define void @deleted(
; CHECK: call void @ngrt_delete_slow(ptr {{.*}}%p)
; CHECK-NOT: @_ZdlPv
; CHECK: ret
define void @deleted(ptr %p) {
  call void @_ZdlPv(ptr %p) #0
  ret void
}
; CHECK-LABEL: define void @array(
; CHECK: call void @ngrt_delete_array_slow(ptr {{.*}}%p)
define void @array(ptr %p) {
  call void @_ZdaPv(ptr %p) #0
  ret void
}
; CHECK-LABEL: define void @sized(
; CHECK: load atomic i32
; CHECK: icmp {{eq|ne}} i64 %{{.*}}, 32
; CHECK: call void @_ZdlPvm(ptr %p, i64 40)
define void @sized(ptr %p) {
  call void @_ZdlPvm(ptr %p, i64 40) #0
  ret void
}
; CHECK-LABEL: define void @sized_by_variable(
; CHECK: icmp ugt i64 %{{.*}}, 639
; CHECK: call void @_ZdlPvm(ptr %p, i64 %n)
define void @sized_by_variable(ptr %p, i64 %n) {
  call void @_ZdlPvm(ptr %p, i64 %n) #0
  ret void
}
; CHECK-LABEL: define void @aligned(
; CHECK: icmp ugt i64 %{{.*}}, 639
; CHECK: call void @_ZdlPvSt11align_val_t(ptr %p, i64 64)
define void @aligned(ptr %p) {
  call void @_ZdlPvSt11align_val_t(ptr %p, i64 64) #0
  ret void
}
; An aligned block's class is that of its rounded-up size: 40 bytes at 64 lie in a block of 64.
; CHECK-LABEL: define void @sized_and_aligned(
; CHECK: icmp {{eq|ne}} i64 %{{.*}}, 48
; CHECK: call void @_ZdlPvmSt11align_val_t(ptr %p, i64 40, i64 64)
define void @sized_and_aligned(ptr %p) {
  call void @_ZdlPvmSt11align_val_t(ptr %p, i64 40, i64 64) #0
  ret void
}

; Without a class the block cannot go into a magazine: the call is all there is to do.
; CHECK-LABEL: define void @large(
; CHECK-NEXT: call void @_ZdlPvm(ptr %p, i64 40000)
; CHECK-NEXT: ret
define void @large(ptr %p) {
  call void @_ZdlPvm(ptr %p, i64 40000) #0
  ret void
}
; CHECK-LABEL: define void @null(
; CHECK-NEXT: call void @free(ptr null)
define void @null() {
  call void @free(ptr null)
  ret void
}

attributes #0 = { builtin nounwind }
attributes #1 = { nobuiltin nounwind }
