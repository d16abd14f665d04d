; A buffer that every round of a loop allocates and frees is allocated once.
; RUN: opt -passes='nextgen-promote,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-promote<no-loops>,verify' -S %s | FileCheck %s --check-prefix=OFF
; RUN: opt -passes='nextgen-promote' -disable-output -pass-remarks=nextgen-promote -pass-remarks-missed=nextgen-promote %s 2>&1 | FileCheck %s --check-prefix=REMARK
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)
declare noalias ptr @calloc(i64, i64)
declare void @free(ptr)
declare ptr @_Znam(i64)
declare void @_ZdaPv(ptr)
declare void @fill(ptr nocapture) nofree
declare i1 @more() nounwind willreturn
declare void @leave()
declare void @jump() nounwind
declare i32 @puts(ptr nocapture) nounwind
declare void @throw(ptr) noreturn
declare void @bad()
declare i32 @__gxx_personality_v0(...)

; Every round allocates: the call stands before the loop, the free behind it.
; CHECK-LABEL: define void @sure(
; CHECK: %p = call ptr @malloc(i64 %size)
; CHECK: body:
; CHECK-NOT: @malloc
; CHECK-NOT: @free
; CHECK: end:
; CHECK: call void @free(ptr %p)
; CHECK-NOT: @free
; CHECK: ret void
; OFF-LABEL: define void @sure(
; OFF: body:
; OFF: call ptr @malloc
; REMARK: malloc: allocated once for all rounds of the loop
define void @sure(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; Not every round allocates: the first that does.
; CHECK-LABEL: define void @unsure(
; CHECK: body:
; CHECK: %[[HELD:.*]] = phi ptr [ null, %entry ]
; CHECK: icmp eq ptr %[[HELD]], null
; CHECK: call ptr @malloc(i64 %size)
; CHECK: end:
; CHECK: call void @free(
; CHECK-NOT: @free
; CHECK: ret void
define void @unsure(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %d = call i1 @more()
  br i1 %d, label %some, label %next
some:
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  br label %next
next:
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; An error leaves the loop while the block is in use, and frees it: that free stays, and no second one.
; CHECK-LABEL: define i32 @error(
; CHECK: call ptr @malloc(i64 %size)
; CHECK: body:
; CHECK: wrong:
; CHECK-NEXT: call void @bad()
; CHECK-NEXT: call void @free(
; CHECK-NOT: @free
; CHECK: end:
; CHECK: call void @free(
; CHECK-NOT: @free
; CHECK: }
define i32 @error(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  %d = call i1 @more()
  br i1 %d, label %wrong, label %next
wrong:
  call void @bad()
  call void @free(ptr %p)
  ret i32 1
next:
  call void @free(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret i32 0
}

; C++: new[] that may throw, a clean-up that deletes.
; CHECK-LABEL: define void @cxx(
; CHECK: invoke ptr @_Znam(i64 %size)
; CHECK: inner:
; CHECK-NEXT: landingpad
; CHECK-NEXT: cleanup
; CHECK-NEXT: call void @_ZdaPv(
; CHECK: end:
; CHECK: call void @_ZdaPv(
; REMARK: _Znam: allocated once for all rounds of the loop
define void @cxx(i64 %n, i64 %size) personality ptr @__gxx_personality_v0 {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = invoke ptr @_Znam(i64 %size) builtin to label %got unwind label %outer
got:
  invoke void @fill(ptr %p) to label %next unwind label %inner
next:
  call void @_ZdaPv(ptr %p) builtin
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
inner:
  %e = landingpad { ptr, i32 } cleanup
  call void @_ZdaPv(ptr %p) builtin
  resume { ptr, i32 } %e
outer:
  %f = landingpad { ptr, i32 } cleanup
  resume { ptr, i32 } %f
end:
  ret void
}

; Both loops have nothing to do with the size: once for both.
; CHECK-LABEL: define void @nest(
; CHECK: entry:
; CHECK: call ptr @malloc(i64 %size)
; CHECK-NOT: @malloc
; CHECK: end:
; CHECK: call void @free(
define void @nest(i64 %n, i64 %size) {
entry:
  br label %outer
outer:
  %k = phi i64 [ 0, %entry ], [ %l, %latch ]
  br label %body
body:
  %i = phi i64 [ 0, %outer ], [ %j, %body ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %latch
latch:
  %l = add i64 %k, 1
  %d = icmp ult i64 %l, %n
  br i1 %d, label %outer, label %end
end:
  ret void
}

; Not where the size changes, the block outlives its round, or zeroes are wanted.
; CHECK-LABEL: define void @changing(
; CHECK: body:
; CHECK: call ptr @malloc
define void @changing(i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 %i)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; CHECK-LABEL: define void @zeroed(
; CHECK: body:
; CHECK: call ptr @calloc
define void @zeroed(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @calloc(i64 %size, i64 8)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; CHECK-LABEL: define void @after(
; CHECK: body:
; CHECK: call ptr @malloc
define void @after(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  %d = call i1 @more()
  br i1 %d, label %next, label %end
next:
  call void @free(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %other
other:
  ret void
end:
  call void @fill(ptr %p)
  ret void
}

; Nor where an exception, longjmp or the thread's end may leave the function while the round has no block: the one that is
; kept would be lost.
; CHECK-LABEL: define void @left(
; CHECK: body:
; CHECK: call ptr @malloc
; CHECK: call void @free
define void @left(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  call void @leave()
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; CHECK-LABEL: define void @jumped(
; CHECK: body:
; CHECK: call void @jump()
; CHECK: call ptr @malloc
define void @jumped(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %d = call i1 @more()
  br i1 %d, label %some, label %next
some:
  call void @jump()
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  br label %next
next:
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; While the round has the block it was lost before as well; and libc's functions do not leave.
; CHECK-LABEL: define void @held(
; CHECK: call ptr @malloc
; CHECK: body:
; CHECK-NOT: @malloc
; CHECK-NOT: @free
; CHECK: end:
; CHECK: call void @free
define void @held(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @leave()
  call void @free(ptr %p)
  %l = call i32 @puts(ptr @said)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}
@said = private constant [3 x i8] c"hi\00"

; An exception that a clean-up sees leaves the loop by an exit, where the block is freed; one that only some handlers see does not.
; CHECK-LABEL: define void @caught(
; CHECK: call ptr @malloc
; CHECK: body:
; CHECK-NOT: @malloc
; CHECK: pad:
; CHECK-NEXT: landingpad
; CHECK-NEXT: cleanup
; CHECK-NEXT: call void @free
define void @caught(i64 %n, i64 %size) personality ptr @__gxx_personality_v0 {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  invoke void @leave() to label %next unwind label %pad
next:
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
pad:
  %e = landingpad { ptr, i32 } cleanup
  resume { ptr, i32 } %e
end:
  ret void
}

; CHECK-LABEL: define void @some_caught(
; CHECK: body:
; CHECK: call ptr @malloc
define void @some_caught(i64 %n, i64 %size) personality ptr @__gxx_personality_v0 {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  invoke void @leave() to label %next unwind label %pad
next:
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
pad:
  %e = landingpad { ptr, i32 } catch ptr @_ZTIi
  ret void
end:
  ret void
}
@_ZTIi = external constant ptr

; An exit that throws instead of going on frees first.
; CHECK-LABEL: define void @thrown(
; CHECK: wrong:
; CHECK-NEXT: call void @free(
; CHECK-NEXT: call void @throw(
define void @thrown(i64 %n, i64 %size) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = call ptr @malloc(i64 %size)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %d = call i1 @more()
  br i1 %d, label %wrong, label %next
wrong:
  call void @throw(ptr @said)
  unreachable
next:
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}
