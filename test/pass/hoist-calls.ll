; Requests for what called functions allocate: in each round of a loop, or in all at a function's entry.
; RUN: opt -passes='nextgen-hoist,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-hoist,nextgen-hoist,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-hoist<no-calls>,verify' -S %s | FileCheck %s --check-prefix=OFF --implicit-check-not=ngrt_hint_request
; RUN: opt -passes='nextgen-hoist<no-enabled>,verify' -S %s | FileCheck %s --check-prefix=OFF --implicit-check-not=ngrt_hint_request
; RUN: opt -passes='nextgen-hoist' -disable-output -pass-remarks=nextgen-hoist -pass-remarks-missed=nextgen-hoist %s 2>&1 | FileCheck %s --check-prefix=REMARK
; OFF: define
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)
declare void @free(ptr)
declare void @keep(ptr)
declare void @rare()

define ptr @node() noinline {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}

; Two by calls of calls, one of a class of its own.
define void @pair() noinline {
  %p = call ptr @node()
  call void @keep(ptr %p)
  %q = call ptr @node()
  call void @keep(ptr %q)
  %r = call ptr @malloc(i64 100)
  call void @keep(ptr %r)
  ret void
}

; CHECK-LABEL: define void @loop(
; CHECK-DAG: call void @ngrt_hint_request(i32 32, i64 2000)
; CHECK-DAG: call void @ngrt_hint_request(i32 96, i64 1000)
; CHECK: body:
; CHECK-NOT: ngrt_hint_request
; CHECK: ret void
; REMARK-DAG: pair: requested before the loop, class 2, 2 each round
; REMARK-DAG: pair: requested before the loop, class 6, 1 each round
define void @loop() {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  call void @pair()
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, 1000
  br i1 %c, label %body, label %end
end:
  ret void
}

; Nobody can tell what is left where something frees as well.
define void @give_and_take(ptr %old) noinline {
  call void @free(ptr %old)
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  ret void
}
; CHECK-LABEL: define void @exchange(
; CHECK-NOT: ngrt_hint_request
; CHECK: ret void
; REMARK-DAG: give_and_take: no request: the round frees blocks, too
define void @exchange(ptr %old) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  call void @give_and_take(ptr %old)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, 1000
  br i1 %c, label %body, label %end
end:
  ret void
}

; A function that reaches itself is not followed.
define void @tree(i64 %n) noinline {
entry:
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  %c = icmp eq i64 %n, 0
  br i1 %c, label %end, label %more
more:
  %m = sub i64 %n, 1
  call void @tree(i64 %m)
  br label %end
end:
  ret void
}

; Likely counts by the branch weights, what is not does not.
; CHECK-LABEL: define void @likely(
; CHECK: call void @ngrt_hint_request(i32 32, i64 1000)
; CHECK-NOT: ngrt_hint_request
; CHECK: ret void
define void @likely(i1 %a, i1 %b) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %latch ]
  br i1 %a, label %often, label %not, !prof !0
often:
  %p = call ptr @node()
  call void @keep(ptr %p)
  br label %not
not:
  br i1 %b, label %seldom, label %latch
seldom:
  %q = call ptr @malloc(i64 100)
  call void @keep(ptr %q)
  br label %latch
latch:
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, 1000
  br i1 %c, label %body, label %end
end:
  ret void
}

; All at once, at the entry of who calls; none of those called asks for its few.
; CHECK-LABEL: define void @eight(
; CHECK-NOT: ngrt_hint_request
; CHECK: ret void
define void @eight() noinline {
  call void @pair()
  call void @pair()
  call void @pair()
  call void @pair()
  ret void
}
; CHECK-LABEL: define void @sixteen(
; CHECK-NEXT: call void @ngrt_hint_request(i32 32, i64 16)
; CHECK-NEXT: call void @eight
; REMARK-DAG: sixteen: requested at the function's entry, class 2, 16 blocks
define void @sixteen() {
  call void @eight()
  call void @eight()
  ret void
}
!0 = !{!"branch_weights", i32 99, i32 1}
