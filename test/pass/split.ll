; A large block is asked for where its size is known, as far up as the allocation is likely, where the way leaves time.
; RUN: opt -passes='nextgen-split,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-split,nextgen-split,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-split<no-enabled>,verify' -S %s | FileCheck %s --check-prefix=OFF --implicit-check-not=ngrt_hint
; RUN: opt -passes='nextgen-split' -disable-output -pass-remarks=nextgen-split -pass-remarks-missed=nextgen-split %s 2>&1 | FileCheck %s --check-prefix=REMARK
; RUN: opt -passes='nextgen-split,nextgen-lower<growth=0>,verify' -S %s | FileCheck %s --check-prefix=LOWERED
; OFF: define
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)
declare noalias ptr @calloc(i64, i64)
declare ptr @realloc(ptr, i64)
declare void @free(ptr)
declare void @work()

; The room takes 1008 for "one block of so many bytes"; nothing happens below 256 KiB.
; CHECK-LABEL: define ptr @ahead(
; CHECK-NEXT: %bytes = shl
; CHECK-NEXT: call void @ngrt_hint_request(i32 1008, i64 %bytes)
; CHECK-NEXT: call void @work()
; CHECK-NEXT: call ptr @malloc(i64 %bytes)
; LOWERED-LABEL: define ptr @ahead(
; LOWERED: icmp ugt i64 %bytes, 262143
; LOWERED: call preserve_mostcc void @ngrt_request_slow(i32 {{.*}}1008, i64
; REMARK: malloc: requested where its size is known
define ptr @ahead(i64 %n) {
  %bytes = shl i64 %n, 3
  call void @work()
  %p = call ptr @malloc(i64 %bytes)
  ret ptr %p
}

; CHECK-LABEL: define ptr @zeroed(
; CHECK: %[[B:.*]] = mul i64 8, %n
; CHECK-NEXT: call void @ngrt_hint_request(i32 1008, i64 %[[B]])
; CHECK: call ptr @calloc
define ptr @zeroed(i64 %n) {
  call void @work()
  %p = call ptr @calloc(i64 %n, i64 8)
  ret ptr %p
}

; A constant that is large; one that is not needs no word.
; CHECK-LABEL: define ptr @constant(
; CHECK: call void @ngrt_hint_request(i32 1008, i64 1000000)
; CHECK-NOT: ngrt_hint
; CHECK: ret ptr
define ptr @constant() {
  call void @work()
  %p = call ptr @malloc(i64 1000000)
  %q = call ptr @malloc(i64 100000)
  ret ptr %p
}

; Not above a branch that seldom leads to it.
; CHECK-LABEL: define ptr @unlikely(
; CHECK: br i1
; CHECK: some:
; CHECK-NEXT: call void @ngrt_hint_request
; CHECK-NEXT: call void @work()
define ptr @unlikely(i64 %n, i1 %c) {
  %bytes = mul i64 %n, 24
  call void @work()
  br i1 %c, label %some, label %none, !prof !0
some:
  call void @work()
  %p = call ptr @malloc(i64 %bytes)
  ret ptr %p
none:
  ret ptr null
}

; Nor in a hotter place: not in the loop that comes before.
; CHECK-LABEL: define ptr @behind(
; CHECK: body:
; CHECK-NOT: ngrt_hint
; CHECK: end:
; CHECK: call void @ngrt_hint_request
; CHECK-NEXT: call void @work()
; CHECK-NEXT: call ptr @malloc
define ptr @behind(i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 1, %entry ], [ %j, %body ]
  %j = mul i64 %i, 3
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  call void @work()
  %p = call ptr @malloc(i64 %j)
  ret ptr %p
}

; Nothing to do meanwhile.
; CHECK-LABEL: define ptr @at_once(
; CHECK-NOT: ngrt_hint
; CHECK: ret ptr
; REMARK: malloc: no request ahead: nothing happens between where its size is known and where it is allocated
define ptr @at_once(i64 %n) {
  %bytes = shl i64 %n, 3
  %p = call ptr @malloc(i64 %bytes)
  ret ptr %p
}

; A string's size: nothing says that it is large.
; CHECK-LABEL: define ptr @string(
; CHECK-NOT: ngrt_hint
; CHECK: ret ptr
define ptr @string(i64 %n) {
  %bytes = add i64 %n, 1
  call void @work()
  %p = call ptr @malloc(i64 %bytes)
  ret ptr %p
}

; realloc in a loop that counts up: as large as it is in the last round; 1024 stands for growth.
; CHECK-LABEL: define ptr @grows(
; CHECK: %[[END:.*]] = shl i64 %n, 3
; CHECK-NEXT: call void @ngrt_hint_request(i32 1024, i64 %[[END]])
; CHECK: body:
; REMARK: realloc: requested before the loop, as large as it ends
define ptr @grows(i64 %n) {
entry:
  %none = icmp eq i64 %n, 0
  br i1 %none, label %out, label %pre
pre:
  br label %body
body:
  %i = phi i64 [ 0, %pre ], [ %j, %body ]
  %p = phi ptr [ null, %pre ], [ %q, %body ]
  %j = add nuw i64 %i, 1
  %bytes = shl i64 %j, 3
  %q = call ptr @realloc(ptr %p, i64 %bytes)
  call void @work()
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret ptr %q
out:
  ret ptr null
}

; CHECK-LABEL: define ptr @grows_somehow(
; CHECK-NOT: ngrt_hint
; CHECK: }
; REMARK: realloc: no request ahead: how large it ends is not known before the loop
define ptr @grows_somehow(ptr %more) {
entry:
  br label %body
body:
  %p = phi ptr [ null, %entry ], [ %q, %body ]
  %n = load i64, ptr %more
  %q = call ptr @realloc(ptr %p, i64 %n)
  %c = icmp ne i64 %n, 0
  br i1 %c, label %body, label %end
end:
  ret ptr %q
}
!0 = !{!"branch_weights", i32 1, i32 99}

; The size may be poison where the request stands, since nothing needs it yet: to compare it there must promise nothing.
; LOWERED-LABEL: define ptr @guarded(
; LOWERED: %[[N:.*]] = freeze i64 %n
; LOWERED: %[[B:.*]] = mul i64 %[[N]], 24
; LOWERED: icmp ugt i64 %[[B]], 262143
; LOWERED: icmp ult i64 %{{.*}}, 1000
define ptr @guarded(i64 %n) {
entry:
  %bytes = mul nuw nsw i64 %n, 24
  call void @work()
  %c = icmp ult i64 %n, 1000
  br i1 %c, label %some, label %none, !prof !{!"branch_weights", i32 1000, i32 1}
some:
  %p = call ptr @malloc(i64 %bytes)
  ret ptr %p
none:
  ret ptr null
}
