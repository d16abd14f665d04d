; Requests before loops: as many blocks as the loop will take, if that is known before it, at most so many bytes.
; RUN: opt -passes='nextgen-hoist,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-hoist<max-bytes=4096>' -S %s | FileCheck %s --check-prefix=LITTLE
; RUN: opt -passes='nextgen-hoist' -disable-output -pass-remarks=nextgen-hoist -pass-remarks-missed=nextgen-hoist %s 2>&1 | FileCheck %s --check-prefix=REMARK
; RUN: opt -passes='nextgen-hoist,nextgen-lower<growth=0>,verify' -S %s | FileCheck %s --check-prefix=LOWERED
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64)
declare void @free(ptr)
declare ptr @_Znwm(i64) #1
declare void @keep(ptr)
declare i1 @more()
declare void @cleanup() nounwind
declare i32 @__gxx_personality_v0(...)

; A constant: 1000 rounds of one block of class 2, bin 32.
; CHECK-LABEL: define void @constant(
; CHECK: call void @ngrt_hint_request(i32 32, i64 1000)
; CHECK-NEXT: br label %body
; LITTLE-LABEL: define void @constant(
; LITTLE: call void @ngrt_hint_request(i32 32, i64 85)
; REMARK: malloc: requested before the loop, class 2, 1 each round
; LOWERED-LABEL: define void @constant(
; LOWERED: call preserve_mostcc void @ngrt_request_slow(i32 {{.*}}32, i64 {{.*}}1000)
; LOWERED-NOT: call {{.*}}@ngrt_hint_request
define void @constant() {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, 1000
  br i1 %c, label %body, label %end
end:
  ret void
}

; A count that is known when the program runs, two classes, two blocks of one of them.
; CHECK-LABEL: define void @computed(
; CHECK: %[[N:.*]] = call i64 @llvm.umin.i64(i64 %n,
; CHECK-DAG: call void @ngrt_hint_request(i32 32, i64 %{{.*}})
; CHECK-DAG: call void @ngrt_hint_request(i32 0, i64 %{{.*}})
; CHECK: br label %body
; Nothing happens where the magazine holds enough.
; LOWERED-LABEL: define void @computed(
; LOWERED: %[[READY:.*]] = and i64 %{{.*}}, 255
; LOWERED: icmp {{ugt|ult}} i64 {{.*}}%[[READY]]
; LOWERED: call preserve_mostcc void @ngrt_request_slow
define void @computed(i64 %n) {
entry:
  %none = icmp eq i64 %n, 0
  br i1 %none, label %end, label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  %q = call ptr @malloc(i64 48)
  call void @keep(ptr %q)
  %r = call ptr @malloc(i64 16)
  call void @keep(ptr %r)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}

; A failed allocation leaves the loop: that does not make the count unknown.
; CHECK-LABEL: define void @checked(
; CHECK: call void @ngrt_hint_request(i32 32, i64 %
define void @checked(i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = call ptr @malloc(i64 40)
  %null = icmp eq ptr %p, null
  br i1 %null, label %end, label %next
next:
  call void @keep(ptr %p)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}
; Nor does an exception.
; CHECK-LABEL: define void @throwing(
; CHECK: call void @ngrt_hint_request(i32 32, i64 %
define void @throwing(i64 %n) personality ptr @__gxx_personality_v0 {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %p = invoke ptr @_Znwm(i64 40) #0 to label %next unwind label %pad
next:
  call void @keep(ptr %p)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
pad:
  %l = landingpad { ptr, i32 } cleanup
  call void @cleanup()
  resume { ptr, i32 } %l
}

; A short loop asks further out.
; CHECK-LABEL: define void @nested(
; CHECK: entry:
; CHECK: call void @ngrt_hint_request(i32 32, i64 400)
; CHECK: outer:
; CHECK-NOT: ngrt_hint
; CHECK: ret void
define void @nested() {
entry:
  br label %outer
outer:
  %a = phi i64 [ 0, %entry ], [ %b, %next ]
  br label %inner
inner:
  %i = phi i64 [ 0, %outer ], [ %j, %inner ]
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, 4
  br i1 %c, label %inner, label %next
next:
  %b = add nuw i64 %a, 1
  %d = icmp ult i64 %b, 100
  br i1 %d, label %outer, label %end
end:
  ret void
}

; --- and where there is none ---

; CHECK-LABEL: define void @unknown_count(
; CHECK-NOT: ngrt_hint
; REMARK: malloc: no request: how often the loop goes round is not known before it
define void @unknown_count() {
entry:
  br label %body
body:
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  %c = call i1 @more()
  br i1 %c, label %body, label %end
end:
  ret void
}
; CHECK-LABEL: define void @too_few(
; CHECK-NOT: ngrt_hint
; REMARK: malloc: no request: too few blocks
define void @too_few() {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, 15
  br i1 %c, label %body, label %end
end:
  ret void
}
; One block goes round.
; CHECK-LABEL: define void @freed_again(
; CHECK-NOT: ngrt_hint
; REMARK: malloc: no request: the round that allocates it frees it
define void @freed_again(i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  call void @free(ptr %p)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}
; CHECK-LABEL: define void @not_every_round(
; CHECK-NOT: ngrt_hint
define void @not_every_round(i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %next ]
  %m = call i1 @more()
  br i1 %m, label %take, label %next
take:
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  br label %next
next:
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}
; CHECK-LABEL: define void @small_code(
; CHECK-NOT: call void @ngrt_hint
define void @small_code(i64 %n) optsize {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %p = call ptr @malloc(i64 40)
  call void @keep(ptr %p)
  %j = add nuw i64 %i, 1
  %c = icmp ult i64 %j, %n
  br i1 %c, label %body, label %end
end:
  ret void
}
; A hint disturbs nobody: it touches no memory that has a name.
; CHECK: declare void @ngrt_hint_request(i32, i64) #[[HINT:[0-9]+]]
; CHECK: attributes #[[HINT]] = { nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite) }
attributes #0 = { builtin }
attributes #1 = { nobuiltin }
