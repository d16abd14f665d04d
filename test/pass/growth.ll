; The text may grow by so much and no more: the site that gains most comes first, a function that the program calls hot is
; above the limit, and what was spent is written down so that a second run does not spend it again.
; RUN: opt -passes='nextgen-lower,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower,nextgen-lower,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-lower<growth=0>' -S %s | FileCheck %s --check-prefix=FREE
; RUN: opt -passes='nextgen-lower' -disable-output -pass-remarks-missed=nextgen %s 2>&1 | FileCheck %s --check-prefix=MISSED
; RUN: sed 's/@wrapper(/@main(/' %s | opt -passes='nextgen-lower' -S | FileCheck %s --check-prefix=MAIN
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare void @free(ptr)
declare i1 @more(ptr)

; 320 bytes of floor are three frees, and less than four: the loop, the small function, one more.
; CHECK-LABEL: define void @many(
; CHECK: call preserve_mostcc void @ngrt_free_slow(ptr {{.*}}%p)
; CHECK: call void @free(ptr %q)
; CHECK: call void @free(ptr %r)
; CHECK: call void @free(ptr %s)
; CHECK: ret void
; FREE-LABEL: define void @many(
; FREE-NOT: @free(
; FREE: ret void
; MAIN-LABEL: define void @many(
; MAIN-NOT: @free(
; MAIN: ret void
; MISSED: free: the call stays: sites that gain more have used up the 4 % that the text may grow
define void @many(ptr %p, ptr %q, ptr %r, ptr %s) {
  call void @free(ptr %p)
  call void @free(ptr %q)
  call void @free(ptr %r)
  call void @free(ptr %s)
  ret void
}
; CHECK-LABEL: define void @loop(
; CHECK: load volatile
define void @loop(ptr %p) {
entry:
  br label %body
body:
  call void @free(ptr %p)
  %c = call i1 @more(ptr %p)
  br i1 %c, label %body, label %end
end:
  ret void
}
; CHECK-LABEL: define void @wrapper(
; CHECK: load volatile
define void @wrapper(ptr %p) {
  call void @free(ptr %p)
  ret void
}
; CHECK-LABEL: define void @hot(
; CHECK: load volatile
; CHECK-NOT: call void @free(
; CHECK: ret void
define void @hot(ptr %p, ptr %q, ptr %r, ptr %s) hot {
  call void @free(ptr %p)
  call void @free(ptr %q)
  call void @free(ptr %r)
  call void @free(ptr %s)
  ret void
}
; CHECK: !ngrt.growth = !{![[RECORD:[0-9]+]]}
; CHECK: ![[RECORD]] = !{i64 {{[0-9]+}}, i64 255}
