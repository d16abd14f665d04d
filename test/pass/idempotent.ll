; The plugin given twice runs twice: the second run changes nothing.
; RUN: opt -passes='nextgen-hoist,nextgen-lower<growth=0>' -S %s -o %t.once
; RUN: opt -passes='nextgen-hoist,nextgen-hoist,nextgen-lower<growth=0>,nextgen-lower<growth=0>' -S %s -o %t.twice
; RUN: diff %t.once %t.twice
; RUN: FileCheck %s --input-file=%t.twice
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare ptr @realloc(ptr, i64)
declare noalias ptr @malloc(i64)
declare void @_ZdlPvm(ptr, i64) #1
declare void @keep(ptr)

; CHECK: call preserve_mostcc void @ngrt_request_slow
; CHECK-NOT: call {{.*}}@ngrt_request_slow
define void @f(ptr %p, i64 %n) {
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %j, %body ]
  %q = call ptr @malloc(i64 40)
  call void @keep(ptr %q)
  %j = add i64 %i, 1
  %c = icmp ult i64 %j, 1000
  br i1 %c, label %body, label %end
end:
  %r = call ptr @realloc(ptr %p, i64 %n)
  call void @_ZdlPvm(ptr %r, i64 40) #0
  ret void
}
attributes #0 = { builtin }
attributes #1 = { nobuiltin }
