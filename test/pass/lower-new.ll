; operator new in its forms.  Throwing ones end in their own slow path, which throws; of all others the program's own call
; stays for the miss, since only it is the right one where the program replaces the operator.
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %s | FileCheck %s
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

@std_nothrow = external global i8
declare ptr @_Znwm(i64) #1
declare ptr @_Znam(i64) #1
declare ptr @_ZnwmRKSt9nothrow_t(i64, ptr) #1
declare ptr @_ZnamRKSt9nothrow_t(i64, ptr) #1
declare ptr @_ZnwmSt11align_val_t(i64, i64) #1
declare ptr @_ZnamSt11align_val_tRKSt9nothrow_t(i64, i64, ptr) #1
declare void @cleanup() nounwind
declare i32 @__gxx_personality_v0(...)

; CHECK-LABEL: define ptr @plain(
; CHECK: load volatile ptr
; CHECK: call ptr @ngrt_new_slow(i64 {{.*}}40)
; CHECK-NOT: @_Znwm
; CHECK: ret
define ptr @plain() {
  %p = call ptr @_Znwm(i64 40) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @array_of_variable_size(
; CHECK: llvm.ctlz
; CHECK: call ptr @ngrt_new_array_slow(i64 {{.*}}%n)
; CHECK-NOT: @_Znam
; CHECK: ret
define ptr @array_of_variable_size(i64 %n) {
  %p = call ptr @_Znam(i64 %n) #0
  ret ptr %p
}

; What may throw stays an invoke with the same landing pad.
; CHECK-LABEL: define ptr @invoked(
; CHECK: load volatile ptr
; CHECK: invoke ptr @ngrt_new_slow(i64 {{.*}}40)
; CHECK-NEXT: to label %{{.*}} unwind label %pad
; CHECK: landingpad
define ptr @invoked(i1 %c) personality ptr @__gxx_personality_v0 {
entry:
  br i1 %c, label %make, label %good
make:
  %p = invoke ptr @_Znwm(i64 40) #0 to label %good unwind label %pad
good:
  %r = phi ptr [ %p, %make ], [ null, %entry ]
  ret ptr %r
pad:
  %l = landingpad { ptr, i32 } cleanup
  call void @cleanup()
  resume { ptr, i32 } %l
}

; CHECK-LABEL: define ptr @nothrow(
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnwmRKSt9nothrow_t(i64 40, ptr {{.*}}@std_nothrow)
; CHECK-NOT: slow
; CHECK: ret
define ptr @nothrow() {
  %p = call ptr @_ZnwmRKSt9nothrow_t(i64 40, ptr @std_nothrow) #0
  ret ptr %p
}
; CHECK-LABEL: define ptr @nothrow_array(
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnamRKSt9nothrow_t(i64 %n, ptr {{.*}}@std_nothrow)
define ptr @nothrow_array(i64 %n) {
  %p = call ptr @_ZnamRKSt9nothrow_t(i64 %n, ptr @std_nothrow) #0
  ret ptr %p
}

; CHECK-LABEL: define ptr @aligned_invoked(
; CHECK: i64 112
; CHECK: load volatile ptr
; CHECK: invoke {{.*}}ptr @_ZnwmSt11align_val_t(i64 128, i64 64)
; CHECK-NEXT: to label %{{.*}} unwind label %pad
define ptr @aligned_invoked(i1 %c) personality ptr @__gxx_personality_v0 {
entry:
  br i1 %c, label %make, label %good
make:
  %p = invoke ptr @_ZnwmSt11align_val_t(i64 128, i64 64) #0 to label %good unwind label %pad
good:
  %r = phi ptr [ %p, %make ], [ null, %entry ]
  ret ptr %r
pad:
  %n = phi i32 [ 7, %make ]
  %l = landingpad { ptr, i32 } cleanup
  call void @cleanup()
  resume { ptr, i32 } %l
}
; CHECK-LABEL: define ptr @aligned_nothrow_array(
; CHECK: load volatile ptr
; CHECK: call {{.*}}ptr @_ZnamSt11align_val_tRKSt9nothrow_t(i64 256, i64 32, ptr {{.*}}@std_nothrow)
define ptr @aligned_nothrow_array() {
  %p = call ptr @_ZnamSt11align_val_tRKSt9nothrow_t(i64 256, i64 32, ptr @std_nothrow) #0
  ret ptr %p
}

; A call written out, ::operator new(40), is no builtin: the program may count on it.
; CHECK-LABEL: define ptr @written_out(
; CHECK-NEXT: call ptr @_Znwm(i64 40)
; CHECK-NEXT: ret
define ptr @written_out() {
  %p = call ptr @_Znwm(i64 40)
  ret ptr %p
}

attributes #0 = { builtin }
attributes #1 = { nobuiltin }
