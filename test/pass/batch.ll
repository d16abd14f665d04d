; Allocations of one class that follow each other share one check of the magazine.
; RUN: opt -passes='nextgen-batch,nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-batch<max-blocks=0>,nextgen-lower<growth=0>,verify' -S %s | FileCheck %s --check-prefix=OFF
; RUN: opt -passes='nextgen-batch,nextgen-batch,nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-batch' -disable-output -pass-remarks=nextgen %s 2>&1 | FileCheck %s --check-prefix=REMARK
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64) nounwind
declare void @free(ptr)
declare ptr @_Znwm(i64)
declare ptr @_ZnwmRKSt9nothrow_t(i64, ptr)
declare void @quiet() nounwind willreturn
declare void @may_leave() nounwind
declare i32 @__gxx_personality_v0(...)

; Three blocks of class 2, bin 32: one compare with 3, one new top; the calls where there are too few.
; CHECK-LABEL: define void @three(
; CHECK: %[[TOP:.*]] = load volatile ptr, ptr %[[BIN:.*]],
; CHECK: icmp ult i64 %{{.*}}, 24
; CHECK-COUNT-3: load volatile ptr
; CHECK: store volatile ptr %{{.*}}, ptr %[[BIN]]
; CHECK-NOT: store volatile
; CHECK-COUNT-3: call {{.*}}@malloc(i64 {{3[3-9]|4[0-8]}})
; CHECK: ret void
; OFF-LABEL: define void @three(
; OFF-COUNT-3: call {{.*}}@ngrt_malloc_slow
; REMARK: malloc: one check for this and the next 2 of class 2
define void @three(ptr %where) {
  %p = call ptr @malloc(i64 40)
  store ptr %p, ptr %where
  call void @quiet()
  %q = call ptr @malloc(i64 48)
  %w1 = getelementptr ptr, ptr %where, i64 1
  store ptr %q, ptr %w1
  %r = call ptr @malloc(i64 33)
  %w2 = getelementptr ptr, ptr %where, i64 2
  store ptr %r, ptr %w2
  ret void
}

; The check of the first for NULL does not part them.
; CHECK-LABEL: define i32 @checked(
; CHECK: and i64 %{{.*}}, 2032
; CHECK-COUNT-2: load volatile ptr
; CHECK: }
; REMARK: malloc: one check for this and the next 1 of class 2
define i32 @checked(ptr %where) {
  %p = call ptr @malloc(i64 40)
  %null = icmp eq ptr %p, null
  br i1 %null, label %fail, label %ok
ok:
  store ptr %p, ptr %where
  %q = call ptr @malloc(i64 40)
  %w1 = getelementptr ptr, ptr %where, i64 1
  store ptr %q, ptr %w1
  ret i32 0
fail:
  ret i32 1
}

; C++: what may throw is only the allocation itself, which then did not hit.
; CHECK-LABEL: define void @invoked(
; CHECK: and i64 %{{.*}}, 2032
; CHECK: invoke {{.*}}@_Znwm(i64 40)
; CHECK: invoke {{.*}}@_Znwm(i64 40)
; CHECK: landingpad
; REMARK: _Znwm: one check for this and the next 1 of class 2
define void @invoked(ptr %where) personality ptr @__gxx_personality_v0 {
  %p = invoke ptr @_Znwm(i64 40) builtin to label %next unwind label %lost
next:
  store ptr %p, ptr %where
  %q = invoke ptr @_Znwm(i64 40) builtin to label %end unwind label %lost
end:
  %w1 = getelementptr ptr, ptr %where, i64 1
  store ptr %q, ptr %w1
  ret void
lost:
  %e = landingpad { ptr, i32 } cleanup
  call void @quiet()
  resume { ptr, i32 } %e
}

; Not over a call that may leave by exit, longjmp or an endless loop: a block taken before it would be lost.
; CHECK-LABEL: define void @left(
; CHECK-NOT: and i64 %{{.*}}, 2032
; CHECK: call {{.*}}@ngrt_malloc_slow
; CHECK: call void @may_leave
; CHECK: call {{.*}}@ngrt_malloc_slow
; CHECK: ret void
; REMARK-NOT: remark
define void @left(ptr %where) {
  %p = call ptr @malloc(i64 40)
  store ptr %p, ptr %where
  call void @may_leave()
  %q = call ptr @malloc(i64 40)
  store ptr %q, ptr %where
  ret void
}

; Nor of two classes, for which one check would cost as much as two.
; CHECK-LABEL: define void @classes(
; CHECK-NOT: and i64 %{{.*}}, 2032
; CHECK-COUNT-2: call {{.*}}@ngrt_malloc_slow
; CHECK: ret void
define void @classes(ptr %where) {
  %p = call ptr @malloc(i64 40)
  store ptr %p, ptr %where
  %q = call ptr @malloc(i64 80)
  store ptr %q, ptr %where
  ret void
}

; Nor where the way forks.
; CHECK-LABEL: define void @forks(
; CHECK-NOT: and i64 %{{.*}}, 2032
; CHECK: ret void
define void @forks(ptr %where, i1 %c) {
  %p = call ptr @malloc(i64 40)
  store ptr %p, ptr %where
  br i1 %c, label %more, label %end
more:
  %q = call ptr @malloc(i64 40)
  store ptr %q, ptr %where
  br label %end
end:
  ret void
}
