; LLVM takes it that free, malloc and what calls them touch no memory that the program can name.  They do: the thread's
; magazines.  If the pass let LLVM carry a magazine's top in a register across such a call, one block would be handed out
; twice.
; RUN: opt -passes='nextgen-lower<growth=0;max-class=2>,early-cse<memssa>,gvn,dse,verify' -S %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare noalias ptr @malloc(i64) memory(inaccessiblemem: readwrite)
declare void @free(ptr) memory(argmem: readwrite, inaccessiblemem: readwrite)
declare ptr @makes() memory(inaccessiblemem: readwrite)
declare void @use(ptr, ptr) memory(none)

; CHECK-LABEL: define void @across_calls(
; CHECK: %[[BIN:.*]] = getelementptr inbounds i8, ptr %{{.*}}, i64 32
; CHECK: load volatile ptr, ptr %[[BIN]]
; CHECK: store volatile ptr %{{.*}}, ptr %[[BIN]]
; CHECK: call ptr @malloc(i64 500)
; CHECK: call ptr @makes()
; CHECK: load volatile ptr, ptr %[[BIN]]
; CHECK: store volatile ptr %{{.*}}, ptr %[[BIN]]
; CHECK: ret void
define void @across_calls(ptr %out) {
  %a = call ptr @malloc(i64 40)
  store ptr %a, ptr %out
  %kept = call ptr @malloc(i64 500)
  %m = call ptr @makes()
  %b = call ptr @malloc(i64 40)
  store volatile ptr %b, ptr %out
  store volatile ptr %m, ptr %out
  store volatile ptr %kept, ptr %out
  ret void
}
