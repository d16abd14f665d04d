; What a request costs where the magazine holds enough, counted in the object file: at most 6 instructions, besides what says
; how many blocks.  bench/instructions.py reckons with that.
; REQUIRES: x86_64
; RUN: clang -O2 -Wno-override-module -fpass-plugin=%plugin -c -o %t.o %s
; RUN: %python %inputs/hit_path.py llvm-objdump %t.o constant total=5 loads=2 stores=0 compares=1 branches=1
; RUN: %python %inputs/hit_path.py llvm-objdump %t.o computed 'total=<=6' loads=2 stores=0 compares=1 branches=1
; RUN: not %python %inputs/hit_path.py llvm-objdump %t.o computed 'total=<=5'
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

declare void @ngrt_hint_request(i32, i64)

define void @constant() hot {
  call void @ngrt_hint_request(i32 32, i64 3)
  ret void
}

define void @computed(i64 %n) hot {
  call void @ngrt_hint_request(i32 32, i64 %n)
  ret void
}
