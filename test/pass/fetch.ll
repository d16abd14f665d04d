; A block that is read and then freed: the one so many rounds ahead is fetched in a loop over an array of pointers, the other
; children in a function that frees a node's.  The array is read no further than the loop does.
; RUN: opt -passes='nextgen-batch,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-batch,nextgen-batch,verify' -S %s | FileCheck %s
; RUN: opt -passes='nextgen-batch<ahead=0;no-trees>' -S %s | FileCheck %s --check-prefix=OFF
; RUN: opt -passes='nextgen-batch' -disable-output -pass-remarks=nextgen %s 2>&1 | FileCheck %s --check-prefix=REMARK
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare void @free(ptr) nounwind willreturn
declare void @unknown(ptr)

; OFF-NOT: llvm.prefetch
; REMARK: free: what is read before it is fetched 8 rounds ahead
; REMARK: free: what is read before it is fetched 8 rounds ahead
; REMARK: tree: the node's other blocks are fetched before
; REMARK: chain: the node's other blocks are fetched before
; REMARK-NOT: fetched

; CHECK-LABEL: define void @records(
; CHECK: [[LAST:%.*]] = getelementptr i8, ptr %a, i64
; CHECK: loop:
; CHECK: [[NEXT:%.*]] = getelementptr i8, ptr %at, i64 64
; CHECK-NEXT: [[PAST:%.*]] = icmp ugt ptr [[NEXT]], [[LAST]]
; CHECK-NEXT: [[SAFE:%.*]] = select i1 [[PAST]], ptr [[LAST]], ptr [[NEXT]]
; CHECK-NEXT: [[AHEAD:%.*]] = load ptr, ptr [[SAFE]]
; CHECK-NEXT: call void @llvm.prefetch.p0(ptr [[AHEAD]], i32 0, i32 3, i32 1)
; CHECK-NEXT: %p = load ptr, ptr %at
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @records(ptr %a, i64 %n) {
entry:
  %some = icmp ne i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr inbounds ptr, ptr %a, i64 %i
  %p = load ptr, ptr %at, align 8
  %name = load ptr, ptr %p, align 8
  call void @free(ptr %name)
  call void @free(ptr %p)
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}

; From the end to the beginning.
; CHECK-LABEL: define void @backwards(
; CHECK: [[NEXT:%.*]] = getelementptr i8, ptr %at, i64 -64
; CHECK-NEXT: icmp ult ptr [[NEXT]],
; CHECK: llvm.prefetch
; CHECK: ret void
define void @backwards(ptr %a, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ %n, %entry ], [ %next, %loop ]
  %next = add nsw i64 %i, -1
  %at = getelementptr inbounds ptr, ptr %a, i64 %next
  %p = load ptr, ptr %at, align 8
  %field = getelementptr inbounds i8, ptr %p, i64 24
  %x = load i64, ptr %field, align 8
  store i64 %x, ptr %a, align 8
  call void @free(ptr %p)
  %more = icmp sgt i64 %next, 0
  br i1 %more, label %loop, label %done
done:
  ret void
}

; Freed and not read: nothing waits for its line.
; CHECK-LABEL: define void @unread(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @unread(ptr %a, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr inbounds ptr, ptr %a, i64 %i
  %p = load ptr, ptr %at, align 8
  call void @free(ptr %p)
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}

; A call may end the loop, or the array, before its last round.
; CHECK-LABEL: define void @may_end(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @may_end(ptr %a, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr inbounds ptr, ptr %a, i64 %i
  %p = load ptr, ptr %at, align 8
  %name = load ptr, ptr %p, align 8
  call void @unknown(ptr %name)
  call void @free(ptr %p)
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}

; So does a NULL at the array's end.
; CHECK-LABEL: define void @to_null(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @to_null(ptr %a) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr inbounds ptr, ptr %a, i64 %i
  %p = load ptr, ptr %at, align 8
  %name = load ptr, ptr %p, align 8
  call void @free(ptr %name)
  call void @free(ptr %p)
  %next = add nuw i64 %i, 1
  %behind = getelementptr inbounds ptr, ptr %a, i64 %next
  %q = load ptr, ptr %behind, align 8
  %more = icmp ne ptr %q, null
  br i1 %more, label %loop, label %done
done:
  ret void
}

; Over before the first fetched line would be there.
; CHECK-LABEL: define void @short(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @short(ptr %a) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = getelementptr inbounds ptr, ptr %a, i64 %i
  %p = load ptr, ptr %at, align 8
  %name = load ptr, ptr %p, align 8
  call void @free(ptr %name)
  call void @free(ptr %p)
  %next = add nuw i64 %i, 1
  %more = icmp ult i64 %next, 8
  br i1 %more, label %loop, label %done
done:
  ret void
}

; CHECK-LABEL: define void @tree(
; CHECK: %left = load ptr, ptr %node
; CHECK-NEXT: [[PLACE:%.*]] = getelementptr i8, ptr %node, i64 8
; CHECK-NEXT: [[AHEAD:%.*]] = load ptr, ptr [[PLACE]]
; CHECK-NEXT: call void @llvm.prefetch.p0(ptr [[AHEAD]], i32 0, i32 3, i32 1)
; CHECK-NEXT: call void @tree(ptr %left)
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @tree(ptr %node) {
entry:
  %none = icmp eq ptr %node, null
  br i1 %none, label %done, label %some
some:
  %left = load ptr, ptr %node, align 8
  call void @tree(ptr %left)
  %at = getelementptr inbounds i8, ptr %node, i64 8
  %right = load ptr, ptr %at, align 8
  call void @tree(ptr %right)
  call void @free(ptr %node)
  br label %done
done:
  ret void
}

; The last call is a loop, as in std::map.
; CHECK-LABEL: define void @chain(
; CHECK: %left = load ptr, ptr %node
; CHECK-NEXT: getelementptr i8, ptr %node, i64 8
; CHECK: llvm.prefetch
; CHECK: call void @chain(ptr %left)
; CHECK: ret void
define void @chain(ptr %first) {
entry:
  br label %head
head:
  %node = phi ptr [ %first, %entry ], [ %right, %some ]
  %none = icmp eq ptr %node, null
  br i1 %none, label %done, label %some
some:
  %left = load ptr, ptr %node, align 8
  call void @chain(ptr %left)
  %at = getelementptr inbounds i8, ptr %node, i64 8
  %right = load ptr, ptr %at, align 8
  call void @free(ptr %node)
  br label %head
done:
  ret void
}

; One child, read twice.
; CHECK-LABEL: define void @same(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @same(ptr %node) {
entry:
  %once = load ptr, ptr %node, align 8
  call void @same(ptr %once)
  %twice = load ptr, ptr %node, align 8
  call void @same(ptr %twice)
  call void @free(ptr %node)
  ret void
}

; Read in some nodes only: the others may end before.
; CHECK-LABEL: define void @some_have(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @some_have(ptr %node) {
entry:
  %left = load ptr, ptr %node, align 8
  call void @some_have(ptr %left)
  %kind = icmp eq ptr %left, null
  br i1 %kind, label %leaf, label %inner
inner:
  %at = getelementptr inbounds i8, ptr %node, i64 8
  %right = load ptr, ptr %at, align 8
  call void @some_have(ptr %right)
  br label %leaf
leaf:
  call void @free(ptr %node)
  ret void
}

; What walks and does not free is left alone.
; CHECK-LABEL: define void @walks(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @walks(ptr %node) {
entry:
  %none = icmp eq ptr %node, null
  br i1 %none, label %done, label %some
some:
  %left = load ptr, ptr %node, align 8
  call void @walks(ptr %left)
  %at = getelementptr inbounds i8, ptr %node, i64 8
  %right = load ptr, ptr %at, align 8
  call void @walks(ptr %right)
  br label %done
done:
  ret void
}

; To be small.
; CHECK-LABEL: define void @small(
; CHECK-NOT: llvm.prefetch
; CHECK: ret void
define void @small(ptr %node) optsize {
entry:
  %left = load ptr, ptr %node, align 8
  call void @small(ptr %left)
  %at = getelementptr inbounds i8, ptr %node, i64 8
  %right = load ptr, ptr %at, align 8
  call void @small(ptr %right)
  call void @free(ptr %node)
  ret void
}
