; The fast path comes as a module of its own: its flags, target and debug info must not change the program's.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

; CHECK: target triple = "x86_64-unknown-linux-gnu"
; CHECK-LABEL: define ptr @f(
; CHECK: load volatile ptr, ptr %{{.*}}, !dbg ![[LOC:[0-9]+]]
; CHECK: call preserve_mostcc ptr @ngrt_malloc_slow(i64 {{.*}}40){{.*}}!dbg ![[LOC]]
; CHECK-NOT: target-cpu
; CHECK: !llvm.module.flags = !{![[DWARF:.*]], ![[DI:.*]], ![[CET:[0-9]+]]}
; CHECK-NEXT: !llvm.ident = !{![[IDENT:[0-9]+]]}
; CHECK: ![[CET]] = !{i32 8, !"cf-protection-branch", i32 1}
; CHECK: ![[LOC]] = !DILocation(line: 3, column: 10
define ptr @f() !dbg !8 {
  %p = call ptr @malloc(i64 40), !dbg !11
  ret ptr %p, !dbg !12
}
declare noalias ptr @malloc(i64)

!llvm.dbg.cu = !{!4}
!llvm.module.flags = !{!0, !1, !2}
!llvm.ident = !{!3}
!0 = !{i32 7, !"Dwarf Version", i32 5}
!1 = !{i32 2, !"Debug Info Version", i32 3}
!2 = !{i32 8, !"cf-protection-branch", i32 1}
!3 = !{!"the program's compiler"}
!4 = distinct !DICompileUnit(language: DW_LANG_C11, file: !5, isOptimized: true, emissionKind: FullDebug)
!5 = !DIFile(filename: "a.c", directory: "/")
!8 = distinct !DISubprogram(name: "f", scope: !5, file: !5, line: 2, type: !9, unit: !4, spFlags: DISPFlagDefinition)
!9 = !DISubroutineType(types: !10)
!10 = !{null}
!11 = !DILocation(line: 3, column: 10, scope: !8)
!12 = !DILocation(line: 4, column: 3, scope: !8)
