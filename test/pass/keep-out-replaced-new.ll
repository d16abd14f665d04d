; A module that replaces operator new keeps every operator call; malloc is another matter.  A placement form replaces
; nothing.
; RUN: split-file %s %t
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %t/replaced.ll | FileCheck %s --check-prefix=REPLACED
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %t/local.ll | FileCheck %s --check-prefix=REPLACED
; RUN: opt -passes='nextgen-lower<growth=0>' -disable-output -pass-remarks-missed=nextgen %t/replaced.ll 2>&1 | FileCheck %s --check-prefix=MISSED
; RUN: opt -passes='nextgen-lower<growth=0>,verify' -S %t/placement.ll | FileCheck %s --check-prefix=PLACEMENT

; MISSED: _ZdlPvm: the call stays: the module replaces operator new or delete

; REPLACED-LABEL: define ptr @f(
; REPLACED: call void @_ZdlPvm(ptr %q, i64 40)
; REPLACED-NOT: call {{.*}}@malloc
; REPLACED: @ngrt_malloc_slow

; PLACEMENT-LABEL: define ptr @f(
; PLACEMENT: load atomic

;--- replaced.ll
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
define ptr @_Znwm(i64 %n) {
  ret ptr null
}
declare void @_ZdlPvm(ptr, i64) #1
declare noalias ptr @malloc(i64)
define ptr @f(ptr %q) {
  call void @_ZdlPvm(ptr %q, i64 40) #0
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
attributes #0 = { builtin }
attributes #1 = { nobuiltin }
;--- local.ll
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
; What a link with LTO makes of it.
define internal ptr @_ZnamSt11align_val_t(i64 %n, i64 %a) {
  ret ptr null
}
declare void @_ZdlPvm(ptr, i64) #1
declare noalias ptr @malloc(i64)
define ptr @f(ptr %q) {
  call void @_ZdlPvm(ptr %q, i64 40) #0
  %p = call ptr @malloc(i64 40)
  %x = call ptr @_ZnamSt11align_val_t(i64 1, i64 1)
  store ptr %x, ptr %p
  ret ptr %p
}
attributes #0 = { builtin }
attributes #1 = { nobuiltin }
;--- placement.ll
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
define linkonce_odr ptr @_ZnwmPv(i64 %n, ptr %p) {
  ret ptr %p
}
define linkonce_odr ptr @_ZnwmR5Arena(i64 %n, ptr %p) {
  ret ptr %p
}
declare void @_ZdlPvm(ptr, i64) #1
declare noalias ptr @malloc(i64)
define ptr @f(ptr %q) {
  call void @_ZdlPvm(ptr %q, i64 40) #0
  %p = call ptr @malloc(i64 40)
  ret ptr %p
}
attributes #0 = { builtin }
attributes #1 = { nobuiltin }
