; With a profile, counts decide: the block that never ran keeps its call, the one that ran is in line.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare void @free(ptr)

; CHECK-LABEL: define void @f(
; CHECK: ran:
; CHECK: load atomic
; CHECK: never:
; CHECK-NEXT: call void @free(ptr %p)
; CHECK-NEXT: br label
define void @f(ptr %p, i1 %c) !prof !20 {
  br i1 %c, label %ran, label %never, !prof !21
ran:
  call void @free(ptr %p)
  ret void
never:
  call void @free(ptr %p)
  ret void
}

!llvm.module.flags = !{!0}
!0 = !{i32 1, !"ProfileSummary", !1}
!1 = !{!2, !3, !4, !5, !6, !7, !8, !9}
!2 = !{!"ProfileFormat", !"InstrProf"}
!3 = !{!"TotalCount", i64 10000}
!4 = !{!"MaxCount", i64 1000}
!5 = !{!"MaxInternalCount", i64 1000}
!6 = !{!"MaxFunctionCount", i64 1000}
!7 = !{!"NumCounts", i64 3}
!8 = !{!"NumFunctions", i64 3}
!9 = !{!"DetailedSummary", !10}
!10 = !{!11, !12, !13}
!11 = !{i32 10000, i64 1000, i32 1}
!12 = !{i32 999000, i64 1000, i32 1}
!13 = !{i32 999999, i64 1, i32 2}
!20 = !{!"function_entry_count", i64 1000}
!21 = !{!"branch_weights", i32 1000, i32 0}
