; Small private blocks move to the stack; where the address leaves, the remark says how.
; RUN: opt -passes='nextgen-promote,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-promote<no-stack>,verify' -S %s | FileCheck %s --check-prefix=OFF
; RUN: opt -passes='nextgen-promote' -disable-output -pass-remarks=nextgen-promote -pass-remarks-missed=nextgen-promote %s 2>&1 | FileCheck %s --check-prefix=REMARK
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)
declare noalias ptr @calloc(i64, i64)
declare noalias ptr @aligned_alloc(i64, i64)
declare ptr @realloc(ptr, i64)
declare void @free(ptr)
declare ptr @_Znwm(i64)
declare ptr @_Znam(i64)
declare void @_ZdlPv(ptr)
declare void @_ZdlPvm(ptr, i64)
declare void @_ZdaPv(ptr)
declare void @fill(ptr nocapture) nofree
declare void @fill_and_free(ptr nocapture)
declare void @keep(ptr)
declare ptr @strcpy(ptr returned, ptr nocapture readonly)
declare i32 @printf(ptr nocapture readonly, ...)
declare void @abort() noreturn
declare i32 @__gxx_personality_v0(...)

; The plain pair, and a check that aborts.
; CHECK-LABEL: define void @pair(
; CHECK: alloca [40 x i8], align 16
; CHECK: call void @llvm.lifetime.start
; CHECK-NOT: @malloc
; CHECK-NOT: @abort
; CHECK: call void @fill(ptr {{.*}}%p)
; CHECK: call void @llvm.lifetime.end
; CHECK-NOT: @free
; CHECK: ret void
; OFF-LABEL: define void @pair(
; OFF: call ptr @malloc(i64 40)
; REMARK: malloc: moved to the stack, 40 bytes
define void @pair() {
  %p = call ptr @malloc(i64 40)
  %null = icmp eq ptr %p, null
  br i1 %null, label %fail, label %ok
fail:
  call void @abort()
  unreachable
ok:
  tail call void @fill(ptr %p)
  call void @free(ptr %p)
  ret void
}

; The check that returns; freed through a phi with NULL at the common end.
; CHECK-LABEL: define i32 @common_end(
; CHECK-NOT: @malloc
; CHECK-NOT: @free
; CHECK: }
define i32 @common_end(i1 %c) {
entry:
  br i1 %c, label %some, label %end
some:
  %p = call ptr @malloc(i64 40)
  %null = icmp eq ptr %p, null
  br i1 %null, label %end, label %ok
ok:
  call void @fill(ptr %p)
  br label %end
end:
  %q = phi ptr [ null, %entry ], [ null, %some ], [ %p, %ok ]
  call void @free(ptr %q)
  ret i32 0
}

; A tail call may not be given the frame's address.
; CHECK-LABEL: define void @tail_call(
; CHECK: alloca
; CHECK: {{^}}  call void @fill(
define void @tail_call() {
  %p = call ptr @malloc(i64 40)
  tail call void @fill(ptr %p)
  call void @free(ptr %p)
  ret void
}

; C++: an invoke, a clean-up, the sized delete.
; CHECK-LABEL: define i32 @cxx(
; CHECK: alloca [40 x i8]
; CHECK-NOT: @_Znwm
; CHECK-NOT: @_ZdlPvm
; CHECK: }
; REMARK: _Znwm: moved to the stack, 40 bytes
define i32 @cxx() personality ptr @__gxx_personality_v0 {
entry:
  %p = invoke ptr @_Znwm(i64 40) builtin to label %got unwind label %outer
got:
  invoke void @fill(ptr %p) to label %done unwind label %inner
done:
  call void @_ZdlPvm(ptr %p, i64 40) builtin
  ret i32 0
inner:
  %e = landingpad { ptr, i32 } cleanup
  call void @_ZdlPvm(ptr %p, i64 40) builtin
  resume { ptr, i32 } %e
outer:
  %f = landingpad { ptr, i32 } catch ptr null
  ret i32 1
}

; calloc's zeroes are made; an alignment is kept.
; CHECK-LABEL: define void @zeroed(
; CHECK: %[[A:.*]] = alloca [64 x i8], align 64
; CHECK: %[[Z:.*]] = alloca [80 x i8], align 16
; CHECK: call void @llvm.memset.{{.*}}(ptr {{.*}}, i8 0, i64 80
; CHECK-NOT: @free
define void @zeroed() {
  %p = call ptr @calloc(i64 10, i64 8)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %q = call ptr @aligned_alloc(i64 64, i64 64)
  call void @fill(ptr %q)
  call void @free(ptr %q)
  ret void
}

; A variable size that has a bound where the call stands.
; CHECK-LABEL: define void @bounded(
; CHECK: alloca [100 x i8]
; CHECK-NOT: @malloc
; CHECK: ret void
define void @bounded(i64 %n) {
entry:
  %c = icmp ugt i64 %n, 100
  br i1 %c, label %end, label %small
small:
  %p = call ptr @malloc(i64 %n)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  br label %end
end:
  ret void
}

; libc's functions that return their argument or print it keep nothing; the address as a number tells only a length.
; CHECK-LABEL: define i64 @strings(
; CHECK: alloca [100 x i8]
; CHECK-NOT: @malloc
; CHECK: ret i64
define i64 @strings(ptr %s) {
  %p = call ptr @malloc(i64 100)
  %q = call ptr @strcpy(ptr %p, ptr %s)
  %r = call i32 (ptr, ...) @printf(ptr %s, ptr %q)
  %e = getelementptr i8, ptr %q, i64 5
  %a = ptrtoint ptr %e to i64
  %b = ptrtoint ptr %p to i64
  %d = sub i64 %a, %b
  call void @free(ptr %p)
  ret i64 %d
}

; A function of the module that neither keeps nor frees its argument, though other calls in it might free.
; CHECK-LABEL: define void @through(
; CHECK: alloca [40 x i8]
; CHECK-NOT: @malloc
; CHECK: ret void
define void @through(ptr %other) {
  %p = call ptr @malloc(i64 40)
  call void @private(ptr %p, ptr %other)
  call void @free(ptr %p)
  ret void
}
define void @private(ptr %p, ptr %other) noinline {
  store i32 1, ptr %p
  call void @keep(ptr %other)
  ret void
}

; In a loop: one slot serves all rounds.
; CHECK-LABEL: define void @rounds(
; CHECK: entry:
; CHECK-NEXT: %{{.*}} = alloca [40 x i8]
; CHECK: body:
; CHECK: call void @llvm.lifetime.start
; CHECK: call void @llvm.lifetime.end
; CHECK: br i1
define void @rounds(i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 40)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; Not where the block of one round is used in the next.
; CHECK-LABEL: define void @chained(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: it may live on into the next round of its loop
define void @chained(i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %last = phi ptr [ null, %entry ], [ %p, %body ]
  call void @free(ptr %last)
  %p = call ptr @malloc(i64 40)
  call void @fill(ptr %p)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  call void @free(ptr %p)
  ret void
}

; CHECK-LABEL: define void @may_free(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: a call that is given its address may keep or free it
define void @may_free() {
  %p = call ptr @malloc(i64 40)
  call void @fill_and_free(ptr %p)
  ret void
}

; CHECK-LABEL: define void @stored(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: its address is stored
define void @stored(ptr %where) {
  %p = call ptr @malloc(i64 40)
  store ptr %p, ptr %where
  ret void
}

; CHECK-LABEL: define ptr @returned(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: it is returned
define ptr @returned() {
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}

; CHECK-LABEL: define i64 @number(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: its address is used as a number
define i64 @number() {
  %p = call ptr @malloc(i64 40)
  %a = ptrtoint ptr %p to i64
  call void @free(ptr %p)
  ret i64 %a
}

; CHECK-LABEL: define void @resized(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: realloc resizes it
define void @resized() {
  %p = call ptr @malloc(i64 40)
  %q = call ptr @realloc(ptr %p, i64 80)
  call void @free(ptr %q)
  ret void
}

; CHECK-LABEL: define void @wrong_pair(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: what frees it belongs to another allocation function
define void @wrong_pair() {
  %p = call ptr @malloc(i64 40)
  call void @_ZdlPv(ptr %p) builtin
  ret void
}

; CHECK-LABEL: define void @shared_free(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: the same call also frees other blocks
define void @shared_free(i1 %c, ptr %other) {
  %p = call ptr @malloc(i64 40)
  %q = select i1 %c, ptr %p, ptr %other
  call void @free(ptr %q)
  ret void
}

; CHECK-LABEL: define void @large(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: it is too large for the stack
define void @large() {
  %p = call ptr @malloc(i64 4000)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  ret void
}

; CHECK-LABEL: define void @unbounded(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: its size has no small bound
define void @unbounded(i64 %n) {
  %p = call ptr @malloc(i64 %n)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  ret void
}

; CHECK-LABEL: define void @recurses(
; CHECK: call ptr @malloc
; REMARK: malloc: stays on the heap: the function recurses
define void @recurses(i64 %n) {
entry:
  %p = call ptr @malloc(i64 40)
  call void @fill(ptr %p)
  %c = icmp eq i64 %n, 0
  br i1 %c, label %end, label %more
more:
  %m = sub i64 %n, 1
  call void @recurses_too(i64 %m)
  br label %end
end:
  call void @free(ptr %p)
  ret void
}
define void @recurses_too(i64 %n) {
  call void @recurses(i64 %n)
  ret void
}

; Two of them fit a frame that may be on the stack several times, a third does not.
; CHECK-LABEL: define void @may_recurse(
; CHECK: alloca [240 x i8]
; CHECK: alloca [240 x i8]
; CHECK: call ptr @malloc(i64 240)
; REMARK: malloc: stays on the heap: the function may recurse, and its frame would grow too much
define void @may_recurse() {
  %p = call ptr @malloc(i64 240)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %q = call ptr @malloc(i64 240)
  call void @fill(ptr %q)
  call void @free(ptr %q)
  %r = call ptr @malloc(i64 240)
  call void @fill(ptr %r)
  call void @free(ptr %r)
  ret void
}

; qsort is known not to keep its argument, but it calls back.
; CHECK-LABEL: define void @sorts(
; CHECK: call ptr @malloc(i64 1000)
define void @sorts(ptr %array, ptr %compare) {
  %p = call ptr @malloc(i64 1000)
  store volatile i8 1, ptr %p
  call void @qsort(ptr %array, i64 8, i64 8, ptr %compare)
  call void @free(ptr %p)
  ret void
}
declare void @qsort(ptr, i64, i64, ptr)

; The frame's limit where the function is active once.
; CHECK-LABEL: define void @frame(
; CHECK-COUNT-4: alloca [1000 x i8]
; CHECK: call ptr @malloc(i64 1000)
; REMARK: malloc: stays on the heap: the function's frame would grow too much
define void @frame() norecurse {
  %p = call ptr @malloc(i64 1000)
  call void @fill(ptr %p)
  call void @free(ptr %p)
  %q = call ptr @malloc(i64 1000)
  call void @fill(ptr %q)
  call void @free(ptr %q)
  %r = call ptr @malloc(i64 1000)
  call void @fill(ptr %r)
  call void @free(ptr %r)
  %s = call ptr @malloc(i64 1000)
  call void @fill(ptr %s)
  call void @free(ptr %s)
  %t = call ptr @malloc(i64 1000)
  call void @fill(ptr %t)
  call void @free(ptr %t)
  ret void
}
