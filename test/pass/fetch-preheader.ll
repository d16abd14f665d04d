; RUN: opt -passes=nextgen-batch %verify-told -S %s | FileCheck %s
;
; The loop has no preheader, which is made before it is seen that the array's end is too dear to compute: what the function
; was analysed for does not hold then, although nothing is fetched.
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare void @free(ptr) nounwind willreturn

; CHECK-LABEL: define void @dear(
; CHECK: .preheader:
; CHECK-NOT: @llvm.prefetch
define void @dear(ptr %array, i64 %n, i64 %d, i1 %any) {
entry:
  %bound = udiv i64 %n, %d
  br i1 %any, label %loop, label %exit

loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr ptr, ptr %array, i64 %i
  %block = load ptr, ptr %at, align 8
  %part = load ptr, ptr %block, align 8
  call void @free(ptr %part)
  call void @free(ptr %block)
  %next = add nuw nsw i64 %i, 3
  %more = icmp ult i64 %next, %bound
  br i1 %more, label %loop, label %exit

exit:
  ret void
}
